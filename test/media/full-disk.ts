import { spawnSync } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Cleanup, temporaryFolder } from '../support/setup.ts'

export type SmallDisk = {
  /** A folder on it. */
  dataDir: string
  /** From now on this process cannot write a file of more than a few bytes there. */
  fill(): Promise<void>
  free(): Promise<void>
}

/** A disk that can be filled: a small one of its own where this may be mounted, elsewhere a limit on the files of this process. */
export async function createSmallDisk(cleanup: Cleanup): Promise<SmallDisk> {
  const dataDir = await temporaryFolder(cleanup)
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', dataDir])
  if (mounted.status !== 0) return limitFiles(cleanup, dataDir)
  cleanup.add(() => spawnSync('umount', ['-l', dataDir]))
  const filler = join(dataDir, 'filler')
  return {
    dataDir,
    async fill() {
      const full = await writeFile(filler, Buffer.alloc(16 * 1024 * 1024)).catch((cause: unknown) => cause)
      if (!(full instanceof Error)) throw new Error('the small disk took more than it has')
    },
    free: () => rm(filler),
  }
}

/** The kernel lets a process write no longer files than its limit. Needs no rights. */
export function limitFiles(cleanup: Cleanup, dataDir: string): SmallDisk {
  // The signal ends the process without a listener.
  const listener = () => undefined
  process.on('SIGXFSZ', listener)
  cleanup.add(() => process.off('SIGXFSZ', listener))
  const limit = async (bytes: string) => {
    const { status, stderr } = spawnSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`])
    if (status !== 0) throw new Error(`prlimit failed: ${stderr}`)
  }
  return { dataDir, fill: () => limit('16'), free: () => limit('unlimited') }
}
