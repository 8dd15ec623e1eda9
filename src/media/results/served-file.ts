import type { FileHandle } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { fileTypeFromBuffer } from 'file-type'
import { LRUCache } from 'lru-cache'
import type { ByteRange, FileStore } from '../storage/file-store.ts'

/** A file that can be served. Its content never changes. */
export type ServedFile = {
  bytes: number
  contentType: string
  /** Unix milliseconds. */
  storedAt: number
  open(range?: ByteRange): Promise<Readable>
  /** Absent: it does not lie on this machine. */
  openLocal?: () => Promise<FileHandle>
}

/** Enough to tell an MP4 from a WebM. */
export const signatureBytes = 4100

/** Number of recently requested files whose types are cached. */
const maxCachedTypes = 1000

/** Finds stored videos with their real type: all links end in `.mp4`, some upstreams render something else. */
export function createStoredVideoFinder(store: FileStore) {
  const contentTypes = new LRUCache<string, string>({ max: maxCachedTypes })

  async function contentTypeOf(name: string, bytes: number): Promise<string> {
    const cachedType = contentTypes.get(name)
    if (cachedType !== undefined) return cachedType
    const firstBytes = await buffer(
      await store.open(name, { start: 0, end: Math.min(bytes, signatureBytes) - 1 }),
    )
    const contentType = (await fileTypeFromBuffer(firstBytes).catch(() => undefined))?.mime ?? 'video/mp4'
    contentTypes.set(name, contentType)
    return contentType
  }

  return async (name: string): Promise<ServedFile | undefined> => {
    const stored = await store.stat(name)
    if (stored === undefined) return undefined
    const contentType = await contentTypeOf(name, stored.bytes)
    const { openLocal } = store
    return {
      ...stored,
      contentType,
      open: (range) => store.open(name, range),
      ...(openLocal !== undefined && { openLocal: () => openLocal(name) }),
    }
  }
}
