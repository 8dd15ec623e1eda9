import type { RouteDefinition } from '../route-definition.ts'
import { DefaultWebhookResponse } from './schemas.ts'

export const readDefaultWebhook: RouteDefinition = {
  method: 'GET',
  path: '/api/webhooks',
  docs: {
    id: 'usualWebhook',
    tag: 'Webhooks',
    summary: 'The default webhook URL, for jobs without one of their own',
  },
  response: DefaultWebhookResponse,
  respond: async ({ webhooks }, { owner }) => ({
    webhookUrl: (await webhooks.readDefaultUrl(owner)) ?? null,
  }),
}
