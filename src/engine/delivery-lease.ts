import { LinkNotReady } from '../media/download.ts'
import { type Job, overdueMs } from './job.ts'
import type { Parts } from './parts.ts'

/** Why a download was aborted: somebody asked for the end of the job. */
export class CancelAsked extends Error {
  override name = 'CancelAsked'
}

const everyMs = 1000

/**
 * While a step fetches a result, for minutes perhaps: keeps the sweep from taking the step for lost, and aborts `signal` when
 * the job is canceled or when the time is `untilMs`.
 */
export function keepLease(
  parts: Parts,
  { view: { id } }: Job,
  { watchCancel, untilMs }: { watchCancel: boolean; untilMs: number },
) {
  const controller = new AbortController()

  async function look(): Promise<void> {
    const now = parts.now()
    if (now >= untilMs) controller.abort(new LinkNotReady('the result took too long'))
    else if (watchCancel && (await parts.isCancelAsked(id)))
      controller.abort(new CancelAsked('the job was canceled'))
    await parts.store.postpone(id, now + 2 * parts.timeoutMs + overdueMs)
  }

  // A Redis that does not answer is asked again; the end of the step needs it anyway.
  const timer = setInterval(() => void look().catch(() => undefined), everyMs)
  timer.unref()
  return {
    signal: controller.signal,
    end: () => clearInterval(timer),
  }
}
