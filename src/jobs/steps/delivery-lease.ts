import { LinkNotReady } from '../../media/results/download.ts'
import { type Job, overdueAfterMs } from '../job.ts'
import type { StepDeps } from './deps.ts'

/** Why a download was aborted: somebody asked for the end of the job. */
export class CancelRequested extends Error {
  override name = 'CancelAsked'
}

const checkIntervalMs = 1000

/** A longer pause between two looks means that this process was stopped meanwhile. */
const maxCheckGapMs = 5 * checkIntervalMs

/**
 * While a step fetches a result, for minutes perhaps: keeps the sweep from taking the step for lost, and aborts `signal` when
 * the job is canceled or when the time is `untilMs`. The time for which this process was stopped does not count.
 */
export function startDeliveryLease(
  deps: StepDeps,
  { view: { id } }: Job,
  { watchCancel, endsAt }: { watchCancel: boolean; endsAt: number },
) {
  const controller = new AbortController()
  let checkedAt = deps.now()
  let stoppedMs = 0

  async function check(): Promise<void> {
    const now = deps.now()
    if (now - checkedAt > maxCheckGapMs) stoppedMs += now - checkedAt - checkIntervalMs
    checkedAt = now
    if (now >= endsAt + stoppedMs) controller.abort(new LinkNotReady('the result took too long'))
    else if (watchCancel && (await deps.isCancelRequested(id)))
      controller.abort(new CancelRequested('the job was canceled'))
    await deps.store.postponeDeadline(id, now + 2 * deps.callTimeoutMs + overdueAfterMs)
  }

  // A Redis that does not answer is asked again; the end of the step needs it anyway.
  const timer = setInterval(() => void check().catch(() => undefined), checkIntervalMs)
  timer.unref()
  return {
    signal: controller.signal,
    stoppedMs: () => stoppedMs,
    end: () => clearInterval(timer),
  }
}
