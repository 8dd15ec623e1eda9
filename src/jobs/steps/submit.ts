import { fault } from '../../../providers/faults.ts'
import { deriveAttemptId, nextAttemptNumber } from '../attempt.ts'
import type { Job } from '../job.ts'
import type { JournalEntry } from '../journal/journal-files.ts'
import { createTransition, type NextStep } from '../store/transition.ts'
import type { StepDeps } from './deps.ts'
import { failOver, retryOrFailOver } from './fail-over.ts'
import { canceledFault, endUnpurchasedJob, expiredFault, rescheduleStep } from './finish.ts'
import { explainMissingKey, waitForKey } from './missing-key.ts'
import { purchase } from './purchase.ts'
import { acquireSlot, releaseSlot, slotRetryMs } from './upstream-slot.ts'

/** Another process may find out earlier that the key is accepted again. */
const maxRetryWaitMs = 30_000

/** Acquires a slot, uploads the inputs and purchases the job. */
export async function submitJob(deps: StepDeps, job: Job): Promise<NextStep> {
  const name = job.work.route[0]
  const dueAttemptId = name && deriveAttemptId(job.view.id, name, nextAttemptNumber(job))
  const lostAttempt =
    dueAttemptId && deps.journal.hasMade(dueAttemptId) ? await deps.journal.find(dueAttemptId) : undefined
  if (lostAttempt && lostAttempt !== 'discarded') return resumeLostAttempt(deps, job, lostAttempt)
  if (job.cancelRequested) return endUnpurchasedJob(deps, job, canceledFault)
  if (deps.now() > job.work.deadlineAt) return endUnpurchasedJob(deps, job, expiredFault)
  if (name === undefined)
    return endUnpurchasedJob(deps, job, fault('upstream_error', 'No upstream is left for this job'))

  const reason = explainMissingKey(deps, job, name)
  if (reason !== undefined) {
    const others = job.work.route.slice(1)
    const isCallableElsewhere = others.some((other) => explainMissingKey(deps, job, other) === undefined)
    return isCallableElsewhere
      ? retryOrFailOver(deps, job, fault('bad_credentials', reason))
      : waitForKey(deps, job, reason)
  }

  if (!(await acquireSlot(deps, job, name))) {
    const at = deps.now() + slotRetryMs
    await deps.store.write(job, createTransition(job, { at, now: deps.now() }))
    return { kind: 'wait', at }
  }

  const upstream = deps.routing.find({ id: job.view.model }, name)
  if (upstream === undefined)
    return retryOrFailOver(deps, job, fault('endpoint_gone', `${name} no longer renders this model`))
  const rejectedKey = await deps.rejectedKeys?.find(upstream)
  const isLastUpstream = job.work.route.length === 1
  const isSkipped =
    rejectedKey !== undefined &&
    job.work.retriesKey !== true &&
    !(rejectedKey.retryAt <= deps.now() && (await deps.rejectedKeys?.claimRetry(upstream)))
  if (isSkipped && !isLastUpstream)
    return failOver(deps, job, fault(rejectedKey.code, `${rejectedKey.title} rejects its key`))
  if (isSkipped) return waitForRetry(deps, job, rejectedKey.retryAt)
  const uploadTarget = { ...upstream, config: deps.upstreams[name] }
  const prepared = await deps.inputUploader.prepare(job.view.id, job.input, uploadTarget, job.work.handed)
  if (prepared.kind === 'busy') return rescheduleStep(deps, job, prepared.waitMs)
  if (prepared.kind === 'failed') {
    await deps.rejectedKeys?.reportFault(upstream, prepared.fault)
    return retryOrFailOver(deps, job, prepared.fault)
  }
  try {
    return await purchase(deps, job, name, prepared)
  } finally {
    prepared.release()
  }
}

/**
 * The job was accepted before the key was rejected, or by a process with another key. It waits until another job has retried the key, and releases
 * its slot for that job.
 */
async function waitForRetry(deps: StepDeps, job: Job, retryAt: number): Promise<NextStep> {
  const now = deps.now()
  const nextAt = Math.min(Math.max(retryAt, now + 1000), now + maxRetryWaitMs, job.work.deadlineAt + 1)
  const nextStep = await rescheduleStep(deps, job, nextAt - now)
  await releaseSlot(deps, job)
  return nextStep
}

/** The journal has the attempt that is due, so Redis has lost it. */
async function resumeLostAttempt(
  deps: StepDeps,
  job: Job,
  { attempt, number, handed }: JournalEntry,
): Promise<NextStep> {
  const now = deps.now()
  const work = { attempt, attempts: number, handed, misses: 0 }
  const reason = 'restored: Redis had lost the attempt'
  await deps.store.write(
    job,
    createTransition(job, { view: { state: 'submitting' }, work, reason, at: now, now }),
  )
  return { kind: 'wait', at: now }
}
