import type { FileHandle } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { fileTypeFromBuffer } from 'file-type'
import type { FileStore, Range } from './store.ts'

/** A file that can be served. Its content never changes. */
export type FoundFile = {
  bytes: number
  contentType: string
  /** Unix milliseconds. */
  storedAt: number
  open(range?: Range): Promise<Readable>
  /** Absent: it does not lie on this machine. */
  openLocal?: () => Promise<FileHandle>
}

/** Enough to tell an MP4 from a WebM. */
export const headBytes = 4100

/** Types are remembered of so many files that were asked for lately. */
const mostTypes = 1000

/** Finds stored videos with their real type: all links end in `.mp4`, some upstreams render something else. */
export function createFinder(store: FileStore) {
  const types = new Map<string, string>()

  async function typeOf(name: string, bytes: number): Promise<string> {
    const known = types.get(name)
    if (known !== undefined) return known
    const head = await buffer(await store.open(name, { start: 0, end: Math.min(bytes, headBytes) - 1 }))
    const found = (await fileTypeFromBuffer(head).catch(() => undefined))?.mime ?? 'video/mp4'
    if (types.size >= mostTypes) types.clear()
    types.set(name, found)
    return found
  }

  return async (name: string): Promise<FoundFile | undefined> => {
    const found = await store.stat(name)
    if (found === undefined) return undefined
    const contentType = await typeOf(name, found.bytes)
    const { openLocal } = store
    return {
      ...found,
      contentType,
      open: (range) => store.open(name, range),
      ...(openLocal !== undefined && { openLocal: () => openLocal(name) }),
    }
  }
}
