import { type Fault, fault } from '../../../providers/faults.ts'
import type { Outcome, Provider, ProviderName, TaskReference } from '../../../providers/provider.ts'
import { limitOutcome } from '../../upstreams/reply-limits.ts'
import { findClaimant } from '../attempt.ts'
import type { Attempt, Job } from '../job.ts'
import { nextPollDelayMs } from '../poll-schedule.ts'
import { deliveryQueue } from '../queues.ts'
import { repeatsInput } from '../repeats-input.ts'
import { createTransition, type NextStep } from '../store/transition.ts'
import type { StepDeps } from './deps.ts'
import { retryOrFailOver } from './fail-over.ts'
import { persistReply } from './persist-reply.ts'
import { releaseSlot } from './upstream-slot.ts'

/** Delay before a lost reply is searched for. */
const reconcileIntervalMs = 1000

/** Stores the outcome of an attempt, first in the journal, then in Redis, with retries: the reply cannot be requested again. */
export async function storeOutcome(deps: StepDeps, job: Job, rawOutcome: Outcome): Promise<NextStep> {
  const outcome = limitOutcome(rawOutcome)
  const { attempt } = job.work
  if (attempt === undefined) throw new Error('a job without an attempt has no reply')
  if (outcome.kind === 'running' || outcome.kind === 'done')
    await deps.journal.storeReply(attempt.id, outcome)
  await reportKeyResult(deps, job, attempt, outcome)
  const nextStep = await persistReply(deps, () => writeOutcome(deps, job, outcome))
  if (outcome.kind === 'failed') await deps.journal.discard(attempt.id)
  else if (outcome.kind !== 'unclear') deps.journal.markStored(attempt.id)
  return nextStep
}

/**
 * Whether the upstream accepts its key is known before the job's client can submit the next one. A message that repeats the input is about the
 * job: what it seems to say about the key may be the client's own words.
 */
async function reportKeyResult(
  deps: StepDeps,
  job: Job,
  { provider }: Attempt,
  outcome: Outcome,
): Promise<void> {
  const upstream = deps.routing.find({ id: job.view.model }, provider)
  if (upstream === undefined) return
  if (outcome.kind === 'failed' && !repeatsInput(outcome.fault.message, job.input))
    await deps.rejectedKeys?.reportFault(upstream, outcome.fault)
  if (outcome.kind === 'running' || outcome.kind === 'done') await deps.rejectedKeys?.reportSuccess(upstream)
}

async function writeOutcome(deps: StepDeps, job: Job, outcome: Outcome): Promise<NextStep> {
  const { attempt } = job.work
  if (attempt === undefined) throw new Error('a job without an attempt has no reply')
  const { provider, claimant } = findClaimant(deps, job, attempt)
  const now = deps.now()
  if (outcome.kind === 'running' || outcome.kind === 'done') {
    const { ticket } = outcome
    if (ticket !== undefined && !(await deps.store.claimTask(provider, ticket, claimant)))
      return rejectForeignTask(deps, job, provider.task.id(ticket))
  } else await deps.store.clearReplyAwaited(provider.name, claimant)
  if (outcome.kind === 'running') {
    const renderMs = await estimateRenderMs(deps, job, attempt.provider)
    const at =
      now +
      (outcome.now === true
        ? 0
        : nextPollDelayMs({ elapsedMs: 0, renderMs, polls: 0, maxDelayMs: deps.maxPollIntervalMs }))
    const transition = createTransition(job, {
      view: { state: outcome.stage, expectedAt: now + renderMs },
      work: { ticket: outcome.ticket, takenAt: now, misses: 0, refusals: 0, polls: 0 },
      at,
      now,
    })
    if (!(await deps.store.writeReply(job, transition))) {
      await noteLateReply(deps, job, provider, outcome.ticket)
    }
    return { kind: 'wait', at }
  }
  if (outcome.kind === 'done') {
    const { videos, ticket, costUsd } = outcome
    const work = {
      results: videos,
      deliveringAt: now,
      takenAt: now,
      misses: 0,
      ...(ticket === undefined ? {} : { ticket }),
      ...(costUsd === undefined ? {} : { upstreamCostUsd: costUsd }),
    }
    const transition = createTransition(job, { view: { state: 'delivering' }, work, now })
    await deps.store.writeReply(job, { ...transition, queue: deliveryQueue })
    await releaseSlot(deps, job)
    return { kind: 'end' }
  }
  if (outcome.kind === 'failed') return retryOrFailOver(deps, job, outcome.fault)
  return scheduleReconcile(deps, job, outcome.fault)
}

/** The job has changed without this reply. Unless the same reply was stored before, an operator may want to adopt the task. */
async function noteLateReply(
  deps: StepDeps,
  job: Job,
  { name, task }: Provider,
  ticket: TaskReference,
): Promise<void> {
  const { id } = job.view
  const taskId = task.id(ticket)
  const knownTicket = (await deps.store.read(id))?.work.ticket
  if (knownTicket !== undefined && task.id(knownTicket) === taskId) return
  deps.logger.error(
    { job: id, provider: name, task: taskId },
    'Upstream accepted a job that had ended or moved to another upstream',
  )
  await deps.store.addNote(id, { at: deps.now(), kind: 'late_reply', provider: name, text: taskId })
}

/** The reply names a task of another job, so the outcome of this attempt is unknown. */
async function rejectForeignTask(deps: StepDeps, job: Job, taskId: string): Promise<NextStep> {
  const { provider, id = '' } = job.work.attempt ?? {}
  await deps.journal.discardReply(id)
  deps.logger.error({ job: job.view.id, provider, task: taskId }, 'Upstream returned a task of another job')
  return scheduleReconcile(deps, job, fault('unreadable_reply', `${provider} returned a task of another job`))
}

/** The reply was lost: the job stays `submitting`, so that it is not submitted again before the outcome is known. */
async function scheduleReconcile(deps: StepDeps, job: Job, replyFault: Fault): Promise<NextStep> {
  const now = deps.now()
  const misses = job.work.misses + 1
  const at = now + reconcileIntervalMs * Math.min(misses, 8)
  const transition = createTransition(job, {
    work: { misses },
    at,
    now,
    ...(misses === 1 ? { reason: `reply lost: ${replyFault.message}` } : {}),
  })
  await deps.store.write(job, transition)
  return { kind: 'wait', at }
}

/** The expected render time of this model on this upstream, in ms. */
export function estimateRenderMs(deps: StepDeps, job: Job, provider: ProviderName): Promise<number> {
  return deps.renderTimes.estimateMs(job.view.model, provider, deps.defaultRenderMs(job.view.model))
}
