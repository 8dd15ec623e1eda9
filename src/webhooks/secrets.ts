import { randomBytes } from 'node:crypto'
import type { Redis } from 'ioredis'
import { operationRetentionMs } from '../accounts/account-scripts.ts'
import { hashKey } from '../accounts/ledger.ts'
import type { Keys } from '../redis/keys.ts'

/** How long the secret before a rotation still signs beside the new one. */
const previousSecretMs = 86_400_000

/**
 * KEYS secret, operation. ARGV new secret, until when the old one signs, whether the operation is to be remembered, keep ms. The same command
 * received twice rotates once, and so does a repeated operation. Returns the current secret.
 */
const rotateSecretScript = `
local old = redis.call('HGET', KEYS[1], 'current')
if old == ARGV[1] or (old and redis.call('EXISTS', KEYS[2]) == 1) then return old end
redis.call('HSET', KEYS[1], 'current', ARGV[1])
if old then redis.call('HSET', KEYS[1], 'previous', old, 'until', ARGV[2]) end
if ARGV[3] == '1' then redis.call('SET', KEYS[2], '1', 'PX', ARGV[4]) end
return ARGV[1]
`

/** The secrets with which webhooks are signed: one an owner, made when it is first asked for. */
export function createWebhookSecrets({ redis, keys }: { redis: Redis; keys: Keys }) {
  async function readCurrent(owner: string): Promise<string> {
    const key = keys.webhookSecret(owner)
    const stored = await redis.hget(key, 'current')
    if (stored !== null) return stored
    await redis.hsetnx(key, 'current', generateSecret())
    return (await redis.hget(key, 'current')) ?? ''
  }

  return {
    current: readCurrent,

    /** A repeated operation returns the current secret. */
    async rotateSecret(owner: string, operation?: string): Promise<string> {
      const secret = await redis.eval(
        rotateSecretScript,
        2,
        keys.webhookSecret(owner),
        keys.operation(hashKey(`webhook secret ${owner} ${operation ?? ''}`)),
        generateSecret(),
        String(Date.now() + previousSecretMs),
        operation === undefined ? '0' : '1',
        operationRetentionMs,
      )
      return String(secret)
    },

    /** All that sign now, the current one first. */
    async listValid(owner: string): Promise<readonly string[]> {
      const [stored, previous, previousUntil] = await redis.hmget(
        keys.webhookSecret(owner),
        'current',
        'previous',
        'until',
      )
      const current = stored ?? (await readCurrent(owner))
      return previous && Number(previousUntil) > Date.now() ? [current, previous] : [current]
    },
  }
}

export type WebhookSecrets = ReturnType<typeof createWebhookSecrets>

function generateSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`
}
