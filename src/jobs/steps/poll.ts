import { type Fault, fault, faults } from '../../../providers/faults.ts'
import type { Outcome, ProviderName, Reply, TaskReference } from '../../../providers/provider.ts'
import { limitOutcome } from '../../upstreams/reply-limits.ts'
import { requireUpstream } from '../attempt.ts'
import type { Job } from '../job.ts'
import { estimateProgress, nextPollDelayMs, retryDelayMs } from '../poll-schedule.ts'
import { deliveryQueue } from '../queues.ts'
import { createTransition, type NextStep } from '../store/transition.ts'
import type { StepDeps } from './deps.ts'
import { endJob } from './finish.ts'
import { explainMissingKey, waitForKey } from './missing-key.ts'
import { estimateRenderMs } from './store-outcome.ts'
import { releaseSlot } from './upstream-slot.ts'

/** This long after the cancel call, a task counts as canceled. */
const cancelGraceMs = 60_000
/** A task counts as lost only after this many polls in a row that report it unknown. */
const denialsBeforeLost = 6

/** Polls the task once. A failed poll alone never ends a job. */
export async function pollJob(deps: StepDeps, job: Job): Promise<NextStep> {
  const { ticket, attempt } = job.work
  if (ticket === undefined || attempt === undefined) throw new Error('a running job has a ticket')
  const reason = explainMissingKey(deps, job, attempt.provider)
  if (reason !== undefined) return waitForKey(deps, job, reason)

  const polledJob =
    job.cancelRequested && job.work.cancelSentAt === undefined
      ? await cancelTask(deps, job, ticket, attempt.provider)
      : job
  if (polledJob === 'stopped') return endJob(deps, job, fault('canceled', 'canceled'))

  const outcome = await pollTask(deps, polledJob.view.model, ticket, attempt.provider)
  if (outcome.kind === 'failed' && outcome.fault.code !== 'task_lost') {
    return endJob(
      deps,
      polledJob,
      polledJob.work.cancelSentAt === undefined ? outcome.fault : fault('canceled', 'canceled'),
    )
  }
  if (outcome.kind === 'done') return startDelivery(deps, polledJob, outcome)
  const { cancelSentAt, deadlineAt } = polledJob.work
  if (cancelSentAt !== undefined && deps.now() - cancelSentAt > cancelGraceMs)
    return endJob(deps, polledJob, fault('canceled', 'canceled'))
  // After the poll: the last poll may be long ago, and a finished task has been paid for.
  if (deps.now() > deadlineAt)
    return endJob(deps, polledJob, fault('timeout', 'The upstream did not finish in time'))
  // An upstream that reports a task unknown may find it again later.
  if (outcome.kind === 'unclear' || outcome.kind === 'failed')
    return recordMiss(deps, polledJob, outcome.fault)
  return writeProgress(deps, polledJob, outcome, attempt.provider)
}

/** The upstream's status of a task; this may take several calls. Never rejects. */
export async function pollTask(
  deps: StepDeps,
  model: string,
  firstTicket: TaskReference,
  name: ProviderName,
): Promise<Outcome> {
  try {
    return limitOutcome(await callUpstream(deps, model, firstTicket, name))
  } catch (cause) {
    return { kind: 'unclear', fault: fault('unreadable_reply', `${name} could not be polled: ${cause}`) }
  }
}

async function callUpstream(
  deps: StepDeps,
  model: string,
  firstTicket: TaskReference,
  name: ProviderName,
): Promise<Outcome> {
  const { provider, config } = requireUpstream(deps, model, name)
  let ticket = firstTicket
  for (;;) {
    const callResult = await deps.transport.send(provider, config, provider.poll(ticket))
    const outcome: Outcome =
      callResult.kind === 'reply'
        ? ignoreKeyFault(callResult.reply, provider.read(callResult.reply, ticket))
        : { kind: 'unclear', fault: callResult.fault }
    const mustPollAgain =
      outcome.kind === 'running' &&
      outcome.now === true &&
      JSON.stringify(outcome.ticket) !== JSON.stringify(ticket)
    if (!mustPollAgain) return outcome
    ticket = outcome.ticket
  }
}

/** A reply that rejects our key says nothing about the task, which may be in progress and paid for. */
export function ignoreKeyFault<Result extends { kind: string }>(
  reply: Reply,
  outcome: Result | Outcome,
): Result | Outcome {
  const isKeyStatus = [401, 402, 403].includes(reply.status)
  if (!isKeyStatus || !('fault' in outcome) || faults[outcome.fault.code].blame !== 'operator') return outcome
  return { kind: 'unclear', fault: outcome.fault }
}

async function cancelTask(
  deps: StepDeps,
  job: Job,
  ticket: TaskReference,
  name: ProviderName,
): Promise<Job | 'stopped'> {
  const provider = deps.routing.find({ id: job.view.model }, name)?.provider
  if (provider?.cancel === undefined) return 'stopped'
  await deps.transport.send(provider, deps.upstreams[name], provider.cancel(ticket))
  return { ...job, work: { ...job.work, cancelSentAt: deps.now() } }
}

async function writeProgress(
  deps: StepDeps,
  job: Job,
  outcome: Outcome & { kind: 'running' },
  name: ProviderName,
): Promise<NextStep> {
  const now = deps.now()
  const { work } = job
  const renderMs = await estimateRenderMs(deps, job, name)
  const elapsedMs = Math.max(0, now - (work.takenAt ?? job.view.createdAt))
  const estimatedProgress = outcome.stage === 'queued' ? 0 : estimateProgress({ elapsedMs, renderMs })
  const at =
    now + nextPollDelayMs({ elapsedMs, renderMs, polls: work.polls + 1, maxDelayMs: deps.maxPollIntervalMs })
  const transition = createTransition(job, {
    view: {
      state: outcome.stage,
      progress: Math.min(outcome.progress ?? estimatedProgress, 99),
      expectedAt: now + Math.max(renderMs - elapsedMs, 0),
    },
    work: { ticket: outcome.ticket, polls: work.polls + 1, misses: 0, denials: 0 },
    at,
    now,
  })
  await deps.store.write(job, transition)
  return { kind: 'wait', at }
}

async function startDelivery(
  deps: StepDeps,
  job: Job,
  { videos, costUsd }: Outcome & { kind: 'done' },
): Promise<NextStep> {
  const now = deps.now()
  const { attempt, takenAt } = job.work
  const transition = createTransition(job, {
    view: { state: 'delivering' },
    work: {
      results: videos,
      deliveringAt: now,
      misses: 0,
      polls: job.work.polls + 1,
      ...(costUsd === undefined ? {} : { upstreamCostUsd: costUsd }),
    },
    now,
  })
  if (!(await deps.store.write(job, { ...transition, queue: deliveryQueue }))) return { kind: 'end' }
  await releaseSlot(deps, job)
  // The start time of an adopted task is unknown.
  if (attempt !== undefined && takenAt !== undefined && job.view.adoptions === undefined) {
    await deps.renderTimes.addMeasurement(job.view.model, attempt.provider, Math.max(0, now - takenAt))
  }
  return { kind: 'end' }
}

/** A poll can only show that a key is invalid: without credit, polls still work. */
async function reportRejectedKey(deps: StepDeps, job: Job, pollFault: Fault): Promise<void> {
  const { attempt } = job.work
  const upstream = attempt && deps.routing.find({ id: job.view.model }, attempt.provider)
  if (upstream === undefined || pollFault.code !== 'bad_credentials') return
  if ((await deps.rejectedKeys?.find(upstream)) === undefined)
    await deps.rejectedKeys?.reportFault(upstream, pollFault)
}

/** A poll without a status: the job continues, unless the upstream has reported the task unknown for long enough. */
async function recordMiss(deps: StepDeps, job: Job, pollFault: Fault): Promise<NextStep> {
  const now = deps.now()
  await reportRejectedKey(deps, job, pollFault)
  const misses = job.work.misses + 1
  const isTaskUnknown = pollFault.code === 'task_lost' || pollFault.code === 'endpoint_gone'
  const denials = isTaskUnknown ? (job.work.denials ?? 0) + 1 : 0
  const deniedSince = (denials > 1 ? job.work.deniedSince : undefined) ?? now
  if (isTaskUnknown && job.work.cancelSentAt !== undefined)
    return endJob(deps, job, fault('canceled', 'canceled'))
  if (denials >= denialsBeforeLost && now - deniedSince >= deps.taskLostMs)
    return endJob(deps, job, fault('task_lost', 'The upstream no longer knows the job'))
  const retryAt = now + (pollFault.retryAfterMs ?? retryDelayMs(misses, deps.maxPollIntervalMs))
  const at = Math.min(retryAt, job.work.deadlineAt + 1)
  const work = { misses, denials, deniedSince, polls: job.work.polls + 1 }
  await deps.store.write(job, createTransition(job, { work, at, now }))
  return { kind: 'wait', at }
}
