import type { Redis } from 'ioredis'
import { JobRefused } from '../jobs/engine.ts'
import type { Keys } from '../redis/keys.ts'
import { toMicros, toUsd, utcDayOf } from './money.ts'

/**
 * Reads whether an account may have a job of this price, before anything is stored for it. Throws `Refused` when it may not. It only
 * spares work: the script that accepts the job decides. Without a price: whether the account may have any job.
 */
export function createAccountCheck({ redis, keys }: { redis: Redis; keys: Keys }) {
  return async (owner: string, costUsd?: number): Promise<void> => {
    const [account, committed] = await Promise.all([
      redis.hmget(keys.account(owner), 'balance', 'daily', 'revokedAt'),
      redis.hget(keys.usage(owner, utcDayOf(Date.now())), 'committed'),
    ])
    const [balance, daily, revokedAt] = account.map((value) => value ?? undefined)
    const priceMicros = costUsd === undefined ? 1 : toMicros(costUsd)
    if (revokedAt !== undefined) throw new JobRefused({ kind: 'revoked' }, 0)
    if (priceMicros === 0) return
    if (daily !== undefined && Number(committed ?? 0) + priceMicros > Number(daily))
      throw new JobRefused({ kind: 'daily', limitUsd: toUsd(Number(daily)) }, costUsd ?? 0)
    if (balance !== undefined && Number(balance) < priceMicros)
      throw new JobRefused({ kind: 'balance', remainingUsd: toUsd(Number(balance)) }, costUsd ?? 0)
  }
}
