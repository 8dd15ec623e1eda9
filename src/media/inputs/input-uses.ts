import { setTimeout } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { Keys } from '../../redis/keys.ts'
import { loadScript, runScript } from '../../redis/script.ts'
import { StorageUnavailable } from '../storage/storage-fault.ts'

const addUseScript = loadScript('media/add-input-use', { keys: 'uses', args: 'keepMs' })
const releaseUseScript = loadScript('media/release-input-use', { keys: 'uses', args: 'removalMs' })

const removalMs = 120_000
const retryMs = 100
const maxTries = 100

export type InputUses = ReturnType<typeof createInputUses>

/**
 * Counts the requests that use each stored input, so that a rejected request removes only a file that no other request uses: requests
 * with the same content share a file. `keepMs`: longer than a file is kept.
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
        const reply = await runScript(redis, addUseScript, {
          keys: { uses: keys.inputUses(hash) },
          args: { keepMs },
        })
        if (reply === 1) return
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
      const reply = await runScript(redis, releaseUseScript, {
        keys: { uses: keys.inputUses(hash) },
        args: { removalMs },
      })
      if (reply !== 1) return
      await remove()
      await redis.del(keys.inputUses(hash))
    },
  }
}
