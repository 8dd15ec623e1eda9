import type { RouteDefinition } from '../route-definition.ts'
import { DefaultWebhookResponse } from './schemas.ts'

export const readDefaultWebhook: RouteDefinition = {
  method: 'GET',
  path: '/api/webhooks',
  docs: {
    id: 'usualWebhook',
    tag: 'Webhooks',
    summary: 'Where the ends of jobs that name no address are told',
  },
  schema: DefaultWebhookResponse,
  respond: async ({ webhooks }, { owner }) => ({
    webhookUrl: (await webhooks.readDefaultUrl(owner)) ?? null,
  }),
}
