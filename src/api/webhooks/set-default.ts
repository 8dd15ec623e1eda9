import { jsonContent } from '../openapi/operation.ts'
import { readWebhookUrl } from '../requests/read-webhook.ts'
import type { RouteDefinition } from '../route-definition.ts'
import { DefaultWebhookResponse } from './schemas.ts'

export const setDefaultWebhook: RouteDefinition = {
  method: 'POST',
  path: '/api/webhooks',
  docs: {
    id: 'setUsualWebhook',
    tag: 'Webhooks',
    summary: 'Set the default webhook URL, or remove it with null',
    description:
      '`url` and `callback_url` are accepted as well. A body without a URL is rejected and changes nothing.',
    body: jsonContent({
      type: 'object',
      required: ['webhookUrl'],
      properties: { webhookUrl: { type: ['string', 'null'] } },
    }),
  },
  response: DefaultWebhookResponse,
  respond: async ({ webhooks }, { owner, body }) => {
    const url = readWebhookUrl(webhooks, body)
    await webhooks.setDefaultUrl(owner, url ?? undefined)
    return { webhookUrl: url }
  },
}
