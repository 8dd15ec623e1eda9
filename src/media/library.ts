import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import type { Redis } from 'ioredis'
import { countCharacters } from '../../providers/characters.ts'
import type { MediaKind } from '../../providers/input.ts'
import { answered } from '../engine/engine.ts'
import type { Keys } from '../engine/keys.ts'
import { judge, typeOf } from './check.ts'
import { inMegabytes, isKind, type Limits } from './limits.ts'
import type { Quota } from './quota.ts'
import { MediaRefused } from './refusal.ts'
import type { Scratch } from './scratch.ts'
import { createSink, type LocalFile } from './sink.ts'
import type { FileStore } from './store.ts'

/** A file that a caller keeps with us to use in several jobs. Times are unix milliseconds. */
export type Attachment = {
  id: string
  owner: string
  kind: MediaKind
  contentType: string
  bytes: number
  hash: string
  filename: string
  createdAt: number
  expiresAt: number
}

export type Library = ReturnType<typeof createLibrary>

export const libraryFolder = 'library'

type Parts = {
  redis: Redis
  keys: Keys
  store: FileStore
  scratch: Scratch
  limits: Limits
  quota: Quota
  keepMs: number
}

/** What a sender tells of a file; nothing of it is believed but that sound may come in a video's clothes. */
type Sent = { owner: string; filename: string; declared: string; content: AsyncIterable<Buffer> }

/** Attachments: the record in Redis, the bytes in the store, each for its owner only. */
export function createLibrary({ redis, keys, store, scratch, limits, quota, keepMs }: Parts) {
  const nameOf = (id: string) => `${libraryFolder}/${id}`

  async function find(id: string, owner: string): Promise<Attachment | undefined> {
    const found = await answered(redis.get(keys.attachment(id)))
    const attachment = found === null ? undefined : (JSON.parse(found) as Attachment)
    return attachment?.owner === owner ? attachment : undefined
  }

  async function receive(content: AsyncIterable<Buffer>): Promise<LocalFile> {
    const largest = Math.max(...Object.values(limits))
    const sink = await createSink(scratch, largest)
    try {
      for await (const piece of content) {
        await sink.write(piece)
        if (sink.isTooLarge())
          throw new MediaRefused('too_large', 'file', `is larger than ${inMegabytes(largest)}`)
      }
      return await sink.end()
    } catch (cause) {
      await sink.drop()
      throw cause
    }
  }

  return {
    find,

    /** Throws `MediaRefused` and `QuotaExceeded`. */
    async add({ owner, filename, declared, content }: Sent): Promise<Attachment> {
      if (isPath(filename))
        throw new MediaRefused('invalid', 'file', 'must have a plain file name, not a path')
      const { path, hash, bytes } = await receive(content)
      try {
        const kind = await kindOf(path, declared)
        if (bytes > limits[kind])
          throw new MediaRefused('too_large', 'file', `is larger than ${inMegabytes(limits[kind])}`)
        const verdict = await judge(path, kind)
        if ('wrong' in verdict) throw new MediaRefused(verdict.reason, 'file', verdict.wrong)
        const createdAt = Date.now()
        const id = newId()
        const { contentType } = verdict
        const attachment = {
          id,
          owner,
          kind,
          contentType,
          bytes,
          hash,
          filename,
          createdAt,
          expiresAt: createdAt + keepMs,
        }
        const counted = { owner, name: nameOf(id), bytes }
        await quota.take(counted, keepMs)
        await store.take(nameOf(id), path).catch(async (cause: unknown) => {
          await quota.giveBack(counted)
          throw cause
        })
        const record = redis
          .multi()
          .set(keys.attachment(id), JSON.stringify(attachment), 'PX', keepMs)
          .zadd(keys.library(owner), createdAt, id)
          .zremrangebyscore(keys.library(owner), '-inf', createdAt - keepMs)
          .pexpire(keys.library(owner), keepMs)
          .exec()
        await answered(record)
        return attachment
      } finally {
        await rm(path, { force: true })
      }
    },

    /** Newest first. */
    async list(owner: string, limit: number): Promise<Attachment[]> {
      const ids = await answered(redis.zrevrange(keys.library(owner), 0, limit - 1))
      const found = await Promise.all(ids.map((id) => find(id, owner)))
      return found.filter((attachment) => attachment !== undefined)
    },

    open: ({ id }: Attachment): Promise<Readable> => store.open(nameOf(id)),

    async remove(id: string, owner: string): Promise<boolean> {
      const found = await find(id, owner)
      if (found === undefined) return false
      await answered(redis.multi().del(keys.attachment(id)).zrem(keys.library(owner), id).exec())
      await store.remove(nameOf(id))
      await quota.giveBack({ owner, name: nameOf(id), bytes: found.bytes })
      return true
    },

    /** Whether a stored file belongs to an attachment that has not expired. */
    async has(id: string): Promise<boolean> {
      return (await redis.exists(keys.attachment(id))) === 1
    },
  }
}

async function kindOf(path: string, declared: string): Promise<MediaKind> {
  const found = (await typeOf(path))?.split('/')[0] ?? ''
  if (!isKind(found)) throw new MediaRefused('invalid', 'file', 'must be an image, a video or an audio file')
  return found === 'video' && declared.startsWith('audio/') ? 'audio' : found
}

function isPath(filename: string): boolean {
  return (
    filename === '' ||
    countCharacters(filename) > 255 ||
    /[\\/\p{Cc}\p{Surrogate}]/u.test(filename) ||
    /^\.+$/.test(filename)
  )
}

function newId(): string {
  return `att_${BigInt(`0x${randomBytes(16).toString('hex')}`)
    .toString(36)
    .padStart(25, '0')}`
}
