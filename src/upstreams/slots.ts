import type { Redis } from 'ioredis'
import type { ProviderName } from '../../providers/provider.ts'
import type { Keys } from '../redis/keys.ts'

/**
 * KEYS: holders (set), turns (sorted set of owners by the number of their last turn), turn counter. ARGV: prefix of the waiting lists, cap,
 * then an owner, an id and an arrival time to put in line, or nothing. Hands out free places, one owner after the other and each owner's
 * jobs in their order, and answers the ids that got one.
 */
const handOut = `
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

export type Slots = ReturnType<typeof createSlots>

/** Places at an upstream, where the operator has bounded them: shared by all workers, in order, fair between callers. */
export function createSlots({
  redis,
  keys,
  caps,
}: {
  redis: Redis
  keys: Keys
  caps: Readonly<Partial<Record<ProviderName, number>>>
}) {
  redis.defineCommand('reelgateHandOut', { lua: handOut, numberOfKeys: 3 })
  const run = (provider: ProviderName, cap: number, ...line: (string | number)[]): Promise<string[]> => {
    const at = keys.slots(provider)
    const call = (redis as unknown as { reelgateHandOut(...args: (string | number)[]): Promise<string[]> })
      .reelgateHandOut
    return call.call(redis, at.holders, at.turns, at.counter, at.waiting, cap, ...line)
  }

  return {
    /** Puts a job in line. `mine`: it has a place; `others`: jobs that were given one just now and should be told. */
    async ask(
      provider: ProviderName,
      job: { id: string; owner: string; createdAt: number },
    ): Promise<{ mine: boolean; others: string[] }> {
      const cap = caps[provider]
      if (cap === undefined) return { mine: true, others: [] }
      const given = await run(provider, cap, job.owner, job.id, job.createdAt)
      const mine =
        given.includes(job.id) || (await redis.sismember(keys.slots(provider).holders, job.id)) === 1
      return { mine, others: given.filter((id) => id !== job.id) }
    },

    /** Gives a place back, or leaves the line; answers the jobs that were given one. */
    async leave(provider: ProviderName, job: { id: string; owner: string }): Promise<string[]> {
      const cap = caps[provider]
      if (cap === undefined) return []
      const at = keys.slots(provider)
      await redis
        .multi()
        .srem(at.holders, job.id)
        .zrem(at.waiting + job.owner, job.id)
        .exec()
      return run(provider, cap)
    },

    /** Ids that hold a place, for finding those whose job has ended with its worker. */
    async holders(): Promise<{ provider: ProviderName; id: string }[]> {
      const found = await Promise.all(
        (Object.keys(caps) as ProviderName[]).map(async (provider) =>
          (await redis.smembers(keys.slots(provider).holders)).map((id) => ({ provider, id })),
        ),
      )
      return found.flat()
    },
  }
}
