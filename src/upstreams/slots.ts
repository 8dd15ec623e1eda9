import type { Redis } from 'ioredis'
import type { ProviderName } from '../../providers/provider.ts'
import type { Keys } from '../redis/keys.ts'

/**
 * KEYS: holders (set), turns (sorted set of owners by the number of their last turn), turn counter. ARGV: prefix of the waiting lists, cap,
 * then an owner, an id and an arrival time to put in line, or nothing. Hands out free places, one owner after the other and each owner's
 * jobs in their order, and answers the ids that got one.
 */
const handOutSlotsScript = `
local holders, turns, counter, prefix, cap = KEYS[1], KEYS[2], KEYS[3], ARGV[1], tonumber(ARGV[2])
if ARGV[4] and redis.call('SISMEMBER', holders, ARGV[4]) == 0 then
  redis.call('ZADD', prefix .. ARGV[3], ARGV[5], ARGV[4])
  redis.call('ZADD', turns, 'NX', tonumber(redis.call('GET', counter) or '0'), ARGV[3])
end
local given = {}
while redis.call('SCARD', holders) < cap do
  local owner = redis.call('ZRANGE', turns, 0, 0)[1]
  if not owner then break end
  local first = redis.call('ZPOPMIN', prefix .. owner)[1]
  if first then
    redis.call('SADD', holders, first)
    given[#given + 1] = first
    redis.call('ZADD', turns, redis.call('INCR', counter), owner)
  end
  if redis.call('EXISTS', prefix .. owner) == 0 then redis.call('ZREM', turns, owner) end
end
return given
`

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
  redis.defineCommand('reelgateHandOut', { lua: handOutSlotsScript, numberOfKeys: 3 })
  const run = (provider: ProviderName, limit: number, ...waiter: (string | number)[]): Promise<string[]> => {
    const slotKeys = keys.slots(provider)
    const command = (redis as unknown as { reelgateHandOut(...args: (string | number)[]): Promise<string[]> })
      .reelgateHandOut
    return command.call(
      redis,
      slotKeys.holders,
      slotKeys.turns,
      slotKeys.counter,
      slotKeys.waiting,
      limit,
      ...waiter,
    )
  }

  return {
    /** Puts a job in line. `mine`: it has a place; `others`: jobs that were given one just now and should be told. */
    async acquire(
      provider: ProviderName,
      job: { id: string; owner: string; createdAt: number },
    ): Promise<{ isAcquired: boolean; granted: string[] }> {
      const limit = maxJobs[provider]
      if (limit === undefined) return { isAcquired: true, granted: [] }
      const granted = await run(provider, limit, job.owner, job.id, job.createdAt)
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
      return run(provider, limit)
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
