import type { FaultCode } from '../../../providers/faults.ts'
import { toMicros, withMarkup } from '../../accounts/money.ts'
import { roundUpSeconds } from '../../catalogue/price.ts'
import { isTerminal, type Job, type JobState, type JobView, type JobWork } from '../job.ts'

/** Containers run a few frames longer than what was ordered. */
const overhangSeconds = 0.25

/** What a finished job costs: the price that was agreed, or less where it follows the real length. */
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

/** What becomes of the money that was reserved, given where a job stood and how it ends. `withdrawn`: its client was told that there is no such job. */
export function decideSettlement(
  previousState: JobState,
  view: JobView,
  work: JobWork,
  withdrawn = false,
): Settlement {
  const micros = toMicros(view.costUsd)
  if (!isTerminal(view.state)) return { kind: '', micros }
  // Nothing was reserved for a sandbox job, but by version 0.1.
  if (withdrawn || view.sandbox === true) return { kind: 'release', micros }
  if (view.state === 'succeeded') return { kind: 'charge', micros }
  if (view.state === 'canceled' && wasStarted(previousState, work)) return { kind: 'charge', micros }
  return { kind: isOutcomeUnknown(view.error?.code, work) ? 'hold' : 'release', micros }
}

/** Whether nobody knows if the upstream was paid: the money waits for an operator's decision. */
function isOutcomeUnknown(code: FaultCode | undefined, { takenAt }: Pick<JobWork, 'takenAt'>): boolean {
  return code === 'submission_unknown' || (code === 'task_lost' && takenAt !== undefined)
}

/** Upstreams bill what they have begun, and what still waits there unless they can be told to drop it. */
function wasStarted(previousState: JobState, { takenAt, cancelSentAt }: JobWork): boolean {
  return takenAt !== undefined && (previousState !== 'queued' || cancelSentAt === undefined)
}
