import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { wrapStorageErrors } from './storage-fault.ts'

export type TempDir = Awaited<ReturnType<typeof createTempDir>>

/** Where files are before they are whole. Nothing in here is ever served. */
export async function createTempDir(dir: string) {
  const createFolder = () => mkdir(dir, { recursive: true, mode: 0o700 })
  await createFolder()
  const listFiles = () => wrapStorageErrors('list temporary files', readdir(dir))

  return {
    /** Makes the folder again where somebody has removed it. */
    recreate: () => wrapStorageErrors('create the folder for temporary files', createFolder()),

    /** A path that nobody else has. */
    createPath: (name = 'file') => join(dir, `${name}.${randomUUID()}.part`),

    /** Paths of this name that were left behind, or that somebody else is writing. */
    async findByName(name: string): Promise<string[]> {
      return (await listFiles()).filter((file) => file.startsWith(`${name}.`)).map((file) => join(dir, file))
    },

    /** Removes what has not been written to for a while: its writer is gone. */
    async removeIdle(idleMs: number, now = Date.now()): Promise<number> {
      let removed = 0
      for (const file of await listFiles()) {
        const path = join(dir, file)
        const stats = await stat(path).catch(() => undefined)
        if (stats === undefined || now - stats.mtimeMs < idleMs) continue
        await rm(path, { force: true, recursive: true })
        removed += 1
      }
      return removed
    },
  }
}
