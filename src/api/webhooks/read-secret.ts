import type { RouteDefinition } from '../route-definition.ts'
import { SecretResponse } from './schemas.ts'

export const readWebhookSecret: RouteDefinition = {
  method: 'GET',
  path: '/api/webhooks/secret',
  docs: {
    id: 'webhookSecret',
    tag: 'Webhooks',
    summary: 'The secret that verifies webhook signatures',
  },
  response: SecretResponse,
  respond: async ({ webhooks }, { owner }) => ({ secret: await webhooks.readSecret(owner) }),
}
