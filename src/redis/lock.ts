import { lstat, readlink, rm, symlink } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** A holder this old is gone, whoever has its process id today. */
const longestHoldMs = 30_000

/** Runs `work` while no other process of this machine runs its own under the same `path`. */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  while (!(await take(path))) {
    if (await isAbandoned(path)) await rm(path, { force: true })
    else await sleep(25)
  }
  try {
    return await work()
  } finally {
    await rm(path, { force: true })
  }
}

/** A symbolic link appears together with its content, so nobody reads a lock without a holder. */
async function take(path: string): Promise<boolean> {
  try {
    await symlink(String(process.pid), path)
    return true
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false
    throw error
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  try {
    const [holder, { mtimeMs }] = await Promise.all([readlink(path), lstat(path)])
    return Date.now() - mtimeMs > longestHoldMs || !isAlive(Number(holder))
  } catch (error) {
    if (isCode(error, 'ENOENT')) return false
    throw error
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return isCode(error, 'EPERM')
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
