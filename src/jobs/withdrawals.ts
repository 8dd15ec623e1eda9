import { mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'

const retryMs = 1000
/** Longer than Redis can take to execute a submit. */
const maxExecutionMs = 5000

type Options = {
  dir: string
  /** Cancels the job if it was stored. Rejects while Redis is unavailable. */
  cancel(id: string): Promise<unknown>
  logger: Pick<Logger, 'error'>
}

/**
 * Cancels jobs whose client received an error although Redis may have stored them, as soon as Redis replies. They are recorded on disk before the
 * client gets its response, so that they are not purchased after a crash of this process.
 */
export async function createWithdrawals({ dir, cancel, logger }: Options) {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  /** Job -> until when Redis may still store it (`performance.now()`). */
  const pending = new Map((await readdir(dir)).map((id) => [id, 0]))
  let timer: NodeJS.Timeout | undefined
  let currentRun: Promise<void> = Promise.resolve()
  let isStopped = false

  async function cancelAll(): Promise<void> {
    for (const [id, mayBeStoredUntil] of pending) {
      if ((await cancel(id)) === 'absent' && performance.now() < mayBeStoredUntil) continue
      pending.delete(id)
      await rm(join(dir, id), { force: true })
    }
  }

  function schedule(afterMs: number): void {
    if (isStopped || timer !== undefined || pending.size === 0) return
    timer = setTimeout(() => {
      timer = undefined
      currentRun = cancelAll()
        .catch(() => undefined)
        .finally(() => schedule(retryMs))
    }, afterMs)
    timer.unref()
  }

  schedule(0)

  return {
    /** Resolves when the job is recorded. */
    async add(id: string): Promise<void> {
      pending.set(id, performance.now() + maxExecutionMs)
      try {
        const file = await open(join(dir, id), 'w', 0o600)
        await file.sync().finally(() => file.close())
      } catch (cause) {
        logger.error({ job: id, err: cause }, 'Withdrawn job not recorded on disk')
      }
      schedule(0)
    },

    async stop(): Promise<void> {
      isStopped = true
      clearTimeout(timer)
      await currentRun
    },
  }
}
