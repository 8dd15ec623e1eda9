import type { Redis } from 'ioredis'
import { answered, Refused } from '../jobs/engine.ts'
import type { Keys } from '../redis/keys.ts'
import { dayOf, toMicros, toUsd } from './money.ts'

/**
 * Reads whether an account may have a job of this price, before anything is stored for it. Throws `Refused` when it may not. It only
 * spares work: the script that accepts the job decides. Without a price: whether the account may have any job.
 */
export function createAccountCheck({ redis, keys }: { redis: Redis; keys: Keys }) {
  return async (owner: string, costUsd?: number): Promise<void> => {
    const [account, committed] = await answered(
      Promise.all([
        redis.hmget(keys.account(owner), 'balance', 'daily', 'revokedAt'),
        redis.hget(keys.usage(owner, dayOf(Date.now())), 'committed'),
      ]),
    )
    const [balance, daily, revokedAt] = account.map((value) => value ?? undefined)
    const price = costUsd === undefined ? 1 : toMicros(costUsd)
    if (revokedAt !== undefined) throw new Refused({ kind: 'revoked' }, 0)
    if (price === 0) return
    if (daily !== undefined && Number(committed ?? 0) + price > Number(daily))
      throw new Refused({ kind: 'daily', limitUsd: toUsd(Number(daily)) }, costUsd ?? 0)
    if (balance !== undefined && Number(balance) < price)
      throw new Refused({ kind: 'balance', leftUsd: toUsd(Number(balance)) }, costUsd ?? 0)
  }
}
