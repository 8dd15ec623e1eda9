import { type Job, type JobWork, overdueAfterMs } from '../job.ts'
import type { StepDeps } from './deps.ts'

/** When the upstream's time to deliver ends, unix ms. Delays caused by our storage, our limits and missing workers are added. */
export function deliveryEndsAt(deps: StepDeps, work: JobWork): number {
  const now = deps.now()
  const { deliveringAt = now, deadlineAt, slotWaitMs = 0, lateMs = 0 } = work
  const { timeoutMs, graceMs } = deps.deliveryLimits
  const deadline = Math.max(deadlineAt, deliveringAt + graceMs)
  return Math.min(deliveringAt + timeoutMs, deadline) + storageDelayMs(work, now) + slotWaitMs + lateMs
}

/**
 * The total delay (ms) because no worker ran an attempt when it was due. An open storage fault already counts this time. The total is limited to the
 * time that the operator allows for faults of this gateway, so that every job ends.
 */
export function deliveryLatenessMs(
  { deliveryLimits, now }: Pick<StepDeps, 'deliveryLimits' | 'now'>,
  work: JobWork,
): number {
  const { fetchDueAt, deliveringAt, storeFault, lateMs = 0 } = work
  // Records of older versions lack the due time of a repeated attempt.
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

/** `undefined` removes a field. */
export function withWork(job: Job, changes: WorkChanges): Job {
  const work = Object.fromEntries(
    Object.entries({ ...job.work, ...changes }).filter(([, value]) => value !== undefined),
  )
  return { ...job, work: work as JobWork }
}
