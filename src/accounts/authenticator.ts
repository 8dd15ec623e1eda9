import type { Redis } from 'ioredis'
import { LRUCache } from 'lru-cache'
import type { Keys } from '../redis/keys.ts'
import { type AccessMode, type Authenticator, anonymousCaller, type Caller } from './access.ts'
import type { KeyMarker } from './key-marker.ts'
import { hashKey } from './ledger.ts'

const cacheMs = 30_000
/** Bounds the memory that guessed keys can take. */
const maxCachedKeys = 10_000

type AuthenticatorOptions = {
  redis: Redis
  /** A dedicated connection, because it subscribes. */
  subscriber: Redis
  keys: Keys
  keyMarker: Pick<KeyMarker, 'isSet' | 'set'>
  /** Whether requests without a key are accepted until the first key exists. */
  allowAnonymous: boolean
}

/** `undefined`: the key is revoked or unknown. */
type CachedCaller = { caller: Caller | undefined }

/**
 * Authenticates callers by API key. Results are cached; the caches are cleared as soon as any process changes an account. A key is looked up by its
 * hash, so the response time does not reveal how much of a guessed key is correct.
 */
export async function createAuthenticator({
  redis,
  subscriber,
  keys,
  keyMarker,
  allowAnonymous,
}: AuthenticatorOptions): Promise<Authenticator> {
  const cache = new LRUCache<string, CachedCaller>({
    max: maxCachedKeys,
    ttl: cacheMs,
    ttlResolution: 0,
    perf: Date,
  })
  /** How often the caches were cleared. */
  let clearCount = 0
  let cachedAccess: { access: AccessMode; until: number } | undefined

  const clearCaches = () => {
    clearCount += 1
    cache.clear()
    cachedAccess = undefined
  }
  subscriber.on('message', (channel: string) => {
    if (channel !== keys.accountChanges) return
    clearCaches()
    setMarkerIfKeysExist()
  })
  // Messages published while the connection was lost are missing.
  subscriber.on('ready', () => {
    clearCaches()
    setMarkerIfKeysExist()
  })
  await subscriber.subscribe(keys.accountChanges)

  /** Sets the marker immediately, so that it exists even if Redis is lost before the next request. */
  function setMarkerIfKeysExist(): void {
    if (!keyMarker.isSet()) hasKeys(redis, keys, keyMarker).catch(() => undefined)
  }

  async function lookUpCaller(hash: string): Promise<Caller | undefined> {
    const countBefore = clearCount
    const caller = await readCaller(hash)
    // The reply may be outdated if an account changed meanwhile.
    if (countBefore === clearCount) cache.set(hash, { caller })
    return caller
  }

  async function readCaller(hash: string): Promise<Caller | undefined> {
    const owner = await redis.hget(keys.keyHashes, hash)
    if (owner === null) return undefined
    const [revokedAt, rpm] = await redis.hmget(keys.account(owner), 'revokedAt', 'rpm')
    if (revokedAt !== null && revokedAt !== undefined) return undefined
    return rpm === null || rpm === undefined ? { owner } : { owner, rpm: Number(rpm) }
  }

  async function readAccess(): Promise<AccessMode> {
    const countBefore = clearCount
    const access = await readCurrentAccess()
    if (countBefore === clearCount) cachedAccess = { access, until: Date.now() + cacheMs }
    return access
  }

  async function readCurrentAccess(): Promise<AccessMode> {
    if (await hasKeys(redis, keys, keyMarker)) return 'keys'
    // Checked after the call to Redis, because the marker may have been set meanwhile.
    if (keyMarker.isSet()) return 'lost'
    return allowAnonymous ? 'anonymous' : 'locked'
  }

  /** `undefined`: Redis must be read. */
  function freshCachedAccess(): AccessMode | undefined {
    const isFresh = cachedAccess !== undefined && cachedAccess.until > Date.now()
    return isFresh && cachedAccess !== undefined ? cachedAccess.access : undefined
  }

  /** Whether every request needs a key; `undefined`: Redis must be read. */
  function isLocked(): boolean | undefined {
    if (!allowAnonymous || keyMarker.isSet()) return true
    const access = freshCachedAccess()
    return access === undefined ? undefined : access !== 'anonymous'
  }

  async function resolveCaller(
    hash: string | undefined,
    cached: CachedCaller | undefined,
  ): Promise<Caller | undefined> {
    const caller = hash === undefined || cached !== undefined ? undefined : await lookUpCaller(hash)
    if (caller !== undefined) return caller
    return (isLocked() ?? (await readAccess()) !== 'anonymous') ? undefined : anonymousCaller
  }

  return {
    identify(key) {
      const hash = key === undefined ? undefined : hashKey(key)
      const cached = hash === undefined ? undefined : cache.get(hash)
      if (cached?.caller !== undefined) return cached.caller
      return hash === undefined && isLocked() === false ? anonymousCaller : resolveCaller(hash, cached)
    },

    readAccessMode() {
      return (
        freshCachedAccess() ??
        readAccess().catch((cause: unknown) => {
          if (isLocked()) return 'keys'
          throw cause
        })
      )
    },
  }
}

/** Whether any key exists. Revoked keys count, so revoking all of them does not disable authentication. Sets the marker if there are keys. */
export async function hasKeys(redis: Redis, keys: Keys, marker: Pick<KeyMarker, 'set'>): Promise<boolean> {
  const keysExist = (await redis.hlen(keys.keyHashes)) > 0
  if (keysExist) await marker.set()
  return keysExist
}
