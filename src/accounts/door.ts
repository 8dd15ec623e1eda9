import type { Redis } from 'ioredis'
import { LRUCache } from 'lru-cache'
import { Unavailable } from '../jobs/engine.ts'
import type { Keys } from '../redis/keys.ts'
import { hashOf } from './book.ts'
import type { KeyMarker } from './key-marker.ts'
import { type Access, type Accounts, anonymous, type Caller } from './open.ts'

const rememberMs = 30_000
/** Guessed keys must not fill the memory. */
const mostRemembered = 10_000

type Parts = {
  redis: Redis
  /** A connection of its own: it listens for nothing but changes. */
  subscriber: Redis
  keys: Keys
  marker: Pick<KeyMarker, 'isSet' | 'set'>
  /** Whether everybody may come in as long as no key has ever been made. */
  openWithoutKeys: boolean
}

/** `undefined`: revoked, or nobody's. */
type Found = { caller: Caller | undefined }

/**
 * Knows callers by their keys. What is known is remembered for a while and forgotten as soon as any process changes an account. A key
 * is looked up by its hash, so the time that takes tells nothing about how much of a guess was right.
 */
export async function createDoor({
  redis,
  subscriber,
  keys,
  marker,
  openWithoutKeys,
}: Parts): Promise<Accounts> {
  const known = new LRUCache<string, Found>({
    max: mostRemembered,
    ttl: rememberMs,
    ttlResolution: 0,
    perf: Date,
  })
  let changes = 0
  let remembered: { access: Access; until: number } | undefined

  const forget = () => {
    changes += 1
    known.clear()
    remembered = undefined
  }
  subscriber.on('message', (channel: string) => {
    if (channel !== keys.accountChanges) return
    forget()
    noteKeys()
  })
  // Whatever was told while the connection was away is lost.
  subscriber.on('ready', () => {
    forget()
    noteKeys()
  })
  await subscriber.subscribe(keys.accountChanges)

  /** Sets the marker now: no request may come between the first key and the loss of Redis. */
  function noteKeys(): void {
    if (!marker.isSet()) hasKeys(redis, keys, marker).catch(() => undefined)
  }

  async function find(hash: string): Promise<Caller | undefined> {
    const changesBefore = changes
    const caller = await read(hash)
    // A reply that was on its way while an account changed may be outdated.
    if (changesBefore === changes) known.set(hash, { caller })
    return caller
  }

  async function read(hash: string): Promise<Caller | undefined> {
    const owner = await redis.hget(keys.keyHashes, hash)
    if (owner === null) return undefined
    const [revokedAt, rpm] = await redis.hmget(keys.account(owner), 'revokedAt', 'rpm')
    if (revokedAt !== null && revokedAt !== undefined) return undefined
    return rpm === null || rpm === undefined ? { owner } : { owner, rpm: Number(rpm) }
  }

  async function readAccess(): Promise<Access> {
    const changesBefore = changes
    const access = await accessNow()
    if (changesBefore === changes) remembered = { access, until: Date.now() + rememberMs }
    return access
  }

  async function accessNow(): Promise<Access> {
    if (await hasKeys(redis, keys, marker)) return 'keys'
    // Asked after Redis: the marker may have been set meanwhile.
    if (marker.isSet()) return 'lost'
    return openWithoutKeys ? 'anonymous' : 'locked'
  }

  /** `undefined`: that has to be read. */
  function rememberedAccess(): Access | undefined {
    const isFresh = remembered !== undefined && remembered.until > Date.now()
    return isFresh && remembered !== undefined ? remembered.access : undefined
  }

  /** Whether no request passes without a key; `undefined`: that has to be read. */
  function isLocked(): boolean | undefined {
    if (!openWithoutKeys || marker.isSet()) return true
    const access = rememberedAccess()
    return access === undefined ? undefined : access !== 'anonymous'
  }

  async function ask(hash: string | undefined, found: Found | undefined): Promise<Caller | undefined> {
    try {
      const caller = hash === undefined || found !== undefined ? undefined : await find(hash)
      if (caller !== undefined) return caller
      return (isLocked() ?? (await readAccess()) !== 'anonymous') ? undefined : anonymous
    } catch (cause) {
      throw new Unavailable('the accounts cannot be read', { cause })
    }
  }

  return {
    identify(key) {
      const hash = key === undefined ? undefined : hashOf(key)
      const found = hash === undefined ? undefined : known.get(hash)
      if (found?.caller !== undefined) return found.caller
      return hash === undefined && isLocked() === false ? anonymous : ask(hash, found)
    },

    access() {
      return (
        rememberedAccess() ??
        readAccess().catch((cause: unknown) => {
          if (isLocked()) return 'keys'
          throw new Unavailable('the accounts cannot be read', { cause })
        })
      )
    },
  }
}

/** Revoked ones count: a door that was once locked does not open by itself. Sets the marker where there are any. */
export async function hasKeys(redis: Redis, keys: Keys, marker: Pick<KeyMarker, 'set'>): Promise<boolean> {
  const exist = (await redis.hlen(keys.keyHashes)) > 0
  if (exist) await marker.set()
  return exist
}
