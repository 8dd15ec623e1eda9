/**
 * The subscription of a caller, in the shape that the NanoGPT API documents: there is none here, and some account pages fail without
 * an answer. What a key has used is at `/api/usage`.
 */
export async function getSubscriptionUsage() {
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
}

function createUnusedQuota(resetAt: number) {
  return { used: 0, remaining: 0, percentUsed: 0, resetAt }
}
