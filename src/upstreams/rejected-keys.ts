import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { Fault } from '../../providers/faults.ts'
import type { EndpointMapping, Provider, ProviderName } from '../../providers/provider.ts'
import type { ProviderConfig } from '../config/provider-settings.ts'
import type { Keys } from '../redis/keys.ts'
import { loadScript, runScript } from '../redis/script.ts'
import { shorten } from '../text/text-limits.ts'

/** Every process knows of a change this soon. */
const refreshMs = 1000
/** An entry that nobody has renewed for so long says nothing any more. */
const keepMs = 30 * 86_400_000
/** Of the upstream's own words. */
const reasonMaxCharacters = 300

const rejectKeyScript = loadScript('upstreams/reject-key', {
  keys: 'entry',
  args: 'code reason since retryAt keepMs',
})
const claimRetryScript = loadScript('upstreams/claim-retry', { keys: 'entry', args: 'now retryAt' })
const releaseRetryScript = loadScript('upstreams/release-retry', { keys: 'entry', args: 'retryAt' })

type KeyFaultCode = 'bad_credentials' | 'no_credit'

/** An upstream that rejects the key that this process has for it. Times are unix ms. */
export type RejectedKey = {
  provider: ProviderName
  title: string
  /** The variables that hold the key. */
  variables: readonly string[]
  code: KeyFaultCode
  /** The upstream's own words, for the operator. */
  reason: string
  since: number
  retryAt: number
}

type Upstream = { provider: Provider; mapping: Pick<EndpointMapping, 'host'> }
type KeyEntry = Pick<RejectedKey, 'provider' | 'title' | 'variables'> & { id: string; key: string }

type Options = {
  redis: Redis
  keys: Pick<Keys, 'rejectedKey'>
  providers: readonly Provider[]
  upstreams: Readonly<Record<ProviderName, ProviderConfig>>
  /** How long a rejected key is left alone before one job tries it again. */
  retryMs: number
  logger: Pick<Logger, 'error' | 'info'>
  now?: () => number
}

export type RejectedKeys = ReturnType<typeof createRejectedKeys>

/**
 * Which upstreams reject their key (401, 403) or have no credit (402): known to all processes through Redis. They are left alone until a retry is due,
 * which one job makes. A key is known by a hash, so that another one is tried at once. What Redis does not answer changes nothing.
 */
export function createRejectedKeys(options: Options) {
  const { redis, keys, providers, upstreams, retryMs, logger, now = Date.now } = options
  const entries = new Map(
    providers.flatMap((provider) =>
      Object.keys(provider.hosts).flatMap((host) => {
        const entry = entryOf(provider, host)
        return entry === undefined ? [] : [[entry.id, entry] as const]
      }),
    ),
  )
  let cachedKeys = new Map<string, RejectedKey>()
  let readAt = Number.NEGATIVE_INFINITY
  let refreshing: Promise<void> | undefined

  function entryOf({ name, title, hosts }: Provider, host: string): KeyEntry | undefined {
    const variables = hosts[host]?.credentials ?? []
    const values = variables.map((variable) => upstreams[name].credentials[variable])
    if (values.includes(undefined)) return undefined
    // Hosts that share a key share its fate.
    const id = `${name} ${variables.join(' ')}`
    const fingerprint = createHash('sha256')
      .update(JSON.stringify([id, values]))
      .digest('hex')
      .slice(0, 16)
    return { id, provider: name, title, variables, key: keys.rejectedKey(name, fingerprint) }
  }

  function findEntry({ provider, mapping }: Upstream): KeyEntry | undefined {
    const host = mapping.host ?? Object.keys(provider.hosts)[0] ?? ''
    return entries.get(`${provider.name} ${(provider.hosts[host]?.credentials ?? []).join(' ')}`)
  }

  async function readAll(): Promise<void> {
    const readEntries = await Promise.all(
      [...entries.values()].map(async ({ id, key, ...upstream }) => {
        const [code, reason, since, retryAt] = await redis.hmget(key, 'code', 'reason', 'since', 'retryAt')
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

  async function claimDueRetry(entry: KeyEntry): Promise<boolean> {
    const nextRetry = now() + retryMs
    const claimed = await runScript(redis, claimRetryScript, {
      keys: { entry: entry.key },
      args: { now: now(), retryAt: nextRetry },
    })
    const rejectedKey = cachedKeys.get(entry.id)
    if (rejectedKey !== undefined) cachedKeys.set(entry.id, { ...rejectedKey, retryAt: nextRetry })
    return claimed === 1
  }

  return {
    /** Every key of this process that is rejected. */
    async list(): Promise<readonly RejectedKey[]> {
      await refresh()
      return [...cachedKeys.values()]
    },

    /** What is known of the key that an upstream is called with; `undefined`: it is not rejected. */
    async find(upstream: Upstream): Promise<RejectedKey | undefined> {
      await refresh()
      const entry = findEntry(upstream)
      return entry === undefined ? undefined : cachedKeys.get(entry.id)
    },

    /** Whether this job may try a rejected key now. Of all jobs, one may each time. */
    async claimRetry(upstream: Upstream): Promise<boolean> {
      const entry = findEntry(upstream)
      return entry === undefined || (await claimDueRetry(entry).catch(() => false))
    },

    /** The retry that was claimed is not made. */
    async releaseRetry(upstream: Upstream): Promise<void> {
      const entry = findEntry(upstream)
      if (entry !== undefined)
        await runScript(redis, releaseRetryScript, {
          keys: { entry: entry.key },
          args: { retryAt: now() },
        }).catch(() => undefined)
      readAt = Number.NEGATIVE_INFINITY
    },

    /** The upstream has rejected a call for its key; other faults change nothing. */
    async reportFault(upstream: Upstream, { code, message }: Fault): Promise<void> {
      const entry = findEntry(upstream)
      if (entry === undefined || (code !== 'bad_credentials' && code !== 'no_credit')) return
      const { id, key, ...keyFacts } = entry
      const reason = shorten(message, reasonMaxCharacters)
      const since = cachedKeys.get(id)?.since ?? now()
      const retryAt = now() + retryMs
      cachedKeys.set(id, { ...keyFacts, code, reason, since, retryAt })
      const isNew = await runScript(redis, rejectKeyScript, {
        keys: { entry: key },
        args: { code, reason, since, retryAt, keepMs },
      }).catch(() => undefined)
      if (isNew !== 1) return
      const { provider, variables } = keyFacts
      logger.error(
        { provider, code, reason, variables, retryAt: new Date(retryAt).toISOString() },
        'Upstream rejects its key: new jobs go to other upstreams',
      )
    },

    /** The upstream has accepted a job. */
    async reportSuccess(upstream: Upstream): Promise<void> {
      const entry = findEntry(upstream)
      if (entry === undefined || !cachedKeys.delete(entry.id)) return
      const removed = await redis.del(entry.key).catch(() => 0)
      if (removed === 1) logger.info({ provider: entry.provider }, 'Upstream accepts its key again')
    },
  }
}

const codeTexts: Readonly<Record<KeyFaultCode, string>> = {
  bad_credentials: 'is rejected',
  no_credit: 'has no credit',
}

/** One line for whoever asks whether the gateway is ready: no word of the upstream, and no secret. */
export function describeRejectedKey({ title, variables, code, since, retryAt }: RejectedKey): string {
  const times = `since ${new Date(since).toISOString()}, next try at ${new Date(retryAt).toISOString()}`
  return `${title}: ${variables.join(' and ')} ${codeTexts[code]} (${times})`
}
