import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { FileStore } from './store.ts'

/** Files below one folder of this machine. What is moved in must lie on the same file system. */
export function createDiskStore(root: string): FileStore & Required<Pick<FileStore, 'openLocal'>> {
  const pathOf = (name: string) => join(root, name)

  return {
    async take(name, path) {
      const file = await open(path, 'r+')
      await file.datasync().finally(() => file.close())
      await rename(path, pathOf(name)).catch(async (cause) => {
        unlessAbsent(cause)
        await mkdir(dirname(pathOf(name)), { recursive: true })
        await rename(path, pathOf(name))
      })
    },

    async stat(name) {
      const found = await stat(pathOf(name)).catch(unlessAbsent)
      return found === undefined ? undefined : { bytes: found.size, storedAt: Math.floor(found.mtimeMs) }
    },

    async open(name, range) {
      return createReadStream('', { fd: await this.openLocal(name), ...range })
    },

    openLocal: (name) => open(pathOf(name), 'r'),

    remove: (name) => rm(pathOf(name), { force: true }),

    async *list(folder) {
      const files = await readdir(pathOf(folder)).catch(unlessAbsent)
      for (const file of files ?? []) {
        const name = `${folder}/${file}`
        const found = await this.stat(name)
        if (found !== undefined) yield { name, storedAt: found.storedAt }
      }
    },

    close: () => undefined,
  }
}

function unlessAbsent(cause: unknown): undefined {
  if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
  throw cause
}
