import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import type { Redis } from 'ioredis'
import { countCharacters } from '../../../providers/characters.ts'
import type { MediaKind } from '../../../providers/input.ts'
import { isMediaKind } from '../../catalogue/media-values/stored-reference.ts'
import type { Keys } from '../../redis/keys.ts'
import { checkMediaFile, detectContentType } from '../formats/check-file.ts'
import type { FileStore } from '../storage/file-store.ts'
import type { TempDir } from '../storage/temp-dir.ts'
import { createTempFileWriter, type TempFile } from '../storage/temp-file-writer.ts'
import { formatMegabytes, type MediaLimits } from './media-limits.ts'
import { MediaRefused } from './media-refused.ts'
import type { Quota } from './quota.ts'

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

type Deps = {
  redis: Redis
  keys: Keys
  store: FileStore
  tempDir: TempDir
  limits: MediaLimits
  quota: Quota
  keepMs: number
}

/** What a sender tells of a file; nothing of it is believed but that sound may come in a video's clothes. */
type NewAttachment = { owner: string; filename: string; declaredType: string; content: AsyncIterable<Buffer> }

/** Attachments: the record in Redis, the bytes in the store, each for its owner only. */
export function createLibrary({ redis, keys, store, tempDir, limits, quota, keepMs }: Deps) {
  const storedNameOf = (id: string) => `${libraryFolder}/${id}`

  async function find(id: string, owner: string): Promise<Attachment | undefined> {
    const record = await redis.get(keys.attachment(id))
    const attachment = record === null ? undefined : (JSON.parse(record) as Attachment)
    return attachment?.owner === owner ? attachment : undefined
  }

  async function writeTempFile(content: AsyncIterable<Buffer>): Promise<TempFile> {
    const maxBytes = Math.max(...Object.values(limits))
    const writer = await createTempFileWriter(tempDir, maxBytes)
    try {
      for await (const chunk of content) {
        await writer.write(chunk)
        if (writer.isTooLarge())
          throw new MediaRefused('too_large', 'file', `is larger than ${formatMegabytes(maxBytes)}`)
      }
      return await writer.end()
    } catch (cause) {
      await writer.discard()
      throw cause
    }
  }

  return {
    find,

    /** Throws `MediaRefused` and `QuotaExceeded`. */
    async add({ owner, filename, declaredType, content }: NewAttachment): Promise<Attachment> {
      if (isPath(filename))
        throw new MediaRefused('invalid', 'file', 'must have a plain file name, not a path')
      const { path, hash, bytes } = await writeTempFile(content)
      try {
        const kind = await mediaKindOf(path, declaredType)
        if (bytes > limits[kind])
          throw new MediaRefused('too_large', 'file', `is larger than ${formatMegabytes(limits[kind])}`)
        const check = await checkMediaFile(path, kind)
        if ('problem' in check) throw new MediaRefused(check.reason, 'file', check.problem)
        const createdAt = Date.now()
        const id = createAttachmentId()
        const { contentType } = check
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
        const quotaEntry = { owner, name: storedNameOf(id), bytes }
        await quota.reserve(quotaEntry, keepMs)
        await store.put(storedNameOf(id), path).catch(async (cause: unknown) => {
          await quota.release(quotaEntry)
          throw cause
        })
        const transaction = redis
          .multi()
          .set(keys.attachment(id), JSON.stringify(attachment), 'PX', keepMs)
          .zadd(keys.library(owner), createdAt, id)
          .zremrangebyscore(keys.library(owner), '-inf', createdAt - keepMs)
          .pexpire(keys.library(owner), keepMs)
          .exec()
        await transaction
        return attachment
      } finally {
        await rm(path, { force: true })
      }
    },

    /** Newest first. */
    async list(owner: string, limit: number): Promise<Attachment[]> {
      const ids = await redis.zrevrange(keys.library(owner), 0, limit - 1)
      const attachments = await Promise.all(ids.map((id) => find(id, owner)))
      return attachments.filter((attachment) => attachment !== undefined)
    },

    open: ({ id }: Attachment): Promise<Readable> => store.open(storedNameOf(id)),

    async remove(id: string, owner: string): Promise<boolean> {
      const attachment = await find(id, owner)
      if (attachment === undefined) return false
      await redis.multi().del(keys.attachment(id)).zrem(keys.library(owner), id).exec()
      await store.remove(storedNameOf(id))
      await quota.release({ owner, name: storedNameOf(id), bytes: attachment.bytes })
      return true
    },

    /** Whether a stored file belongs to an attachment that has not expired. */
    async exists(id: string): Promise<boolean> {
      return (await redis.exists(keys.attachment(id))) === 1
    },
  }
}

async function mediaKindOf(path: string, declaredType: string): Promise<MediaKind> {
  const mainType = (await detectContentType(path))?.split('/')[0] ?? ''
  if (!isMediaKind(mainType))
    throw new MediaRefused('invalid', 'file', 'must be an image, a video or an audio file')
  return mainType === 'video' && declaredType.startsWith('audio/') ? 'audio' : mainType
}

function isPath(filename: string): boolean {
  return (
    filename === '' ||
    countCharacters(filename) > 255 ||
    /[\\/\p{Cc}\p{Surrogate}]/u.test(filename) ||
    /^\.+$/.test(filename)
  )
}

function createAttachmentId(): string {
  return `att_${BigInt(`0x${randomBytes(16).toString('hex')}`)
    .toString(36)
    .padStart(25, '0')}`
}
