import type { FaultCode } from '../../../providers/faults.ts'
import { toMicros, withMarkup } from '../../accounts/money.ts'
import { roundUpSeconds } from '../../catalogue/price.ts'
import { isTerminal, type Job, type JobState, type JobView, type JobWork } from '../job.ts'

/** Video files are a few frames longer than requested. */
const overhangSeconds = 0.25

/** The price of a finished job: the agreed price, or less where the price depends on the real length. */
export function finalCostUsd(
  { view, work }: Pick<Job, 'view' | 'work'>,
  seconds: number | undefined,
): number {
  const { meter, upstreamCostUsd } = work
  if (meter === undefined) return view.costUsd
  const { usdPerSecond, usualSeconds, markupPercent } = meter
  const lengthSeconds = seconds === undefined ? usualSeconds : Math.max(0, seconds - overhangSeconds)
  const usd = upstreamCostUsd ?? usdPerSecond * roundUpSeconds(meter, lengthSeconds)
  return Math.min(view.costUsd, withMarkup(usd, markupPercent))
}

export type Settlement = { kind: 'charge' | 'release' | 'hold' | ''; micros: number }

/** Decides what happens to the reserved money when a job ends. `withdrawn`: the client received an error instead of a job ID. */
export function decideSettlement(
  previousState: JobState,
  view: JobView,
  work: JobWork,
  withdrawn = false,
): Settlement {
  const micros = toMicros(view.costUsd)
  if (!isTerminal(view.state)) return { kind: '', micros }
  // Only version 0.1 reserved money for sandbox jobs.
  if (withdrawn || view.sandbox === true) return { kind: 'release', micros }
  if (view.state === 'succeeded') return { kind: 'charge', micros }
  if (view.state === 'canceled' && wasStarted(previousState, work)) return { kind: 'charge', micros }
  return { kind: isOutcomeUnknown(view.error?.code, work) ? 'hold' : 'release', micros }
}

/** Whether it is unknown if the upstream bills the job: the money stays on hold until an operator decides. */
function isOutcomeUnknown(code: FaultCode | undefined, { takenAt }: Pick<JobWork, 'takenAt'>): boolean {
  return code === 'submission_unknown' || (code === 'task_lost' && takenAt !== undefined)
}

/** Whether the upstream bills a canceled job: it bills started tasks, and queued ones unless it was sent a cancel. */
function wasStarted(previousState: JobState, { takenAt, cancelSentAt }: JobWork): boolean {
  return takenAt !== undefined && (previousState !== 'queued' || cancelSentAt === undefined)
}
