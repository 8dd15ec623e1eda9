import type { Redis } from 'ioredis'
import type { Keys } from '../redis/keys.ts'
import { toMicros, toUsd, utcDayOf } from './money.ts'

/** Why an account may not create a job. `reused`: its idempotency key was sent with a different request before. */
export type JobRefusal =
  | { kind: 'reused' }
  | { kind: 'revoked' }
  | { kind: 'balance'; remainingUsd: number }
  | { kind: 'daily'; limitUsd: number }

/** Thrown when the account of a job's owner does not allow the job. Nothing was written. */
export class JobRefused extends Error {
  override name = 'JobRefused'
  readonly reason: JobRefusal
  readonly costUsd: number
  constructor(reason: JobRefusal, costUsd: number) {
    super(`the account does not allow the job: ${reason.kind}`)
    this.reason = reason
    this.costUsd = costUsd
  }
}

/**
 * Checks whether an account may create a job of this price (without a price: any job) before anything is stored for it. Throws `JobRefused` if not.
 * It only saves work: the script that creates the job makes the decision.
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
