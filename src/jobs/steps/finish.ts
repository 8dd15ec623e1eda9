import { type Fault, fault } from '../../../providers/fault.ts'
import type { Job } from '../job.ts'
import type { Change } from '../store/store.ts'
import { change, failure, type Next } from '../store/transition.ts'
import type { Parts } from './deps.ts'
import { leavePlace } from './upstream-slot.ts'

export const canceled = fault('canceled', 'canceled')
export const expired = fault('timeout', 'No upstream took the job in time')

/** Ends a job that did not succeed. */
export async function finish(parts: Parts, job: Job, found: Fault): Promise<Next> {
  const end = failure(job, found, parts.now())
  if (await put(parts, job, end)) {
    parts.logger.info(
      { job: job.view.id, model: job.view.model, code: found.code, detail: found.message },
      `job ${end.view.state}`,
    )
    await leavePlace(parts, job)
    const mayFinishLate = found.code === 'timeout' || found.code === 'task_lost'
    if (mayFinishLate && job.work.ticket !== undefined) await parts.watchLate(job.view.id)
  }
  return { kind: 'end' }
}

/** Ends a job that was not purchased; not while another server has just taken over, which may have forgotten a purchase. */
export async function endUnpurchased(parts: Parts, job: Job, found: Fault): Promise<Next> {
  const pausedMs = await parts.store.purchasesPausedMs()
  return pausedMs > 0 ? pause(parts, job, pausedMs) : finish(parts, job, found)
}

/** Nothing changes; the next step comes later. */
export async function pause(parts: Parts, job: Job, ms: number): Promise<Next> {
  const at = parts.now() + ms
  await parts.store.write(job, change(job, { at, now: parts.now() }))
  return { kind: 'wait', at }
}

/** While an attempt is open its answer counts, whoever holds the latest step. */
export function put(parts: Parts, job: Job, next: Change): Promise<boolean> {
  const { attempt } = job.work
  const answers = job.view.state === 'submitting' && attempt !== undefined
  return answers ? parts.store.writeAnswer(job, next) : parts.store.write(job, next)
}
