import type { Redis } from 'ioredis'
import type { ProviderName } from '../../providers/provider.ts'
import type { Keys } from '../redis/keys.ts'
import { defineScript, loadScript } from '../redis/script.ts'

const grantSlotsScript = loadScript('upstreams/grant-slots', {
  keys: 'holders turns counter',
  args: 'waitingPrefix maxJobs owner id createdAt',
})

export type UpstreamSlots = ReturnType<typeof createUpstreamSlots>

/** Limits the concurrent jobs at an upstream, for all workers together. Slots are granted in turn to owners, and to each owner's jobs in order. */
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
    /** Requests a slot for a job, or adds it to the waiting list. `granted`: other jobs that got a slot just now and should be woken. */
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

    /** Releases a slot, or removes the job from the waiting list. Returns the jobs that got a slot. */
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

    /** IDs of jobs that have a slot, to find those whose worker died before it released the slot. */
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
