import type { Redis } from 'ioredis'
import { anonymousCaller } from '../../accounts/access.ts'
import type { Keys } from '../../redis/keys.ts'
import { loadScript, runScript } from '../../redis/script.ts'
import { formatMegabytes } from './media-limits.ts'

/** Thrown when a key stores too much already. The message is for the client. */
export class QuotaExceeded extends Error {
  override name = 'QuotaExceeded'
}

const reserveQuotaScript = loadScript('media/reserve-quota', {
  keys: 'files total',
  args: 'now expiresAt bytes name quotaBytes keysTtlMs',
})
const releaseQuotaScript = loadScript('media/release-quota', { keys: 'files total', args: 'bytes name' })

type Options = { redis: Redis; keys: Keys; quotaBytes: number }

/** A file that counts: its content by `name` counts once, until `forMs` are over. */
export type QuotaEntry = { owner: string; name: string; bytes: number }

/** The two keys of an owner outlive every file in them. */
const keysTtlMs = 400 * 86_400_000

export type Quota = ReturnType<typeof createQuota>

/** How much a key may store: what it sent with its jobs lately, and its library. Anonymous callers share no limit. */
export function createQuota({ redis, keys, quotaBytes }: Options) {
  const keysOf = (owner: string) => ({ files: keys.storedFiles(owner), total: keys.storedBytes(owner) })

  return {
    /** Counts a file before it is stored; false: it was counted already. Throws `QuotaExceeded`. */
    async reserve({ owner, name, bytes }: QuotaEntry, keepMs: number): Promise<boolean> {
      if (owner === anonymousCaller.owner) return false
      const now = Date.now()
      const reply = await runScript(redis, reserveQuotaScript, {
        keys: keysOf(owner),
        args: { now, expiresAt: now + keepMs, bytes, name, quotaBytes, keysTtlMs },
      })
      const [status, total] = reply as [number, number]
      if (status !== 0) return status === 1
      throw new QuotaExceeded(
        `The storage quota of this key is ${formatMegabytes(quotaBytes)}; ${formatMegabytes(total)} are used, and the file has ${formatMegabytes(bytes)}. Delete files of the library, or wait: inputs of jobs are kept for two days`,
      )
    },

    async release({ owner, name, bytes }: QuotaEntry): Promise<void> {
      await runScript(redis, releaseQuotaScript, { keys: keysOf(owner), args: { bytes, name } })
    },
  }
}
