import type { Redis } from 'ioredis'
import { createBatcher } from '../../redis/batch.ts'
import type { Keys } from '../../redis/keys.ts'

/** KEYS jobs. Answers of each `owner`, `view` and `version`. */
const readStatusScript = `
local found = {}
for n, job in ipairs(KEYS) do found[n] = redis.call('HMGET', job, 'owner', 'view', 'version') end
return found
`

/** Little work for Redis, so it can wait for the turn to end. */
const maxBatch = 100

type StatusFields = readonly [owner: string | null, view: string | null, version: string | null]

/** Reads what a status needs of a record. */
export function createStatusReader({ redis, keys }: { redis: Redis; keys: Keys }) {
  redis.defineCommand('reelgateRead', { lua: readStatusScript })
  const { reelgateRead } = redis as unknown as {
    reelgateRead(count: number, ...keys: string[]): Promise<StatusFields[]>
  }
  return createBatcher(redis, maxBatch, (ids: readonly string[]) =>
    reelgateRead.call(redis, ids.length, ...ids.map(keys.job)),
  )
}
