import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import type { WebhookDelivery } from '../../webhooks/webhooks.ts'
import type { ApiDeps } from '../deps.ts'
import { ApiError } from '../errors.ts'
import { createAuthenticationHook } from '../plugins/authenticate.ts'
import { readIdempotencyKey } from '../plugins/idempotency.ts'
import { readJobId } from '../requests/job-id.ts'
import { requireOwnJob } from '../requests/own-job.ts'
import { readDefaultWebhook } from '../requests/read-webhook.ts'
import { toIsoTime } from '../responses/job-fields.ts'

const SecretResponse = Type.Object({
  secret: Type.String({ description: 'Verifies signatures: Standard Webhooks.' }),
})

const DefaultWebhookResponse = Type.Object({
  webhookUrl: Type.Unsafe<string | null>({
    type: ['string', 'null'],
    description: 'For jobs that name none.',
  }),
})

const DeliveriesResponse = Type.Object({
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
export function registerWebhookRoutes(
  app: FastifyInstance,
  deps: Pick<ApiDeps, 'accounts' | 'engine' | 'webhooks'>,
): void {
  const routes = app.withTypeProvider<TypeBoxTypeProvider>()
  const { engine, webhooks } = deps
  const onRequest = createAuthenticationHook(deps.accounts)
  const routeOptions = (
    schema: typeof SecretResponse | typeof DefaultWebhookResponse | typeof DeliveriesResponse,
    code = 200,
  ) => ({
    onRequest,
    schema: { response: { [code]: schema } },
  })

  routes.get('/api/webhooks/secret', routeOptions(SecretResponse), async ({ owner }) => ({
    secret: await webhooks.readSecret(owner),
  }))
  routes.post('/api/webhooks/secret', routeOptions(SecretResponse), async (request) => ({
    secret: await webhooks.rotateSecret(request.owner, readIdempotencyKey(request)),
  }))

  routes.get('/api/webhooks', routeOptions(DefaultWebhookResponse), async ({ owner }) => ({
    webhookUrl: (await webhooks.readDefaultUrl(owner)) ?? null,
  }))
  routes.post('/api/webhooks', routeOptions(DefaultWebhookResponse), async ({ owner, body }) => {
    const url = readDefaultWebhook(webhooks, body)
    await webhooks.setDefaultUrl(owner, url ?? undefined)
    return { webhookUrl: url }
  })

  routes.get('/api/jobs/:id/webhooks', routeOptions(DeliveriesResponse), async (request) => {
    const { id } = await requireOwnJob(engine, request, readJobId(request.params))
    return toDeliveries(id, await webhooks.readDelivery(id))
  })
  routes.post(
    '/api/jobs/:id/webhooks/replay',
    routeOptions(DeliveriesResponse, 202),
    async (request, reply) => {
      const { id } = await requireOwnJob(engine, request, readJobId(request.params))
      if (!(await webhooks.replay(id)))
        throw new ApiError('conflict', `The job ${id} has not ended, or has no webhook`)
      return reply.code(202).send(toDeliveries(id, await webhooks.readDelivery(id)))
    },
  )
}

function toDeliveries(requestId: string, { state, log }: WebhookDelivery) {
  const attempts = log.map(({ id: _, version: __, at, nextAt, ...attempt }) => ({
    at: toIsoTime(at),
    ...attempt,
    ...(nextAt !== undefined && { nextAt: toIsoTime(nextAt) }),
  }))
  return { requestId, state, attempts }
}
