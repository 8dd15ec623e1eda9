import { randomBytes } from 'node:crypto'
import type { Redis } from 'ioredis'
import { operationsKeptMs } from '../accounts/account-scripts.ts'
import { hashOf } from '../accounts/book.ts'
import type { Keys } from '../redis/keys.ts'

/** How long the secret before a rotation still signs beside the new one. */
const overlapMs = 86_400_000

/**
 * KEYS secret, operation. ARGV new secret, until when the old one signs, whether the operation is to be remembered, keep ms. The same command
 * received twice rotates once, and so does a repeated operation. Returns the current secret.
 */
const rotate = `
local old = redis.call('HGET', KEYS[1], 'current')
if old == ARGV[1] or (old and redis.call('EXISTS', KEYS[2]) == 1) then return old end
redis.call('HSET', KEYS[1], 'current', ARGV[1])
if old then redis.call('HSET', KEYS[1], 'previous', old, 'until', ARGV[2]) end
if ARGV[3] == '1' then redis.call('SET', KEYS[2], '1', 'PX', ARGV[4]) end
return ARGV[1]
`

/** The secrets with which webhooks are signed: one an owner, made when it is first asked for. */
export function createSecrets({ redis, keys }: { redis: Redis; keys: Keys }) {
  async function current(owner: string): Promise<string> {
    const key = keys.webhookSecret(owner)
    const known = await redis.hget(key, 'current')
    if (known !== null) return known
    await redis.hsetnx(key, 'current', newSecret())
    return (await redis.hget(key, 'current')) ?? ''
  }

  return {
    current,

    /** A repeated operation returns the current secret. */
    async rotate(owner: string, operation?: string): Promise<string> {
      const rotated = await redis.eval(
        rotate,
        2,
        keys.webhookSecret(owner),
        keys.operation(hashOf(`webhook secret ${owner} ${operation ?? ''}`)),
        newSecret(),
        String(Date.now() + overlapMs),
        operation === undefined ? '0' : '1',
        operationsKeptMs,
      )
      return String(rotated)
    },

    /** All that sign now, the current one first. */
    async signing(owner: string): Promise<readonly string[]> {
      const [known, previous, until] = await redis.hmget(
        keys.webhookSecret(owner),
        'current',
        'previous',
        'until',
      )
      const secret = known ?? (await current(owner))
      return previous && Number(until) > Date.now() ? [secret, previous] : [secret]
    },
  }
}

export type Secrets = ReturnType<typeof createSecrets>

function newSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`
}
