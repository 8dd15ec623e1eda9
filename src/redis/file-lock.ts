import { lstat, readlink, rm, symlink } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** A lock this old is abandoned, even if a process has the ID of its holder. */
const maxHoldMs = 30_000

/** Runs `work` under a lock that excludes the other processes of this machine. */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  while (!(await tryAcquire(path))) {
    if (await isAbandoned(path)) await rm(path, { force: true })
    else await sleep(25)
  }
  try {
    return await work()
  } finally {
    await rm(path, { force: true })
  }
}

/** A symbolic link is created together with its content, so a lock always has a holder. */
async function tryAcquire(path: string): Promise<boolean> {
  try {
    await symlink(String(process.pid), path)
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    throw error
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  try {
    const [holderPid, { mtimeMs }] = await Promise.all([readlink(path), lstat(path)])
    return Date.now() - mtimeMs > maxHoldMs || !isAlive(Number(holderPid))
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw error
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return hasCode(error, 'EPERM')
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
