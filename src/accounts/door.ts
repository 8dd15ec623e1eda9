import type { Redis } from 'ioredis'
import { Unavailable } from '../engine/engine.ts'
import type { Keys } from '../engine/keys.ts'
import { hashOf } from './book.ts'
import { type Accounts, anonymous, type Caller } from './open.ts'

const rememberMs = 30_000
/** Guessed keys must not fill the memory. */
const mostRemembered = 10_000

type Parts = {
  redis: Redis
  /** A connection of its own: it listens for nothing but changes. */
  subscriber: Redis
  keys: Keys
  /** Whether everybody may come in as long as no key has ever been made. */
  openWithoutKeys: boolean
}

/** `undefined`: revoked, or nobody's. */
type Found = { caller: Caller | undefined; until: number }

/**
 * Knows callers by their keys. What is known is remembered for a while and forgotten as soon as any process changes an account. A key
 * is looked up by its hash, so the time that takes tells nothing about how much of a guess was right.
 */
export async function createDoor({ redis, subscriber, keys, openWithoutKeys }: Parts): Promise<Accounts> {
  let known = new Map<string, Found>()
  let locked: { is: boolean; until: number } | undefined

  const forget = () => {
    known = new Map()
    locked = undefined
  }
  subscriber.on('message', (channel: string) => {
    if (channel === keys.accountChanges) forget()
  })
  // Whatever was told while the connection was away is lost.
  subscriber.on('ready', forget)
  await subscriber.subscribe(keys.accountChanges)

  async function find(hash: string): Promise<Caller | undefined> {
    const here = known
    const caller = await read(hash)
    if (here.size >= mostRemembered) here.clear()
    // An answer that was on its way while something changed goes into the forgotten map.
    here.set(hash, { caller, until: Date.now() + rememberMs })
    return caller
  }

  async function read(hash: string): Promise<Caller | undefined> {
    const owner = await redis.hget(keys.keyHashes, hash)
    if (owner === null) return undefined
    const [revokedAt, rpm] = await redis.hmget(keys.account(owner), 'revokedAt', 'rpm')
    if (revokedAt !== null && revokedAt !== undefined) return undefined
    return rpm === null || rpm === undefined ? { owner } : { owner, rpm: Number(rpm) }
  }

  async function lock(): Promise<boolean> {
    const here = known
    const is = await hasKeys(redis, keys)
    if (here === known) locked = { is, until: Date.now() + rememberMs }
    return is
  }

  /** `undefined`: that has to be asked. */
  function isLocked(): boolean | undefined {
    if (!openWithoutKeys) return true
    return locked !== undefined && locked.until > Date.now() ? locked.is : undefined
  }

  async function ask(hash: string | undefined, remembered: Found | undefined): Promise<Caller | undefined> {
    try {
      const caller = hash === undefined || remembered !== undefined ? undefined : await find(hash)
      if (caller !== undefined) return caller
      return (isLocked() ?? (await lock())) ? undefined : anonymous
    } catch (cause) {
      throw new Unavailable('the accounts cannot be read', { cause })
    }
  }

  return {
    identify(key) {
      const hash = key === undefined ? undefined : hashOf(key)
      const found = hash === undefined ? undefined : known.get(hash)
      const remembered = found !== undefined && found.until > Date.now() ? found : undefined
      if (remembered?.caller !== undefined) return remembered.caller
      return hash === undefined && isLocked() === false ? anonymous : ask(hash, remembered)
    },
  }
}

/** Revoked ones count: a door that was once locked does not open by itself. */
export async function hasKeys(redis: Redis, keys: Keys): Promise<boolean> {
  return (await redis.hlen(keys.keyHashes)) > 0
}
