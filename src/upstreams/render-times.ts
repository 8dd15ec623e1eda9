import type { Redis } from 'ioredis'
import type { ProviderName } from '../../providers/provider.ts'

/** Weight of a new measurement. */
const newWeight = 0.2
const cacheMs = 5000

/** Moving average of each model's render time on each upstream, shared by all workers in one Redis hash. */
export function createRenderTimes({ redis, key }: { redis: Redis; key: string }) {
  let cachedMs: Record<string, string> = {}
  let readAt = 0
  const nameOf = (model: string, provider: ProviderName) => `${model}@${provider}`

  return {
    /** Milliseconds; `fallbackMs` until one has been measured. */
    async estimateMs(model: string, provider: ProviderName, fallbackMs: number): Promise<number> {
      if (Date.now() - readAt > cacheMs) {
        readAt = Date.now()
        cachedMs = await redis.hgetall(key)
      }
      const measuredMs = Number(cachedMs[nameOf(model, provider)])
      return Number.isFinite(measuredMs) && measuredMs > 0 ? measuredMs : fallbackMs
    },

    async addMeasurement(model: string, provider: ProviderName, tookMs: number): Promise<void> {
      const previousMs = Number(await redis.hget(key, nameOf(model, provider)))
      const averageMs = previousMs > 0 ? previousMs * (1 - newWeight) + tookMs * newWeight : tookMs
      await redis.hset(key, nameOf(model, provider), Math.round(averageMs))
    },
  }
}

export type RenderTimes = ReturnType<typeof createRenderTimes>
