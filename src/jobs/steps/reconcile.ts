import { fault, faults } from '../../../providers/faults.ts'
import type { Outcome } from '../../../providers/provider.ts'
import { shortenFault } from '../../upstreams/reply-limits.ts'
import { buildOrder, findClaimant, replyMarginMs } from '../attempt.ts'
import type { Attempt, Job } from '../job.ts'
import { createTransition, type NextStep } from '../store/transition.ts'
import type { StepDeps } from './deps.ts'
import { returnToPending } from './fail-over.ts'
import { endJob } from './finish.ts'
import { explainMissingKey, waitForKey } from './missing-key.ts'
import { ignoreKeyFault } from './poll.ts'
import { storeOutcome } from './store-outcome.ts'

/** A process that holds a reply which Redis has rejected writes it within this time. */
const lastReplyWaitMs = 3000
/** Number of searches without a task before the same call is sent again, where that is safe. */
const searchesBeforeResending = 2

/**
 * A job found in `submitting` was interrupted between its intent and its reply. It is never resubmitted blindly: the upstream is searched for its
 * task. If the outcome cannot be determined, the job ends as `submission_unknown`.
 */
export async function reconcileSubmission(deps: StepDeps, job: Job): Promise<NextStep> {
  const { attempt, misses } = job.work
  if (attempt === undefined) throw new Error('a job in submitting has an attempt')
  const remembered = await deps.journal.find(attempt.id)
  const upstream = deps.routing.find({ id: job.view.model }, attempt.provider)
  if (remembered === 'discarded') return restartAttempt(deps, job)
  if (remembered?.reply !== undefined && upstream !== undefined) {
    if (await claimReplyTask(deps, job, attempt, remembered.reply))
      return storeOutcome(deps, job, remembered.reply)
  }
  const reason = explainMissingKey(deps, job, attempt.provider)
  if (reason !== undefined) return waitForKey(deps, job, reason)
  const now = deps.now()
  // Another process may still be making the attempt, until its time limit and a margin have passed.
  const underWayUntil = attempt.at + deps.callTimeoutMs + replyMarginMs
  if (misses === 0 && now < underWayUntil) return rescheduleAt(deps, job, underWayUntil)

  const isTimeUp = now - attempt.at > deps.reconcileTimeoutMs
  const unknownFault = fault(
    'submission_unknown',
    `no reply from ${attempt.provider} to attempt ${attempt.id}; it may have accepted it`,
  )
  if (upstream?.provider.find === undefined) {
    const mayBeCalledBack = deps.callbackUrl !== undefined && upstream?.provider.adopt !== undefined
    if (mayBeCalledBack && !isTimeUp) return rescheduleAt(deps, job, attempt.at + deps.reconcileTimeoutMs + 1)
    if (job.work.lastCallAt === undefined) return waitForLastReply(deps, job)
    return endJob(deps, job, unknownFault)
  }

  const searchResult = await searchTask(deps, job, attempt, upstream)
  if (searchResult.kind === 'running' || searchResult.kind === 'done')
    return storeOutcome(deps, job, searchResult)
  if (searchResult.kind === 'failed') return endJob(deps, job, shortenFault(searchResult.fault))
  if (isTimeUp && job.work.lastCallAt === undefined) return waitForLastReply(deps, job)
  if (isTimeUp) return endJob(deps, job, unknownFault)
  const isSafeToResend = upstream.provider.find.safeToResend && misses >= searchesBeforeResending
  // A canceled job is not resubmitted, because it may not have been purchased yet.
  if (searchResult.kind === 'absent' && isSafeToResend && !job.cancelRequested && now <= job.work.deadlineAt)
    return resubmit(deps, job, attempt, upstream)
  return storeOutcome(deps, job, {
    kind: 'unclear',
    fault: searchResult.kind === 'absent' ? unknownFault : searchResult.fault,
  })
}

type Upstream = NonNullable<ReturnType<StepDeps['routing']['find']>>

/** Returns false if the task belongs to another job, which claimed it first. A journal may still name it for this job. */
async function claimReplyTask(deps: StepDeps, job: Job, attempt: Attempt, reply: Outcome): Promise<boolean> {
  if (!('ticket' in reply) || reply.ticket === undefined) return true
  const { provider, claimant } = findClaimant(deps, job, attempt)
  return deps.store.claimTask(provider, reply.ticket, claimant)
}

/** Searches the upstream for the task of an attempt. Never rejects: a job whose search fails must end as well. */
async function searchTask(
  deps: StepDeps,
  job: Job,
  attempt: Attempt,
  { provider, mapping }: Upstream,
): Promise<Outcome | { kind: 'absent' }> {
  try {
    if (provider.find === undefined) return { kind: 'absent' }
    const sentInput = await deps.inputUploader.toSentInput(job.input, attempt.provider, job.work.handed)
    const order = buildOrder(deps, { ...job, input: sentInput }, attempt)
    const call = provider.find.call(mapping, order)
    const callResult = await deps.transport.send(provider, deps.upstreams[attempt.provider], call)
    if (callResult.kind !== 'reply') return { kind: 'unclear', fault: callResult.fault }
    const searchResult = ignoreKeyFault(
      callResult.reply,
      provider.find.read(callResult.reply, order, mapping),
    )
    if (searchResult.kind !== 'candidates') return searchResult
    const { claimant } = findClaimant(deps, job, attempt)
    const awaitedSince = deps.now() - deps.callTimeoutMs - replyMarginMs
    const { hasRestored } = deps
    const claimed = await deps.store.claimCandidate(provider, searchResult, {
      ...claimant,
      awaitedSince,
      hasRestored,
    })
    if (claimed !== 'awaited') return claimed ?? { kind: 'absent' }
    const detail = `${provider.title} has a task that may belong to an identical job whose reply is awaited or not yet restored`
    return { kind: 'unclear', fault: fault('unreadable_reply', detail) }
  } catch (cause) {
    const detail = `${provider.title} could not be searched: ${cause}`
    return { kind: 'unclear', fault: fault('unreadable_reply', detail) }
  }
}

/** Sends the same call with the same ID, of which the upstream accepts at most one. */
async function resubmit(
  deps: StepDeps,
  job: Job,
  firstAttempt: Attempt,
  { provider, mapping }: Upstream,
): Promise<NextStep> {
  const pausedMs = await deps.store.purchasesPausedMs()
  // A later attempt may not have been restored yet.
  if (pausedMs > 0) return rescheduleAt(deps, job, deps.now() + pausedMs)
  const config = deps.upstreams[firstAttempt.provider]
  const prepared = await deps.inputUploader.prepare(
    job.view.id,
    job.input,
    { provider, mapping, config },
    job.work.handed,
  )
  if (prepared.kind === 'busy') return rescheduleAt(deps, job, deps.now() + prepared.waitMs)
  if (prepared.kind === 'failed') return storeOutcome(deps, job, { kind: 'unclear', fault: prepared.fault })
  try {
    const attempt: Attempt = { ...firstAttempt, again: true }
    const now = deps.now()
    const transition = createTransition(job, { work: { attempt }, at: now + deps.callTimeoutMs, now })
    // From here on, a late rejection of the first call cannot fail the job over while this one is in progress.
    if (!(await deps.store.write(job, transition))) return { kind: 'end' }
    const resentJob: Job = { ...job, work: transition.work }
    const order = buildOrder(deps, { ...job, input: prepared.input }, attempt)
    const call = provider.submit(mapping, order)
    const callResult = await deps.transport.send(provider, config, call, {
      purchase: true,
      inline: prepared.inline,
    })
    const outcome = callResult.kind === 'reply' ? provider.accept(callResult.reply, order) : callResult
    if (outcome.kind === 'running' || outcome.kind === 'done') return storeOutcome(deps, resentJob, outcome)
    const { code } = outcome.fault
    // If the input is rejected, the first call was rejected too. Any other rejection says nothing about the first call.
    if (outcome.kind === 'failed' && faults[code].blame === 'client')
      return endJob(deps, resentJob, outcome.fault)
    return storeOutcome(deps, resentJob, { kind: 'unclear', fault: outcome.fault })
  } finally {
    prepared.release()
  }
}

/** The call was not made or was rejected, which the record does not show yet. */
async function restartAttempt(deps: StepDeps, job: Job): Promise<NextStep> {
  const at = deps.now()
  await returnToPending(deps, job, {}, fault('upstream_unreachable', 'The attempt created no task'), at)
  return { kind: 'wait', at }
}

/** Waits once more before the job ends as unknown: a process may still hold a reply that Redis has rejected so far. */
async function waitForLastReply(deps: StepDeps, job: Job): Promise<NextStep> {
  const now = deps.now()
  const at = now + lastReplyWaitMs
  await deps.store.write(job, createTransition(job, { work: { lastCallAt: now }, at, now }))
  return { kind: 'wait', at }
}

async function rescheduleAt(deps: StepDeps, job: Job, at: number): Promise<NextStep> {
  await deps.store.write(job, createTransition(job, { at, now: deps.now() }))
  return { kind: 'wait', at }
}
