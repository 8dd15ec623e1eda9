import { createHash } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import type { Scratch } from './scratch.ts'
import { storing } from './storage-fault.ts'

/** A whole file in the scratch folder. */
export type LocalFile = { path: string; hash: string; bytes: number }

const operation = 'write a temporary file'

/**
 * Writes a scratch file piece by piece while hashing it. Past the limit it keeps nothing. Rejects with `StorageUnavailable` when
 * the disk takes no more, and keeps nothing then either.
 */
export async function createSink(scratch: Scratch, limitBytes: number) {
  const path = scratch.path()
  const file = await storing(operation, open(path, 'wx', 0o600))
  const hash = createHash('sha256')
  let bytes = 0
  let closed = false

  async function drop(): Promise<void> {
    const wasOpen = !closed
    closed = true
    if (wasOpen) await file.close().catch(() => undefined)
    await rm(path, { force: true })
  }

  return {
    isTooLarge: () => bytes > limitBytes,

    async write(piece: Buffer): Promise<void> {
      const fitted = bytes <= limitBytes
      bytes += piece.length
      if (bytes > limitBytes) return fitted ? drop() : undefined
      hash.update(piece)
      try {
        await storing(operation, file.appendFile(piece))
      } catch (cause) {
        await drop()
        throw cause
      }
    },

    async end(): Promise<LocalFile> {
      closed = true
      await storing(operation, file.close()).catch(async (cause: unknown) => {
        await rm(path, { force: true })
        throw cause
      })
      return { path, hash: hash.digest('hex'), bytes }
    },

    drop,
  }
}
