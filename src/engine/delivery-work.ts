import type { Job, Work } from './job.ts'
import type { Parts } from './parts.ts'

/** When the upstream has had its time to deliver. What our storage and our own limits took of it is given back. */
export function endsAt(parts: Parts, work: Work): number {
  const now = parts.now()
  const { deliveringAt = now, deadlineAt, slotWaitMs = 0 } = work
  const { timeoutMs, graceMs } = parts.delivery
  const deadline = Math.max(deadlineAt, deliveringAt + graceMs)
  return Math.min(deliveringAt + timeoutMs, deadline) + lostToStorage(work, now) + slotWaitMs
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
