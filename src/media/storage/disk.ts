import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { FileStore } from './file-store.ts'
import { toStorageUnavailable, wrapStorageErrors } from './storage-fault.ts'

/** Files below one folder of this machine. What is moved in must lie on the same file system. */
export function createDiskStore(rootDir: string): FileStore & Required<Pick<FileStore, 'openLocal'>> {
  const pathOf = (name: string) => join(rootDir, name)
  const describeOperation = (verb: string, name: string) => `${verb} ${name} on the disk store`

  async function moveFile(path: string, name: string): Promise<void> {
    const file = await open(path, 'r+')
    await file.datasync().finally(() => file.close())
    await rename(path, pathOf(name)).catch(async (cause) => {
      ignoreNotFound(cause)
      await mkdir(dirname(pathOf(name)), { recursive: true })
      await rename(path, pathOf(name))
    })
  }

  async function findFile(name: string) {
    const stats = await wrapStorageErrors(
      describeOperation('look up', name),
      stat(pathOf(name)).catch(ignoreNotFound),
    )
    return stats === undefined ? undefined : { bytes: stats.size, storedAt: Math.floor(stats.mtimeMs) }
  }

  /** Rejects with the system's own ENOENT where there is no such file. */
  function openLocal(name: string): Promise<FileHandle> {
    return open(pathOf(name), 'r').catch((cause: unknown) => {
      ignoreNotFound(cause, (otherCause) => toStorageUnavailable(describeOperation('read', name), otherCause))
      throw cause
    })
  }

  return {
    put: (name, path) => wrapStorageErrors(describeOperation('store', name), moveFile(path, name)),

    stat: findFile,

    async open(name, range) {
      return createReadStream('', { fd: await openLocal(name), ...range })
    },

    openLocal,

    remove: (name) => wrapStorageErrors(describeOperation('remove', name), rm(pathOf(name), { force: true })),

    async *list(folder) {
      const fileNames = await wrapStorageErrors(
        describeOperation('list', folder),
        readdir(pathOf(folder)).catch(ignoreNotFound),
      )
      for (const fileName of fileNames ?? []) {
        const name = `${folder}/${fileName}`
        const stored = await findFile(name)
        if (stored !== undefined) yield { name, storedAt: stored.storedAt }
      }
    },

    close: () => undefined,
  }
}

function ignoreNotFound(cause: unknown, toError = (otherCause: unknown) => otherCause): undefined {
  if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
  throw toError(cause)
}
