import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { Keys } from '../engine/keys.ts'
import { extensionOf, type Held } from './reference.ts'

/** Longer than any model's deadline, so that a link outlives the job that it was made for. */
const lifetimeMs = 24 * 3_600_000

export type Links = ReturnType<typeof createLinks>

/** Names for held files by which an upstream may fetch them for a while: `<content>.<signature>.<extension>`. */
export function createLinks(secret: string) {
  const sign = (content: string) => createHmac('sha256', secret).update(content).digest().subarray(0, 20)

  return {
    token({ hash, bytes, contentType }: Held, now = Date.now()): string {
      const content = Buffer.from(JSON.stringify([hash, bytes, contentType, now + lifetimeMs])).toString(
        'base64url',
      )
      return `${content}.${sign(content).toString('base64url')}.${extensionOf(contentType)}`
    },

    /** The file that a token names, if we signed it. */
    read(token: string, now = Date.now()): Held | 'expired' | undefined {
      const [content = '', signature = ''] = token.split('.')
      const [given, right] = [Buffer.from(signature, 'base64url'), sign(content)]
      if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined
      const told = JSON.parse(Buffer.from(content, 'base64url').toString()) as [
        string,
        number,
        string,
        number,
      ]
      const [hash, bytes, contentType, expiresAt] = told
      return now > expiresAt ? 'expired' : { hash, bytes, contentType }
    },
  }
}

/** One secret for all processes over one Redis; made by whoever comes first. */
export async function linkSecret(redis: Redis, keys: Keys): Promise<string> {
  await redis.set(keys.linkSecret, randomBytes(32).toString('hex'), 'NX')
  return (await redis.get(keys.linkSecret)) ?? ''
}
