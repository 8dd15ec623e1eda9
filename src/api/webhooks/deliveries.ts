import { type Static, Type } from '@sinclair/typebox'
import type { WebhookDelivery } from '../../webhooks/webhooks.ts'
import { toIsoTime } from '../responses/job-fields.ts'

export const DeliveriesResponse = Type.Object({
  requestId: Type.String(),
  state: Type.String({ enum: ['none', 'waiting', 'delivered', 'failed', 'disabled'] }),
  attempts: Type.Array(
    Type.Object({
      at: Type.String(),
      outcome: Type.String({
        enum: ['delivered', 'failed', 'gave_up', 'gone', 'disabled', 'replayed'],
      }),
      status: Type.Optional(Type.Integer()),
      error: Type.Optional(Type.String()),
      tookMs: Type.Optional(Type.Integer()),
      nextAt: Type.Optional(Type.String()),
    }),
  ),
})

export function toDeliveries(
  requestId: string,
  { state, log }: WebhookDelivery,
): Static<typeof DeliveriesResponse> {
  const attempts = log.map(({ id: _, version: __, at, nextAt, ...attempt }) => ({
    at: toIsoTime(at),
    ...attempt,
    ...(nextAt !== undefined && { nextAt: toIsoTime(nextAt) }),
  }))
  return { requestId, state, attempts }
}
