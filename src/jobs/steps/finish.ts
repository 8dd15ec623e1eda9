import { type Fault, fault } from '../../../providers/faults.ts'
import type { Job } from '../job.ts'
import {
  createFailedTransition,
  createTransition,
  type NextStep,
  type Transition,
} from '../store/transition.ts'
import type { StepDeps } from './deps.ts'
import { releaseSlot } from './upstream-slot.ts'

export const canceledFault = fault('canceled', 'canceled')
export const expiredFault = fault('timeout', 'No upstream accepted the job in time')

/** Ends a job that did not succeed. */
export async function endJob(deps: StepDeps, job: Job, jobFault: Fault): Promise<NextStep> {
  const transition = createFailedTransition(job, jobFault, deps.now())
  if (await writeTransition(deps, job, transition)) {
    await releaseSlot(deps, job)
    const mayFinishLate = jobFault.code === 'timeout' || jobFault.code === 'task_lost'
    if (mayFinishLate && job.work.ticket !== undefined) await deps.schedulePollForLateResult(job.view.id)
  }
  return { kind: 'end' }
}

/** Ends a job that was not purchased. Waits while purchases are paused: after a failover, Redis may have lost a purchase. */
export async function endUnpurchasedJob(deps: StepDeps, job: Job, jobFault: Fault): Promise<NextStep> {
  const pausedMs = await deps.store.purchasesPausedMs()
  return pausedMs > 0 ? rescheduleStep(deps, job, pausedMs) : endJob(deps, job, jobFault)
}

/** Changes nothing except the time of the next step. */
export async function rescheduleStep(deps: StepDeps, job: Job, delayMs: number): Promise<NextStep> {
  const at = deps.now() + delayMs
  await deps.store.write(job, createTransition(job, { at, now: deps.now() }))
  return { kind: 'wait', at }
}

/** While an attempt is open, its reply is written even if another step has claimed the job since. */
export function writeTransition(deps: StepDeps, job: Job, transition: Transition): Promise<boolean> {
  const { attempt } = job.work
  const isAttemptOpen = job.view.state === 'submitting' && attempt !== undefined
  return isAttemptOpen ? deps.store.writeReply(job, transition) : deps.store.write(job, transition)
}
