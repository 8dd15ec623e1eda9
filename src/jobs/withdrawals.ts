import { mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'

const retryMs = 1000
/** Longer than Redis may take to execute a submit. */
const maxExecutionMs = 5000

type Options = {
  dir: string
  /** Cancels the job, if it was stored. Rejects while Redis does not reply. */
  cancel(id: string): Promise<unknown>
  logger: Pick<Logger, 'error'>
}

/**
 * Jobs whose client was told that they were not accepted, though Redis may have stored them: they are canceled as soon as Redis replies. They are
 * noted on disk before the client gets its answer, so that a crash of this process does not let them be purchased.
 */
export async function createWithdrawals({ dir, cancel, logger }: Options) {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  /** Job -> until when Redis may still store it. */
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
    /** Resolves when the job is noted. */
    async add(id: string): Promise<void> {
      pending.set(id, performance.now() + maxExecutionMs)
      try {
        const file = await open(join(dir, id), 'w', 0o600)
        await file.sync().finally(() => file.close())
      } catch (cause) {
        logger.error({ job: id, err: cause }, 'A withdrawn job cannot be noted on disk')
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
