import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import type { Told } from '../webhooks/webhooks.ts'
import { identify } from './caller.ts'
import { ApiError } from './errors.ts'
import { readIdempotencyKey } from './idempotency.ts'
import { readJobId } from './nanogpt/job-id.ts'
import { ownJob } from './nanogpt/own-job.ts'
import { timeOf } from './nanogpt/status.ts'
import type { AppParts } from './parts.ts'
import { readDefaultWebhook } from './webhook-of.ts'

const Secret = Type.Object({
  secret: Type.String({ description: 'Verifies signatures: Standard Webhooks.' }),
})

const Usual = Type.Object({
  webhookUrl: Type.Unsafe<string | null>({
    type: ['string', 'null'],
    description: 'For jobs that name none.',
  }),
})

const Deliveries = Type.Object({
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

/** What callers manage of their webhooks: where they usually go, with what they are signed, and what became of each. */
export function webhooks(
  app: FastifyInstance,
  parts: Pick<AppParts, 'accounts' | 'engine' | 'webhooks'>,
): void {
  const routes = app.withTypeProvider<TypeBoxTypeProvider>()
  const { engine, webhooks } = parts
  const onRequest = identify(parts.accounts)
  const answering = (schema: typeof Secret | typeof Usual | typeof Deliveries, code = 200) => ({
    onRequest,
    schema: { response: { [code]: schema } },
  })

  routes.get('/api/webhooks/secret', answering(Secret), async ({ owner }) => ({
    secret: await webhooks.secret(owner),
  }))
  routes.post('/api/webhooks/secret', answering(Secret), async (request) => ({
    secret: await webhooks.rotate(request.owner, readIdempotencyKey(request)),
  }))

  routes.get('/api/webhooks', answering(Usual), async ({ owner }) => ({
    webhookUrl: (await webhooks.usual(owner)) ?? null,
  }))
  routes.post('/api/webhooks', answering(Usual), async ({ owner, body }) => {
    const url = readDefaultWebhook(webhooks, body)
    await webhooks.setUsual(owner, url ?? undefined)
    return { webhookUrl: url }
  })

  routes.get('/api/jobs/:id/webhooks', answering(Deliveries), async (request) => {
    const { id } = await ownJob(engine, request, readJobId(request.params))
    return deliveriesOf(id, await webhooks.told(id))
  })
  routes.post('/api/jobs/:id/webhooks/replay', answering(Deliveries, 202), async (request, reply) => {
    const { id } = await ownJob(engine, request, readJobId(request.params))
    if (!(await webhooks.replay(id)))
      throw new ApiError('conflict', `The job ${id} has not ended, or has no webhook`)
    return reply.code(202).send(deliveriesOf(id, await webhooks.told(id)))
  })
}

function deliveriesOf(requestId: string, { state, log }: Told) {
  const attempts = log.map(({ id: _, version: __, at, nextAt, ...attempt }) => ({
    at: timeOf(at),
    ...attempt,
    ...(nextAt !== undefined && { nextAt: timeOf(nextAt) }),
  }))
  return { requestId, state, attempts }
}
