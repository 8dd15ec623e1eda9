import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { storageFault, storing } from './storage-fault.ts'
import type { FileStore } from './store.ts'

/** Files below one folder of this machine. What is moved in must lie on the same file system. */
export function createDiskStore(root: string): FileStore & Required<Pick<FileStore, 'openLocal'>> {
  const pathOf = (name: string) => join(root, name)
  const onDisk = (verb: string, name: string) => `${verb} ${name} on the disk store`

  async function move(path: string, name: string): Promise<void> {
    const file = await open(path, 'r+')
    await file.datasync().finally(() => file.close())
    await rename(path, pathOf(name)).catch(async (cause) => {
      unlessAbsent(cause)
      await mkdir(dirname(pathOf(name)), { recursive: true })
      await rename(path, pathOf(name))
    })
  }

  async function find(name: string) {
    const found = await storing(onDisk('look up', name), stat(pathOf(name)).catch(unlessAbsent))
    return found === undefined ? undefined : { bytes: found.size, storedAt: Math.floor(found.mtimeMs) }
  }

  /** Rejects with the system's own ENOENT where there is no such file. */
  function openLocal(name: string): Promise<FileHandle> {
    return open(pathOf(name), 'r').catch((cause: unknown) => {
      unlessAbsent(cause, (other) => storageFault(onDisk('read', name), other))
      throw cause
    })
  }

  return {
    take: (name, path) => storing(onDisk('store', name), move(path, name)),

    stat: find,

    async open(name, range) {
      return createReadStream('', { fd: await openLocal(name), ...range })
    },

    openLocal,

    remove: (name) => storing(onDisk('remove', name), rm(pathOf(name), { force: true })),

    async *list(folder) {
      const files = await storing(onDisk('list', folder), readdir(pathOf(folder)).catch(unlessAbsent))
      for (const file of files ?? []) {
        const name = `${folder}/${file}`
        const found = await find(name)
        if (found !== undefined) yield { name, storedAt: found.storedAt }
      }
    },

    close: () => undefined,
  }
}

function unlessAbsent(cause: unknown, toError = (other: unknown) => other): undefined {
  if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
  throw toError(cause)
}
