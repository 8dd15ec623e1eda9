import type { Redis } from 'ioredis'
import { anonymousCaller } from '../../accounts/access.ts'
import type { Keys } from '../../redis/keys.ts'
import { formatMegabytes } from './media-limits.ts'

/** Thrown when a key stores too much already. The message is for the client. */
export class QuotaExceeded extends Error {
  override name = 'QuotaExceeded'
}

/**
 * KEYS files (sorted set by expiry, members `<bytes> <name>`), total. ARGV now, expiry, bytes, name, quota, keep ms.
 * Returns -1 when the file is counted already, 1 when it is counted now, 0 and the total when it does not fit.
 */
const takeScript = `
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, 1000)) do
  redis.call('ZREM', KEYS[1], member)
  redis.call('DECRBY', KEYS[2], string.match(member, '^%d+'))
end
local member = ARGV[3] .. ' ' .. ARGV[4]
local total = tonumber(redis.call('GET', KEYS[2]) or '0')
local known = redis.call('ZSCORE', KEYS[1], member)
if not known and total + tonumber(ARGV[3]) > tonumber(ARGV[5]) then return { 0, total } end
redis.call('ZADD', KEYS[1], ARGV[2], member)
if not known then redis.call('INCRBY', KEYS[2], ARGV[3]) end
redis.call('PEXPIRE', KEYS[1], ARGV[6])
redis.call('PEXPIRE', KEYS[2], ARGV[6])
return { known and -1 or 1, total }
`

/** KEYS files, total. ARGV bytes, name. */
const releaseScript = `
if redis.call('ZREM', KEYS[1], ARGV[1] .. ' ' .. ARGV[2]) == 1 then redis.call('DECRBY', KEYS[2], ARGV[1]) end
return 0
`

type Options = { redis: Redis; keys: Keys; quotaBytes: number }

/** A file that counts: its content by `name` counts once, until `forMs` are over. */
export type QuotaEntry = { owner: string; name: string; bytes: number }

/** The two keys of an owner outlive every file in them. */
const keysTtlMs = 400 * 86_400_000

export type Quota = ReturnType<typeof createQuota>

/** How much a key may store: what it sent with its jobs lately, and its library. Anonymous callers share no limit. */
export function createQuota({ redis, keys, quotaBytes }: Options) {
  const keysOf = (owner: string) => [keys.storedFiles(owner), keys.storedBytes(owner)] as const

  return {
    /** Counts a file before it is stored; false: it was counted already. Throws `QuotaExceeded`. */
    async reserve({ owner, name, bytes }: QuotaEntry, keepMs: number): Promise<boolean> {
      if (owner === anonymousCaller.owner) return false
      const now = Date.now()
      const args = [now, now + keepMs, bytes, name, quotaBytes, keysTtlMs]
      const [status, total] = (await redis.eval(takeScript, 2, ...keysOf(owner), ...args)) as [number, number]
      if (status !== 0) return status === 1
      throw new QuotaExceeded(
        `The storage quota of this key is ${formatMegabytes(quotaBytes)}; ${formatMegabytes(total)} are used, and the file has ${formatMegabytes(bytes)}. Delete files of the library, or wait: inputs of jobs are kept for two days`,
      )
    },

    async release({ owner, name, bytes }: QuotaEntry): Promise<void> {
      await redis.eval(releaseScript, 2, ...keysOf(owner), bytes, name)
    },
  }
}
