import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { Fault } from '../../providers/faults.ts'
import type { Provider, ProviderName } from '../../providers/provider.ts'
import type { ProviderConfig } from '../config/provider-settings.ts'
import type { Keys } from '../redis/keys.ts'
import { loadScript, runScript } from '../redis/script.ts'
import { shorten } from '../text/text-limits.ts'
import { createUpstreamKeys, type KeyedUpstream, type UpstreamKey } from './upstream-keys.ts'

/** Every process sees a change within this time. */
const refreshMs = 1000
/** A rejection that is not reported again expires after this time. */
const keepMs = 30 * 86_400_000
/** Length of the upstream's message. */
const reasonMaxCharacters = 300

const rejectKeyScript = loadScript('upstreams/reject-key', {
  keys: 'entry',
  args: 'code reason since retryAt keepMs',
})
const claimRetryScript = loadScript('upstreams/claim-retry', { keys: 'entry', args: 'now retryAt' })
const releaseRetryScript = loadScript('upstreams/release-retry', { keys: 'entry', args: 'retryAt' })

export type KeyFaultCode = 'bad_credentials' | 'no_credit'

/** A key of this process that its upstream rejects. Times are unix ms. */
export type RejectedKey = {
  provider: ProviderName
  title: string
  /** The settings that hold the key. */
  variables: readonly string[]
  code: KeyFaultCode
  /** The upstream's message, for the operator. */
  reason: string
  since: number
  retryAt: number
}

type Options = {
  redis: Redis
  keys: Pick<Keys, 'rejectedKey'>
  providers: readonly Provider[]
  upstreams: Readonly<Record<ProviderName, ProviderConfig>>
  /** How long a rejected key is not used before one job retries it. */
  retryMs: number
  logger: Pick<Logger, 'error' | 'info'>
  now?: () => number
}

export type RejectedKeys = ReturnType<typeof createRejectedKeys>

/**
 * The keys that upstreams reject (401, 403) or that have no credit (402), shared by all processes through Redis. A rejected key is not used until a
 * retry is due, which one job makes. A rejection belongs to the hash of a key, so a new key is used at once. Errors of Redis change nothing.
 */
export function createRejectedKeys(options: Options) {
  const { redis, retryMs, logger, now = Date.now } = options
  const upstreamKeys = createUpstreamKeys(options)
  let cachedKeys = new Map<string, RejectedKey>()
  let readAt = Number.NEGATIVE_INFINITY
  let refreshing: Promise<void> | undefined

  async function readAll(): Promise<void> {
    const readEntries = await Promise.all(
      upstreamKeys.all.map(async ({ id, redisKey, ...upstream }) => {
        const [code, reason, since, retryAt] = await redis.hmget(
          redisKey,
          'code',
          'reason',
          'since',
          'retryAt',
        )
        if (code === null || code === undefined) return []
        const rejectedKey = {
          ...upstream,
          code: code as KeyFaultCode,
          reason: reason ?? '',
          since: Number(since),
          retryAt: Number(retryAt),
        }
        return [[id, rejectedKey] as const]
      }),
    )
    cachedKeys = new Map(readEntries.flat())
    readAt = performance.now()
  }

  async function refresh(): Promise<void> {
    if (performance.now() - readAt < refreshMs) return
    refreshing ??= readAll()
      .catch(() => undefined)
      .finally(() => {
        refreshing = undefined
      })
    await refreshing
  }

  async function claimDueRetry(upstreamKey: UpstreamKey): Promise<boolean> {
    const nextRetry = now() + retryMs
    const claimed = await runScript(redis, claimRetryScript, {
      keys: { entry: upstreamKey.redisKey },
      args: { now: now(), retryAt: nextRetry },
    })
    const rejectedKey = cachedKeys.get(upstreamKey.id)
    if (rejectedKey !== undefined) cachedKeys.set(upstreamKey.id, { ...rejectedKey, retryAt: nextRetry })
    return claimed === 1
  }

  return {
    /** All rejected keys of this process. */
    async list(): Promise<readonly RejectedKey[]> {
      await refresh()
      return [...cachedKeys.values()]
    },

    /** The rejection of the key with which an upstream is called; `undefined`: it is not rejected. */
    async find(upstream: KeyedUpstream): Promise<RejectedKey | undefined> {
      await refresh()
      const upstreamKey = upstreamKeys.find(upstream)
      return upstreamKey === undefined ? undefined : cachedKeys.get(upstreamKey.id)
    },

    /** Whether this job may retry a rejected key now: true for one job per retry. */
    async claimRetry(upstream: KeyedUpstream): Promise<boolean> {
      const upstreamKey = upstreamKeys.find(upstream)
      return upstreamKey === undefined || (await claimDueRetry(upstreamKey).catch(() => false))
    },

    /** Call if the claimed retry is not made. */
    async releaseRetry(upstream: KeyedUpstream): Promise<void> {
      const upstreamKey = upstreamKeys.find(upstream)
      if (upstreamKey !== undefined)
        await runScript(redis, releaseRetryScript, {
          keys: { entry: upstreamKey.redisKey },
          args: { retryAt: now() },
        }).catch(() => undefined)
      readAt = Number.NEGATIVE_INFINITY
    },

    /** Records that the upstream has rejected its key. Other faults change nothing. */
    async reportFault(upstream: KeyedUpstream, { code, message }: Fault): Promise<void> {
      const upstreamKey = upstreamKeys.find(upstream)
      if (upstreamKey === undefined || (code !== 'bad_credentials' && code !== 'no_credit')) return
      const { id, redisKey, ...keyFields } = upstreamKey
      const reason = shorten(message, reasonMaxCharacters)
      const since = cachedKeys.get(id)?.since ?? now()
      const retryAt = now() + retryMs
      cachedKeys.set(id, { ...keyFields, code, reason, since, retryAt })
      const isNew = await runScript(redis, rejectKeyScript, {
        keys: { entry: redisKey },
        args: { code, reason, since, retryAt, keepMs },
      }).catch(() => undefined)
      if (isNew !== 1) return
      const { provider, variables } = keyFields
      logger.error(
        { provider, code, reason, variables, retryAt: new Date(retryAt).toISOString() },
        'Upstream rejects its key: new jobs go to other upstreams',
      )
    },

    /** Call when the upstream has accepted a job. */
    async reportSuccess(upstream: KeyedUpstream): Promise<void> {
      const upstreamKey = upstreamKeys.find(upstream)
      if (upstreamKey === undefined || !cachedKeys.delete(upstreamKey.id)) return
      const removed = await redis.del(upstreamKey.redisKey).catch(() => 0)
      if (removed === 1) logger.info({ provider: upstreamKey.provider }, 'Upstream accepts its key again')
    },
  }
}
