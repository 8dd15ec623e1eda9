import { LinkNotReady } from '../../media/results/download.ts'
import { type Job, overdueAfterMs } from '../job.ts'
import type { StepDeps } from './deps.ts'

/** The reason for which a download was aborted: a cancel of its job. */
export class CancelRequested extends Error {
  override name = 'CancelRequested'
}

const checkIntervalMs = 1000

/** A longer pause between two checks means that this process was suspended. */
const maxCheckGapMs = 5 * checkIntervalMs

/**
 * For the minutes that a download may take: postpones the job's deadline, so that the sweep does not requeue it, and aborts `signal` if the job is
 * canceled or at `endsAt` (unix ms). Time for which this process was suspended does not count.
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
    if (now >= endsAt + stoppedMs) controller.abort(new LinkNotReady('the download took too long'))
    else if (watchCancel && (await deps.isCancelRequested(id)))
      controller.abort(new CancelRequested('the job was canceled'))
    await deps.store.postponeDeadline(id, now + 2 * deps.callTimeoutMs + overdueAfterMs)
  }

  // Redis errors are ignored here: the next check retries, and the end of the step needs Redis anyway.
  const timer = setInterval(() => void check().catch(() => undefined), checkIntervalMs)
  timer.unref()
  return {
    signal: controller.signal,
    stoppedMs: () => stoppedMs,
    end: () => clearInterval(timer),
  }
}
