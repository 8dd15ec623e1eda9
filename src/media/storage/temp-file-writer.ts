import { createHash } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { wrapStorageErrors } from './storage-fault.ts'
import type { TempDir } from './temp-dir.ts'

/** A whole file in the scratch folder. */
export type TempFile = { path: string; hash: string; bytes: number }

const operation = 'write a temporary file'

/**
 * Writes a temporary file in pieces and hashes it. Beyond the size limit, the file is removed. Rejects with `StorageUnavailable` when
 * the disk is full; the file is removed then, too.
 */
export async function createTempFileWriter(tempDir: TempDir, limitBytes: number) {
  const path = tempDir.createPath()
  const file = await wrapStorageErrors(operation, open(path, 'wx', 0o600))
  const hash = createHash('sha256')
  let bytes = 0
  let isClosed = false

  async function discard(): Promise<void> {
    const wasOpen = !isClosed
    isClosed = true
    if (wasOpen) await file.close().catch(() => undefined)
    await rm(path, { force: true })
  }

  return {
    isTooLarge: () => bytes > limitBytes,

    async write(chunk: Buffer): Promise<void> {
      const wasWithinLimit = bytes <= limitBytes
      bytes += chunk.length
      if (bytes > limitBytes) return wasWithinLimit ? discard() : undefined
      hash.update(chunk)
      try {
        await wrapStorageErrors(operation, file.appendFile(chunk))
      } catch (cause) {
        await discard()
        throw cause
      }
    },

    async end(): Promise<TempFile> {
      isClosed = true
      await wrapStorageErrors(operation, file.close()).catch(async (cause: unknown) => {
        await rm(path, { force: true })
        throw cause
      })
      return { path, hash: hash.digest('hex'), bytes }
    },

    discard,
  }
}
