import { type Job, type JobWork, overdueAfterMs } from '../job.ts'
import type { StepDeps } from './deps.ts'

/** When the upstream has had its time to deliver. The time that our storage, our limits and our absence took of it is given back. */
export function deliveryEndsAt(deps: StepDeps, work: JobWork): number {
  const now = deps.now()
  const { deliveringAt = now, deadlineAt, slotWaitMs = 0, lateMs = 0 } = work
  const { timeoutMs, graceMs } = deps.deliveryLimits
  const deadline = Math.max(deadlineAt, deliveringAt + graceMs)
  return Math.min(deliveringAt + timeoutMs, deadline) + storageDelayMs(work, now) + slotWaitMs + lateMs
}

/**
 * How much time this attempt lost because no worker was there when it was due. A storage fault that is open counts the same time already.
 * The sum is bounded by the time that an operator allows for faults of ours, so that every job ends.
 */
export function deliveryLatenessMs(
  { deliveryLimits, now }: Pick<StepDeps, 'deliveryLimits' | 'now'>,
  work: JobWork,
): number {
  const { fetchDueAt, deliveringAt, storeFault, lateMs = 0 } = work
  // Records of older versions do not say when a repeated attempt was due.
  const dueAt = fetchDueAt ?? (wasDeliveryTried(work) ? undefined : deliveringAt)
  if (dueAt === undefined || storeFault !== undefined) return lateMs
  const delayMs = now() - dueAt
  return delayMs > overdueAfterMs ? Math.min(lateMs + delayMs, deliveryLimits.storageRetryMs) : lateMs
}

export function storageDelayMs({ storeFault, storeFaultMs = 0 }: JobWork, now: number): number {
  return storeFaultMs + (storeFault === undefined ? 0 : Math.max(0, now - storeFault.since))
}

export function wasDeliveryTried({ misses, storeFault, storeFaultMs }: JobWork): boolean {
  return misses > 0 || storeFault !== undefined || storeFaultMs !== undefined
}

type WorkChanges = { [Name in keyof JobWork]?: JobWork[Name] | undefined }

/** `undefined` takes a member away. */
export function withWork(job: Job, changes: WorkChanges): Job {
  const work = Object.fromEntries(
    Object.entries({ ...job.work, ...changes }).filter(([, value]) => value !== undefined),
  )
  return { ...job, work: work as JobWork }
}
