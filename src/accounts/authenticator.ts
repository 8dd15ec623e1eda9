import type { Redis } from 'ioredis'
import { LRUCache } from 'lru-cache'
import type { Keys } from '../redis/keys.ts'
import { type AccessMode, type Authenticator, anonymousCaller, type Caller } from './access.ts'
import type { KeyMarker } from './key-marker.ts'
import { hashKey } from './ledger.ts'

const cacheMs = 30_000
/** Guessed keys must not fill the memory. */
const maxCachedKeys = 10_000

type AuthenticatorOptions = {
  redis: Redis
  /** A connection of its own: it listens for nothing but changes. */
  subscriber: Redis
  keys: Keys
  keyMarker: Pick<KeyMarker, 'isSet' | 'set'>
  /** Whether everybody may come in as long as no key has ever been made. */
  allowAnonymous: boolean
}

/** `undefined`: revoked, or nobody's. */
type CachedCaller = { caller: Caller | undefined }

/**
 * Knows callers by their keys. What is known is remembered for a while and forgotten as soon as any process changes an account. A key
 * is looked up by its hash, so the time that takes tells nothing about how much of a guess was right.
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
  // Whatever was told while the connection was away is lost.
  subscriber.on('ready', () => {
    clearCaches()
    setMarkerIfKeysExist()
  })
  await subscriber.subscribe(keys.accountChanges)

  /** Sets the marker now: no request may come between the first key and the loss of Redis. */
  function setMarkerIfKeysExist(): void {
    if (!keyMarker.isSet()) hasKeys(redis, keys, keyMarker).catch(() => undefined)
  }

  async function lookUpCaller(hash: string): Promise<Caller | undefined> {
    const countBefore = clearCount
    const caller = await readCaller(hash)
    // A reply that was on its way while an account changed may be outdated.
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
    // Asked after Redis: the marker may have been set meanwhile.
    if (keyMarker.isSet()) return 'lost'
    return allowAnonymous ? 'anonymous' : 'locked'
  }

  /** `undefined`: that has to be read. */
  function freshCachedAccess(): AccessMode | undefined {
    const isFresh = cachedAccess !== undefined && cachedAccess.until > Date.now()
    return isFresh && cachedAccess !== undefined ? cachedAccess.access : undefined
  }

  /** Whether no request passes without a key; `undefined`: that has to be read. */
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

/** Revoked ones count: a door that was once locked does not open by itself. Sets the marker where there are any. */
export async function hasKeys(redis: Redis, keys: Keys, marker: Pick<KeyMarker, 'set'>): Promise<boolean> {
  const keysExist = (await redis.hlen(keys.keyHashes)) > 0
  if (keysExist) await marker.set()
  return keysExist
}
