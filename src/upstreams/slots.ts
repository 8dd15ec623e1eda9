import type { Redis } from 'ioredis'
import type { ProviderName } from '../../providers/provider.ts'
import type { Keys } from '../redis/keys.ts'
import { defineScript, loadScript } from '../redis/script.ts'

const grantSlotsScript = loadScript('upstreams/grant-slots', {
  keys: 'holders turns counter',
  args: 'waitingPrefix maxJobs owner id createdAt',
})

export type UpstreamSlots = ReturnType<typeof createUpstreamSlots>

/** Places at an upstream, where the operator has bounded them: shared by all workers, in order, fair between callers. */
export function createUpstreamSlots({
  redis,
  keys,
  maxJobs,
}: {
  redis: Redis
  keys: Keys
  maxJobs: Readonly<Partial<Record<ProviderName, number>>>
}) {
  const grantInRedis = defineScript(redis, 'reelgateHandOut', grantSlotsScript)

  /** Grants free slots. `waiting`: a job to add to the waiting list before. */
  function grantSlots(
    provider: ProviderName,
    limit: number,
    waiting: { id: string; owner: string; createdAt: number | '' } = { id: '', owner: '', createdAt: '' },
  ): Promise<string[]> {
    const { holders, turns, counter, waiting: waitingPrefix } = keys.slots(provider)
    const { id, owner, createdAt } = waiting
    return grantInRedis<string[]>({
      keys: { holders, turns, counter },
      args: { waitingPrefix, maxJobs: limit, owner, id, createdAt },
    })
  }

  return {
    /** Puts a job in line. `mine`: it has a place; `others`: jobs that were given one just now and should be told. */
    async acquire(
      provider: ProviderName,
      job: { id: string; owner: string; createdAt: number },
    ): Promise<{ isAcquired: boolean; granted: string[] }> {
      const limit = maxJobs[provider]
      if (limit === undefined) return { isAcquired: true, granted: [] }
      const granted = await grantSlots(provider, limit, job)
      const isAcquired =
        granted.includes(job.id) || (await redis.sismember(keys.slots(provider).holders, job.id)) === 1
      return { isAcquired, granted: granted.filter((id) => id !== job.id) }
    },

    /** Gives a place back, or leaves the line; answers the jobs that were given one. */
    async release(provider: ProviderName, job: { id: string; owner: string }): Promise<string[]> {
      const limit = maxJobs[provider]
      if (limit === undefined) return []
      const slotKeys = keys.slots(provider)
      await redis
        .multi()
        .srem(slotKeys.holders, job.id)
        .zrem(slotKeys.waiting + job.owner, job.id)
        .exec()
      return grantSlots(provider, limit)
    },

    /** Ids that hold a place, for finding those whose job has ended with its worker. */
    async listHolders(): Promise<{ provider: ProviderName; id: string }[]> {
      const holdersByProvider = await Promise.all(
        (Object.keys(maxJobs) as ProviderName[]).map(async (provider) =>
          (await redis.smembers(keys.slots(provider).holders)).map((id) => ({ provider, id })),
        ),
      )
      return holdersByProvider.flat()
    },
  }
}
