import { hash, randomBytes } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { Keys } from '../redis/keys.ts'
import { defineScript, loadScript } from '../redis/script.ts'
import { type Account, type Movement, recordFromPairs, toAccount, toMovement } from './account.ts'
import { ledgerRetentionMs, toMicros, toUsd } from './money.ts'
import {
  type AccountOperation,
  fingerprintOperation,
  OperationRefused,
  operationIdOf,
  operationRetentionMs,
} from './operation.ts'

const changeAccountScript = loadScript('accounts/change-account', {
  keys: 'account ledger operation',
  args: 'operationId fingerprint oldestMovement operationKeepMs channel accountId rpm daily balance topUp note',
})
const createAccountScript = loadScript('accounts/create-account', {
  keys: 'account ledger operation accounts keyHashes',
  args: 'operationId fingerprint oldestMovement operationKeepMs channel accountId rpm daily balance keyHash name keyEnding createdAt',
})

/** `null` removes a limit. */
export type AccountLimits = { rpm?: number | null; dailyUsd?: number | null; balanceUsd?: number | null }

/** `topUpUsd` may be negative. It applies to the balance after `balanceUsd`. */
export type AccountChange = AccountLimits & { topUpUsd?: number }

export type Ledger = ReturnType<typeof createLedger>

/** A key has 256 random bits, so an unsalted hash is safe, and can be looked up. */
export function hashKey(key: string): string {
  return hash('sha256', key)
}

/**
 * The accounts in Redis. Every change is published to all processes. Every call rejects with `RedisUnavailable` if Redis is unavailable.
 */
export function createLedger({ redis, keys }: { redis: Redis; keys: Keys }) {
  const changeInRedis = defineScript(redis, 'reelgateChangeAccount', changeAccountScript)
  const createInRedis = defineScript(redis, 'reelgateCreateAccount', createAccountScript)

  async function readAccount(id: string): Promise<Account | undefined> {
    const fields = await redis.hgetall(keys.account(id))
    return fields.createdAt === undefined ? undefined : toAccount(id, fields)
  }

  /** Changes an account atomically. A repeated operation returns the result of the first one. */
  async function changeAccount(
    id: string,
    { topUpUsd, ...limits }: AccountChange,
    operation: AccountOperation = {},
  ): Promise<{ account: Account; replayed: boolean }> {
    const { note = '' } = operation
    const { rpm, dailyUsd, balanceUsd } = limits
    const operationId = operationIdOf(operation)
    const reply = await changeInRedis<string[]>({
      keys: {
        account: keys.account(id),
        ledger: keys.ledger(id),
        operation: keys.operation(hashKey(operationId)),
      },
      args: {
        operationId,
        fingerprint: fingerprintOperation('change', id, rpm, dailyUsd, balanceUsd, topUpUsd, note),
        oldestMovement: Date.now() - ledgerRetentionMs,
        operationKeepMs: operationRetentionMs,
        channel: keys.accountChanges,
        accountId: id,
        ...limitArguments(limits),
        topUp: topUpUsd === undefined ? '' : toMicros(topUpUsd),
        note,
      },
    })
    const [outcome, result = ''] = reply
    if (outcome === 'reused' || outcome === 'absent') throw new OperationRefused({ kind: outcome })
    if (outcome === 'negative')
      throw new OperationRefused({
        kind: outcome,
        balanceUsd: result === '' ? undefined : toUsd(Number(result)),
      })
    return { account: parseAccount(id, result), replayed: outcome === 'replayed' }
  }

  return {
    read: readAccount,
    change: changeAccount,

    async setLimits(id: string, limits: AccountLimits): Promise<void> {
      await changeAccount(id, limits)
    },

    async topUp(id: string, usd: number, operation?: AccountOperation): Promise<void> {
      await changeAccount(id, { topUpUsd: usd }, operation)
    },

    /** Only the hash of the key is stored, so a repeated operation is rejected. */
    async createAccount(
      { name, ...limits }: { name: string } & AccountLimits,
      operation: AccountOperation = {},
    ): Promise<{ key: string; account: Account }> {
      const key = `sk-reelgate-${randomBytes(32).toString('base64url')}`
      const id = `key_${randomBytes(8).toString('hex')}`
      const operationId = operationIdOf(operation)
      const now = Date.now()
      const reply = await createInRedis<string[]>({
        keys: {
          account: keys.account(id),
          ledger: keys.ledger(id),
          operation: keys.operation(hashKey(operationId)),
          accounts: keys.accounts,
          keyHashes: keys.keyHashes,
        },
        args: {
          operationId,
          fingerprint: fingerprintOperation('create', name, limits.rpm, limits.dailyUsd, limits.balanceUsd),
          oldestMovement: now - ledgerRetentionMs,
          operationKeepMs: operationRetentionMs,
          channel: keys.accountChanges,
          accountId: id,
          ...limitArguments(limits),
          keyHash: hashKey(key),
          name,
          keyEnding: key.slice(-4),
          createdAt: now,
        },
      })
      const [outcome, result = ''] = reply
      if (outcome === 'reused') throw new OperationRefused({ kind: outcome })
      if (outcome === 'replayed') throw new OperationRefused({ kind: 'created', id: result })
      return { key, account: parseAccount(id, result) }
    },

    async listAccounts(): Promise<Account[]> {
      const ids = await redis.zrange(keys.accounts, 0, '-1')
      const accounts = await Promise.all(ids.map(readAccount))
      return accounts.filter((account) => account !== undefined)
    },

    /** Revokes the key permanently. Its jobs continue. */
    async revokeAccount(id: string): Promise<void> {
      await redis.hsetnx(keys.account(id), 'revokedAt', String(Date.now()))
      await redis.publish(keys.accountChanges, id)
    },

    /** `undefined`: unlimited. */
    async readBalanceUsd(id: string): Promise<number | undefined> {
      const balance = await redis.hget(keys.account(id), 'balance')
      return balance === null ? undefined : toUsd(Number(balance))
    },

    /** The latest movements, newest first. */
    async listMovements(id: string, count: number): Promise<Movement[]> {
      const entries = await redis.xrevrange(keys.ledger(id), '+', '-', 'COUNT', count)
      return entries.map(([entryId, fields]) => toMovement(entryId, fields))
    },
  }
}

/** The limits as script arguments. */
function limitArguments({ rpm, dailyUsd, balanceUsd }: AccountLimits) {
  const toArgument = (value: number | null | undefined) => (value === null ? 'none' : (value ?? ''))
  const toMicrosArgument = (usd: number | null | undefined) => (typeof usd === 'number' ? toMicros(usd) : usd)
  return {
    rpm: toArgument(rpm),
    daily: toArgument(toMicrosArgument(dailyUsd)),
    balance: toArgument(toMicrosArgument(balanceUsd)),
  }
}

function parseAccount(id: string, json: string): Account {
  return toAccount(id, recordFromPairs(JSON.parse(json) as string[]))
}
