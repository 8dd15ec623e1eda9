import { hash, randomBytes } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { Keys } from '../engine/keys.ts'
import { booksKeptMs, toMicros, toUsd } from './money.ts'
import { fund, resolve } from './scripts.ts'

/** An account has one key. Money in USD; an absent limit or balance is none. */
export type Account = {
  id: string
  name: string
  /** How the key ends. */
  hint: string
  createdAt: number
  revokedAt?: number
  rpm?: number
  dailyUsd?: number
  balanceUsd?: number
  reservedUsd: number
  heldUsd: number
  spentUsd: number
}

/** `null` takes a limit away. */
export type Limits = { rpm?: number | null; dailyUsd?: number | null; balanceUsd?: number | null }

/** Of one movement: what it changed, in USD. */
export type Movement = {
  id: string
  at: number
  kind: string
  job?: string
  balanceUsd: number
  reservedUsd: number
  heldUsd: number
  spentUsd: number
}

export type Book = ReturnType<typeof createBook>

/** A key is 256 random bits, which nobody can guess; so a plain hash of it is enough, and can be looked up. */
export function hashOf(key: string): string {
  return hash('sha256', key)
}

/** The accounts in Redis. Every change of who may come in is told to all processes at once. */
export function createBook({ redis, keys }: { redis: Redis; keys: Keys }) {
  const oldest = () => Date.now() - booksKeptMs
  const tell = (id: string) => redis.publish(keys.accountChanges, id)

  async function put(id: string, how: 'add' | 'set' | 'lift', usd = 0): Promise<void> {
    await redis.eval(fund, 2, keys.account(id), keys.ledger(id), how, toMicros(usd), oldest())
  }

  async function read(id: string): Promise<Account | undefined> {
    const found = await redis.hgetall(keys.account(id))
    return found.createdAt === undefined ? undefined : accountOf(id, found)
  }

  async function limit(id: string, { rpm, dailyUsd, balanceUsd }: Limits): Promise<void> {
    const daily = typeof dailyUsd === 'number' ? toMicros(dailyUsd) : dailyUsd
    for (const [field, value] of Object.entries({ rpm, daily })) {
      if (value === null) await redis.hdel(keys.account(id), field)
      else if (value !== undefined) await redis.hset(keys.account(id), field, value)
    }
    if (balanceUsd === null) await put(id, 'lift')
    else if (balanceUsd !== undefined) await put(id, 'set', balanceUsd)
    await tell(id)
  }

  return {
    read,
    limit,

    /** The key is nowhere to be had again. */
    async create({ name, ...limits }: { name: string } & Limits): Promise<{ key: string; account: Account }> {
      const key = `sk-reelgate-${randomBytes(32).toString('base64url')}`
      const id = `key_${randomBytes(8).toString('hex')}`
      const account = { id, name, hint: key.slice(-4), createdAt: Date.now() }
      await redis.hset(keys.account(id), account)
      await limit(id, limits)
      await redis.zadd(keys.accounts, account.createdAt, id)
      await redis.hset(keys.keyHashes, hashOf(key), id)
      await tell(id)
      return { key, account: (await read(id)) ?? { ...account, reservedUsd: 0, heldUsd: 0, spentUsd: 0 } }
    },

    async list(): Promise<Account[]> {
      const ids = await redis.zrange(keys.accounts, 0, '-1')
      const found = await Promise.all(ids.map(read))
      return found.filter((account) => account !== undefined)
    },

    /** For good: its jobs go on, and nobody comes in with it any more. */
    async revoke(id: string): Promise<void> {
      await redis.hsetnx(keys.account(id), 'revokedAt', String(Date.now()))
      await tell(id)
    },

    topUp: (id: string, usd: number) => put(id, 'add', usd),

    /** Absent: it is not limited. */
    async balanceUsd(id: string): Promise<number | undefined> {
      const found = await redis.hget(keys.account(id), 'balance')
      return found === null ? undefined : toUsd(Number(found))
    },

    /** What is held for jobs of which nobody knows whether they were paid for. */
    async held(id: string): Promise<{ job: string; usd: number }[]> {
      const found = await redis.hgetall(keys.held(id))
      return Object.entries(found).map(([job, entry]) => ({ job, usd: toUsd(Number(entry.split(' ')[0])) }))
    },

    /** Decides on what is held for a job; false: nothing is. */
    async resolve(id: string, job: string, how: 'charge' | 'release'): Promise<boolean> {
      const [, , usage = ''] = (await redis.hget(keys.held(id), job))?.split(' ') ?? []
      const purses = [keys.account(id), keys.ledger(id), keys.held(id), usage]
      return (await redis.eval(resolve, 4, ...purses, job, how, String(oldest()), booksKeptMs)) === 1
    },

    /** The latest movements, newest first. */
    async ledger(id: string, count: number): Promise<Movement[]> {
      const entries = await redis.xrevrange(keys.ledger(id), '+', '-', 'COUNT', count)
      return entries.map(([entry, fields]) => movementOf(entry, fields))
    },
  }
}

function accountOf(id: string, found: Readonly<Record<string, string>>): Account {
  const { name = '', hint = '', createdAt, revokedAt, rpm, daily, balance } = found
  const usd = (micros: string | undefined) => toUsd(Number(micros ?? 0))
  return {
    id,
    name,
    hint,
    createdAt: Number(createdAt),
    ...(revokedAt !== undefined && { revokedAt: Number(revokedAt) }),
    ...(rpm !== undefined && { rpm: Number(rpm) }),
    ...(daily !== undefined && { dailyUsd: usd(daily) }),
    ...(balance !== undefined && { balanceUsd: usd(balance) }),
    reservedUsd: usd(found.reserved),
    heldUsd: usd(found.held),
    spentUsd: usd(found.spent),
  }
}

function movementOf(id: string, fields: readonly string[]): Movement {
  const named = new Map<string, string>()
  for (let at = 0; at < fields.length; at += 2) named.set(fields[at] ?? '', fields[at + 1] ?? '')
  const usd = (purse: string) => toUsd(Number(named.get(purse) ?? 0))
  const job = named.get('job') ?? ''
  return {
    id,
    at: Number(id.split('-')[0]),
    kind: named.get('kind') ?? '',
    ...(job !== '' && { job }),
    balanceUsd: usd('balance'),
    reservedUsd: usd('reserved'),
    heldUsd: usd('held'),
    spentUsd: usd('spent'),
  }
}
