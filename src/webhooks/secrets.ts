import { randomBytes } from 'node:crypto'
import type { Redis } from 'ioredis'
import { hashKey } from '../accounts/ledger.ts'
import { operationRetentionMs } from '../accounts/operation.ts'
import type { Keys } from '../redis/keys.ts'
import { loadScript, runScript } from '../redis/script.ts'

/** How long the previous secret stays valid after a rotation. */
const previousSecretMs = 86_400_000

const rotateSecretScript = loadScript('webhooks/rotate-secret', {
  keys: 'secret operation',
  args: 'newSecret previousUntil rememberOperation operationKeepMs',
})

/** The signing secrets of webhooks: one per owner, created at the first read. */
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
      const secret = await runScript(redis, rotateSecretScript, {
        keys: {
          secret: keys.webhookSecret(owner),
          operation: keys.operation(hashKey(`webhook secret ${owner} ${operation ?? ''}`)),
        },
        args: {
          newSecret: generateSecret(),
          previousUntil: Date.now() + previousSecretMs,
          rememberOperation: operation === undefined ? '0' : '1',
          operationKeepMs: operationRetentionMs,
        },
      })
      return String(secret)
    },

    /** All secrets that sign messages now, the current one first. */
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
