import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * A mutant that hangs is killed and leaves its Redis behind. Everything that a run starts works in one temporary folder; what still
 * runs there without a parent is ended. Needs `/proc`; elsewhere such processes stay.
 */
export async function createLeftovers() {
  const folder = await mkdtemp(join(tmpdir(), 'rg-'))
  process.env.TMPDIR = folder
  const timer = setInterval(() => endOrphans(folder).catch(() => undefined), 15_000)
  timer.unref()
  return {
    async clear(): Promise<void> {
      clearInterval(timer)
      await endOrphans(folder)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function endOrphans(folder: string): Promise<void> {
  const ids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number)
  for (const id of ids) {
    const cwd = await readlink(`/proc/${id}/cwd`).catch(() => '')
    const status = await readFile(`/proc/${id}/status`, 'utf8').catch(() => '')
    if (cwd.startsWith(`${folder}/`) && /^PPid:\s+1$/m.test(status)) {
      try {
        process.kill(id, 'SIGKILL')
      } catch {
        // It has just ended.
      }
    }
  }
}
