import { Type } from '@sinclair/typebox'

export const SecretResponse = Type.Object({
  secret: Type.String({ description: 'Verifies signatures: Standard Webhooks.' }),
})

export const DefaultWebhookResponse = Type.Object({
  webhookUrl: Type.Unsafe<string | null>({
    type: ['string', 'null'],
    description: 'For jobs that name none.',
  }),
})
