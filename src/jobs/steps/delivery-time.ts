import { type Job, overdueMs, type Work } from '../job.ts'
import type { Parts } from './deps.ts'

/** When the upstream has had its time to deliver. The time that our storage, our limits and our absence took of it is given back. */
export function endsAt(parts: Parts, work: Work): number {
  const now = parts.now()
  const { deliveringAt = now, deadlineAt, slotWaitMs = 0, lateMs = 0 } = work
  const { timeoutMs, graceMs } = parts.delivery
  const deadline = Math.max(deadlineAt, deliveringAt + graceMs)
  return Math.min(deliveringAt + timeoutMs, deadline) + lostToStorage(work, now) + slotWaitMs + lateMs
}

/**
 * How much time this attempt lost because no worker was there when it was due. A storage fault that is open counts the same time already.
 * The sum is bounded by the time that an operator allows for faults of ours, so that every job ends.
 */
export function latenessMs({ delivery, now }: Pick<Parts, 'delivery' | 'now'>, work: Work): number {
  const { fetchDueAt, deliveringAt, storeFault, lateMs = 0 } = work
  // Records of older versions do not say when a repeated attempt was due.
  const dueAt = fetchDueAt ?? (wasTried(work) ? undefined : deliveringAt)
  if (dueAt === undefined || storeFault !== undefined) return lateMs
  const late = now() - dueAt
  return late > overdueMs ? Math.min(lateMs + late, delivery.storageRetryMs) : lateMs
}

export function lostToStorage({ storeFault, storeFaultMs = 0 }: Work, now: number): number {
  return storeFaultMs + (storeFault === undefined ? 0 : Math.max(0, now - storeFault.since))
}

export function wasTried({ misses, storeFault, storeFaultMs }: Work): boolean {
  return misses > 0 || storeFault !== undefined || storeFaultMs !== undefined
}

type Changes = { [Name in keyof Work]?: Work[Name] | undefined }

/** `undefined` takes a member away. */
export function withWork(job: Job, changes: Changes): Job {
  const work = Object.fromEntries(
    Object.entries({ ...job.work, ...changes }).filter(([, value]) => value !== undefined),
  )
  return { ...job, work: work as Work }
}
