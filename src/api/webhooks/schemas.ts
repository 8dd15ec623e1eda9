import { Type } from '@sinclair/typebox'

export const SecretResponse = Type.Object({
  secret: Type.String({ description: 'Verifies signatures according to Standard Webhooks.' }),
})

export const DefaultWebhookResponse = Type.Object({
  webhookUrl: Type.Unsafe<string | null>({
    type: ['string', 'null'],
    description: 'The URL for jobs without a webhook of their own.',
  }),
})
