import { objectSchema, okResponse, textSchema } from '../openapi/response-schemas.ts'
import type { RouteDefinition } from '../route-definition.ts'

const quotaSchema = objectSchema({
  used: { type: 'integer' },
  remaining: { type: 'integer' },
  percentUsed: { type: 'number' },
  resetAt: { type: 'integer', description: 'Unix time in milliseconds.' },
})

/**
 * The subscription of a caller, in the format that the NanoGPT API documents. There are no subscriptions here, but some account pages
 * fail without a response. The usage of a key is at `/api/usage`.
 */
export const readSubscriptionUsage: RouteDefinition = {
  method: 'GET',
  path: '/subscription/v1/usage',
  docs: {
    id: 'subscriptionUsage',
    tag: 'Account',
    summary: 'The subscription of a key, which is always inactive',
    replies: okResponse(
      'No subscription.',
      objectSchema({
        active: { type: 'boolean' },
        daily: quotaSchema,
        monthly: quotaSchema,
        state: textSchema,
      }),
    ),
  },
  respond: async () => {
    const now = new Date()
    const [year, month, day] = [now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()]
    return {
      active: false,
      limits: { daily: 0, monthly: 0 },
      enforceDailyLimit: false,
      daily: createUnusedQuota(Date.UTC(year, month, day + 1)),
      monthly: createUnusedQuota(Date.UTC(year, month + 1, 1)),
      period: { currentPeriodEnd: null },
      state: 'inactive' as const,
      graceUntil: null,
    }
  },
}

function createUnusedQuota(resetAt: number) {
  return { used: 0, remaining: 0, percentUsed: 0, resetAt }
}
