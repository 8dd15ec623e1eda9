import { setTimeout } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { Keys } from '../../redis/keys.ts'
import { StorageUnavailable } from '../storage/storage-fault.ts'

/** KEYS uses. ARGV keep ms. Counts one more use; returns 0 while the file is being removed. */
const addUseScript = `
if redis.call('HEXISTS', KEYS[1], 'removing') == 1 then return 0 end
redis.call('HINCRBY', KEYS[1], 'uses', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
`

/** KEYS uses. ARGV ms for the removal. One use less; returns 1 when the file is to be removed: nobody uses it, nor did before us. */
const releaseUseScript = `
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if redis.call('HINCRBY', KEYS[1], 'uses', -1) > 0 then return 0 end
if redis.call('HEXISTS', KEYS[1], 'new') == 0 then return redis.call('DEL', KEYS[1]) * 0 end
redis.call('HSET', KEYS[1], 'removing', '1')
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
`

const removalMs = 120_000
const retryMs = 100
const maxTries = 100

export type InputUses = ReturnType<typeof createInputUses>

/**
 * Counts which stored inputs requests use, so that a refused one can take its file away again, and no other's: a file is shared by
 * everybody who sends the same content. `keepMs`: longer than a file is kept.
 */
export function createInputUses({
  redis,
  keys,
  keepMs,
  sleep = setTimeout,
}: {
  redis: Redis
  keys: Keys
  keepMs: number
  sleep?: (ms: number) => Promise<unknown>
}) {
  return {
    /** Before the file is looked for in the store: from now on nobody removes it. */
    async add(hash: string): Promise<void> {
      for (let tries = 0; tries < maxTries; tries += 1) {
        if ((await redis.eval(addUseScript, 1, keys.inputUses(hash), keepMs)) === 1) return
        await sleep(retryMs)
      }
      throw new StorageUnavailable(`Cannot store inputs/${hash}: its removal takes too long`)
    },

    /** The file was not in the store, so all of its uses are counted. */
    async markNew(hash: string): Promise<void> {
      await redis.hset(keys.inputUses(hash), 'new', '1')
    },

    /** Takes a use back; calls `remove` when it was the last one of a file that was new. */
    async release(hash: string, remove: () => Promise<void>): Promise<void> {
      if ((await redis.eval(releaseUseScript, 1, keys.inputUses(hash), removalMs)) !== 1) return
      await remove()
      await redis.del(keys.inputUses(hash))
    },
  }
}
