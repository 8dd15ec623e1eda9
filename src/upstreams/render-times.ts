import type { Redis } from 'ioredis'
import type { ProviderName } from '../../providers/provider.ts'

/** The weight of a new measurement. */
const weight = 0.2
const freshMs = 5000

/** A running estimate of each model's render time on each upstream, shared by all workers through one hash. */
export function createRenderTimes({ redis, key }: { redis: Redis; key: string }) {
  let known: Record<string, string> = {}
  let readAt = 0
  const nameOf = (model: string, provider: ProviderName) => `${model}@${provider}`

  return {
    /** Milliseconds; `fallbackMs` until one has been measured. */
    async usual(model: string, provider: ProviderName, fallbackMs: number): Promise<number> {
      if (Date.now() - readAt > freshMs) {
        readAt = Date.now()
        known = await redis.hgetall(key)
      }
      const measured = Number(known[nameOf(model, provider)])
      return Number.isFinite(measured) && measured > 0 ? measured : fallbackMs
    },

    async learn(model: string, provider: ProviderName, tookMs: number): Promise<void> {
      const before = Number(await redis.hget(key, nameOf(model, provider)))
      const next = before > 0 ? before * (1 - weight) + tookMs * weight : tookMs
      await redis.hset(key, nameOf(model, provider), Math.round(next))
    },
  }
}

export type RenderTimes = ReturnType<typeof createRenderTimes>
