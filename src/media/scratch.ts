import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { storing } from './storage-fault.ts'

export type Scratch = Awaited<ReturnType<typeof createScratch>>

/** Where files are before they are whole. Nothing in here is ever served. */
export async function createScratch(dir: string) {
  const create = () => mkdir(dir, { recursive: true, mode: 0o700 })
  await create()
  const list = () => storing('list temporary files', readdir(dir))

  return {
    /** Makes the folder again where somebody has removed it. */
    restore: () => storing('create the folder for temporary files', create()),

    /** A path that nobody else has. */
    path: (name = 'file') => join(dir, `${name}.${randomUUID()}.part`),

    /** Paths of this name that were left behind, or that somebody else is writing. */
    async left(name: string): Promise<string[]> {
      return (await list()).filter((file) => file.startsWith(`${name}.`)).map((file) => join(dir, file))
    },

    /** Removes what has not been written to for a while: its writer is gone. */
    async sweep(idleMs: number, now = Date.now()): Promise<number> {
      let removed = 0
      for (const file of await list()) {
        const path = join(dir, file)
        const found = await stat(path).catch(() => undefined)
        if (found === undefined || now - found.mtimeMs < idleMs) continue
        await rm(path, { force: true, recursive: true })
        removed += 1
      }
      return removed
    },
  }
}
