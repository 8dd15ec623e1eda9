import { readIdempotencyKey } from '../plugins/idempotency.ts'
import type { RouteDefinition } from '../route-definition.ts'
import { SecretResponse } from './schemas.ts'

export const rotateWebhookSecret: RouteDefinition = {
  method: 'POST',
  path: '/api/webhooks/secret',
  docs: {
    id: 'rotateWebhookSecret',
    tag: 'Webhooks',
    summary: 'Rotate the secret for webhook signatures',
    errorStatuses: [408, 413, 415],
  },
  response: SecretResponse,
  respond: async ({ webhooks }, request) => ({
    secret: await webhooks.rotateSecret(request.owner, readIdempotencyKey(request)),
  }),
}
