import { LinkNotReady } from '../../media/results/download.ts'
import { type Job, overdueMs } from '../job.ts'
import type { Parts } from './deps.ts'

/** Why a download was aborted: somebody asked for the end of the job. */
export class CancelAsked extends Error {
  override name = 'CancelAsked'
}

const everyMs = 1000

/** A longer pause between two looks means that this process was stopped meanwhile. */
const longestPauseMs = 5 * everyMs

/**
 * While a step fetches a result, for minutes perhaps: keeps the sweep from taking the step for lost, and aborts `signal` when
 * the job is canceled or when the time is `untilMs`. The time for which this process was stopped does not count.
 */
export function keepLease(
  parts: Parts,
  { view: { id } }: Job,
  { watchCancel, untilMs }: { watchCancel: boolean; untilMs: number },
) {
  const controller = new AbortController()
  let lookedAt = parts.now()
  let stoppedMs = 0

  async function look(): Promise<void> {
    const now = parts.now()
    if (now - lookedAt > longestPauseMs) stoppedMs += now - lookedAt - everyMs
    lookedAt = now
    if (now >= untilMs + stoppedMs) controller.abort(new LinkNotReady('the result took too long'))
    else if (watchCancel && (await parts.isCancelAsked(id)))
      controller.abort(new CancelAsked('the job was canceled'))
    await parts.store.postpone(id, now + 2 * parts.timeoutMs + overdueMs)
  }

  // A Redis that does not answer is asked again; the end of the step needs it anyway.
  const timer = setInterval(() => void look().catch(() => undefined), everyMs)
  timer.unref()
  return {
    signal: controller.signal,
    stoppedMs: () => stoppedMs,
    end: () => clearInterval(timer),
  }
}
