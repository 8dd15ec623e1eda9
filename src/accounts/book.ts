import { hash, randomBytes } from 'node:crypto'
import type { Redis } from 'ioredis'
import { answered } from '../jobs/engine.ts'
import type { Keys } from '../redis/keys.ts'
import { type Account, accountOf, type Movement, movementOf, namesAndValues } from './account.ts'
import * as scripts from './account-scripts.ts'
import { booksKeptMs, toMicros, toUsd } from './money.ts'
import { fingerprintOf, idOf, type Operation, OperationRefused } from './operation.ts'

/** `null` takes a limit away. */
export type Limits = { rpm?: number | null; dailyUsd?: number | null; balanceUsd?: number | null }

/** `topUpUsd` may be negative. It applies to the balance after `balanceUsd`. */
export type AccountChange = Limits & { topUpUsd?: number }

export type Book = ReturnType<typeof createBook>

/** A key is 256 random bits, which nobody can guess; so a plain hash of it is enough, and can be looked up. */
export function hashOf(key: string): string {
  return hash('sha256', key)
}

/**
 * The accounts in Redis. Every change is published to all processes at once. Every call rejects with `Unavailable` when Redis
 * does not answer.
 */
export function createBook({ redis, keys }: { redis: Redis; keys: Keys }) {
  redis.defineCommand('reelgateChangeAccount', { lua: scripts.change, numberOfKeys: 3 })
  redis.defineCommand('reelgateCreateAccount', { lua: scripts.create, numberOfKeys: 5 })
  const commands = redis as unknown as Record<
    'reelgateChangeAccount' | 'reelgateCreateAccount',
    (...args: (string | number)[]) => Promise<string[]>
  >

  async function read(id: string): Promise<Account | undefined> {
    const found = await answered(redis.hgetall(keys.account(id)))
    return found.createdAt === undefined ? undefined : accountOf(id, found)
  }

  /** Changes an account, all of it or nothing. A repeated operation returns what the first one returned. */
  async function change(
    id: string,
    { topUpUsd, ...limits }: AccountChange,
    operation: Operation = {},
  ): Promise<{ account: Account; replayed: boolean }> {
    const { note = '' } = operation
    const { rpm, dailyUsd, balanceUsd } = limits
    const operationId = idOf(operation)
    const changing = commands.reelgateChangeAccount(
      keys.account(id),
      keys.ledger(id),
      keys.operation(hashOf(operationId)),
      operationId,
      fingerprintOf('change', id, rpm, dailyUsd, balanceUsd, topUpUsd, note),
      Date.now() - booksKeptMs,
      keys.accountChanges,
      id,
      ...argumentsOf(limits),
      topUpUsd === undefined ? '' : toMicros(topUpUsd),
      note,
    )
    const [kind, result = ''] = await answered(changing)
    if (kind === 'reused' || kind === 'absent') throw new OperationRefused({ kind })
    if (kind === 'negative')
      throw new OperationRefused({
        kind,
        balanceUsd: result === '' ? undefined : toUsd(Number(result)),
      })
    return { account: readAccount(id, result), replayed: kind === 'replayed' }
  }

  return {
    read,
    change,

    async limit(id: string, limits: Limits): Promise<void> {
      await change(id, limits)
    },

    async topUp(id: string, usd: number, operation?: Operation): Promise<void> {
      await change(id, { topUpUsd: usd }, operation)
    },

    /** The key is nowhere to be had again: a repeated operation is refused. */
    async create(
      { name, ...limits }: { name: string } & Limits,
      operation: Operation = {},
    ): Promise<{ key: string; account: Account }> {
      const key = `sk-reelgate-${randomBytes(32).toString('base64url')}`
      const id = `key_${randomBytes(8).toString('hex')}`
      const operationId = idOf(operation)
      const now = Date.now()
      const creating = commands.reelgateCreateAccount(
        keys.account(id),
        keys.ledger(id),
        keys.operation(hashOf(operationId)),
        keys.accounts,
        keys.keyHashes,
        operationId,
        fingerprintOf('create', name, limits.rpm, limits.dailyUsd, limits.balanceUsd),
        now - booksKeptMs,
        keys.accountChanges,
        id,
        ...argumentsOf(limits),
        hashOf(key),
        name,
        key.slice(-4),
        now,
      )
      const [kind, result = ''] = await answered(creating)
      if (kind === 'reused') throw new OperationRefused({ kind })
      if (kind === 'replayed') throw new OperationRefused({ kind: 'created', id: result })
      return { key, account: readAccount(id, result) }
    },

    async list(): Promise<Account[]> {
      const ids = await answered(redis.zrange(keys.accounts, 0, '-1'))
      const found = await Promise.all(ids.map(read))
      return found.filter((account) => account !== undefined)
    },

    /** For good: its jobs go on, and nobody comes in with it any more. */
    async revoke(id: string): Promise<void> {
      await answered(redis.hsetnx(keys.account(id), 'revokedAt', String(Date.now())))
      await answered(redis.publish(keys.accountChanges, id))
    },

    /** Absent: it is not limited. */
    async balanceUsd(id: string): Promise<number | undefined> {
      const found = await answered(redis.hget(keys.account(id), 'balance'))
      return found === null ? undefined : toUsd(Number(found))
    },

    /** The latest movements, newest first. */
    async ledger(id: string, count: number): Promise<Movement[]> {
      const entries = await answered(redis.xrevrange(keys.ledger(id), '+', '-', 'COUNT', count))
      return entries.map(([entry, fields]) => movementOf(entry, fields))
    },
  }
}

/** Limits as the scripts read them. */
function argumentsOf({ rpm, dailyUsd, balanceUsd }: Limits): (string | number)[] {
  const argument = (value: number | null | undefined) => (value === null ? 'none' : (value ?? ''))
  const micros = (usd: number | null | undefined) => (typeof usd === 'number' ? toMicros(usd) : usd)
  return [argument(rpm), argument(micros(dailyUsd)), argument(micros(balanceUsd))]
}

function readAccount(id: string, json: string): Account {
  return accountOf(id, namesAndValues(JSON.parse(json) as string[]))
}
