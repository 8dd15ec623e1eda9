import { randomBytes } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { Keys } from '../engine/keys.ts'

/** How long the secret before a rotation still signs beside the new one. */
const overlapMs = 86_400_000

/** KEYS secret. ARGV new secret, until when the old one signs. */
const rotate = `
local old = redis.call('HGET', KEYS[1], 'current')
redis.call('HSET', KEYS[1], 'current', ARGV[1])
if old then redis.call('HSET', KEYS[1], 'previous', old, 'until', ARGV[2]) end
return 1
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

    async rotate(owner: string): Promise<string> {
      const secret = newSecret()
      await redis.eval(rotate, 1, keys.webhookSecret(owner), secret, String(Date.now() + overlapMs))
      return secret
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
