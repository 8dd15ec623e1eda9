import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Redis } from 'ioredis'
import { extensionOf, type StoredFile } from '../../catalogue/media-values/stored-reference.ts'
import type { Keys } from '../../redis/keys.ts'

/** Longer than any model's deadline, so that a link outlives the job that it was made for. */
const lifetimeMs = 24 * 3_600_000

export type InputLinks = ReturnType<typeof createInputLinks>

/** Names for held files by which an upstream may fetch them for a while: `<content>.<signature>.<extension>`. */
export function createInputLinks(secret: string) {
  const sign = (payload: string) => createHmac('sha256', secret).update(payload).digest().subarray(0, 20)

  return {
    createToken({ hash, bytes, contentType }: StoredFile, now = Date.now()): string {
      const payload = Buffer.from(JSON.stringify([hash, bytes, contentType, now + lifetimeMs])).toString(
        'base64url',
      )
      return `${payload}.${sign(payload).toString('base64url')}.${extensionOf(contentType)}`
    },

    /** The file that a token names, if we signed it. */
    readToken(token: string, now = Date.now()): StoredFile | 'expired' | undefined {
      const [payload = '', encodedSignature = ''] = token.split('.')
      const [actualSignature, expectedSignature] = [Buffer.from(encodedSignature, 'base64url'), sign(payload)]
      if (
        actualSignature.length !== expectedSignature.length ||
        !timingSafeEqual(actualSignature, expectedSignature)
      )
        return undefined
      const fields = JSON.parse(Buffer.from(payload, 'base64url').toString()) as [
        string,
        number,
        string,
        number,
      ]
      const [hash, bytes, contentType, expiresAt] = fields
      return now > expiresAt ? 'expired' : { hash, bytes, contentType }
    },
  }
}

/** One secret for all processes over one Redis; made by whoever comes first. */
export async function readOrCreateLinkSecret(redis: Redis, keys: Keys): Promise<string> {
  await redis.set(keys.linkSecret, randomBytes(32).toString('hex'), 'NX')
  return (await redis.get(keys.linkSecret)) ?? ''
}
