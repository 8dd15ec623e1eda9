import { overdueAfterMs } from '../job.ts'
import { deliveryQueue } from '../queues.ts'
import { createTransition, type NextStep } from '../store/transition.ts'
import { deliverResult } from './deliver.ts'
import { depsForJob, type StepDeps } from './deps.ts'
import { pollJob } from './poll.ts'
import { reconcileSubmission } from './reconcile.ts'
import { submitJob } from './submit.ts'

/** One step of one job: takes the record, does one thing, writes what came of it and says when to come again. */
export async function runStep(
  deps: StepDeps,
  id: string,
  queue: string,
): Promise<NextStep | { kind: 'absent' }> {
  const now = deps.now()
  const job = await deps.store.claimStep(id, now + 2 * deps.callTimeoutMs + overdueAfterMs)
  if (job === 'ended') return { kind: 'end' }
  if (job === 'absent') return { kind: 'absent' }
  if (job === 'early') return { kind: 'wait', at: await deps.store.earliestStepAt(id) }

  const jobDeps = depsForJob(deps, job.view)
  const { state } = job.view
  const jobQueue = state === 'delivering' ? deliveryQueue : job.work.route[0]
  if (jobQueue !== undefined && jobQueue !== queue) {
    await jobDeps.store.write(job, createTransition(job, { now }))
    return { kind: 'move', queue: jobQueue }
  }
  if (state === 'pending') return submitJob(jobDeps, job)
  if (state === 'submitting') return reconcileSubmission(jobDeps, job)
  if (state === 'delivering') return deliverResult(jobDeps, job)
  return pollJob(jobDeps, job)
}
