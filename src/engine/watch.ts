import { type Fault, fault } from '../../providers/fault.ts'
import type { Outcome, ProviderName, Ticket } from '../../providers/provider.ts'
import { change, type Next } from './change.ts'
import type { Job } from './job.ts'
import { guessProgress, nextPollMs, nextTryMs } from './pace.ts'
import { type Parts, upstreamOf } from './parts.ts'
import { leavePlace } from './place.ts'
import { delivery } from './queues.ts'
import { finish, usual } from './submit.ts'

/** After this long a task that was asked to stop is taken for stopped. */
const cancelGraceMs = 60_000
/** How often in a row an upstream must say that it does not know the task. */
const missesBeforeLost = 6

/** Asks the upstream how the task fares: one poll, free, and never a reason to end a job by itself. */
export async function watch(parts: Parts, job: Job): Promise<Next> {
  const { ticket, attempt } = job.work
  if (ticket === undefined || attempt === undefined) throw new Error('a running job has a ticket')
  if (parts.now() > job.work.deadlineAt)
    return finish(parts, job, fault('timeout', 'The upstream did not finish in time'))

  const held =
    job.cancelAsked && job.work.cancelSentAt === undefined
      ? await askToStop(parts, job, ticket, attempt.provider)
      : job
  if (held === 'stopped') return finish(parts, job, fault('canceled', 'canceled'))

  const outcome = await poll(parts, held, ticket, attempt.provider)
  if (outcome.kind === 'failed') {
    return finish(
      parts,
      held,
      held.work.cancelSentAt === undefined ? outcome.fault : fault('canceled', 'canceled'),
    )
  }
  if (outcome.kind === 'unclear') return miss(parts, held, outcome.fault)
  if (outcome.kind === 'done') return fetchResults(parts, held, outcome)
  return goOn(parts, held, outcome, attempt.provider)
}

async function poll(parts: Parts, job: Job, first: Ticket, name: ProviderName): Promise<Outcome> {
  const { provider, config } = upstreamOf(parts, job.view.model, name)
  let ticket = first
  for (;;) {
    const sent = await parts.transport.send(provider, config, provider.poll(ticket))
    const outcome: Outcome =
      sent.kind === 'reply' ? provider.read(sent.reply, ticket) : { kind: 'unclear', fault: sent.fault }
    const turned =
      outcome.kind === 'running' &&
      outcome.now === true &&
      JSON.stringify(outcome.ticket) !== JSON.stringify(ticket)
    if (!turned) return outcome
    ticket = outcome.ticket
  }
}

async function askToStop(
  parts: Parts,
  job: Job,
  ticket: Ticket,
  name: ProviderName,
): Promise<Job | 'stopped'> {
  const { provider, config } = upstreamOf(parts, job.view.model, name)
  if (provider.cancel === undefined) return 'stopped'
  await parts.transport.send(provider, config, provider.cancel(ticket))
  return { ...job, work: { ...job.work, cancelSentAt: parts.now() } }
}

async function goOn(
  parts: Parts,
  job: Job,
  outcome: Outcome & { kind: 'running' },
  name: ProviderName,
): Promise<Next> {
  const now = parts.now()
  const { work } = job
  if (work.cancelSentAt !== undefined && now - work.cancelSentAt > cancelGraceMs)
    return finish(parts, job, fault('canceled', 'canceled'))
  const usualMs = await usual(parts, job, name)
  const elapsedMs = now - (work.takenAt ?? job.view.createdAt)
  const guessed = outcome.stage === 'queued' ? 0 : guessProgress({ elapsedMs, usualMs })
  const at = now + nextPollMs({ elapsedMs, usualMs, polls: work.polls + 1, longestMs: parts.longestPollMs })
  const running = change(job, {
    view: {
      state: outcome.stage,
      progress: Math.min(outcome.progress ?? guessed, 99),
      expectedAt: now + Math.max(usualMs - elapsedMs, 0),
    },
    work: { ticket: outcome.ticket, polls: work.polls + 1, misses: 0 },
    at,
    now,
  })
  await parts.store.write(job, running)
  return { kind: 'wait', at }
}

async function fetchResults(
  parts: Parts,
  job: Job,
  { videos, costUsd }: Outcome & { kind: 'done' },
): Promise<Next> {
  const now = parts.now()
  const { attempt, takenAt } = job.work
  const fetching = change(job, {
    view: { state: 'delivering' },
    work: {
      results: videos,
      misses: 0,
      polls: job.work.polls + 1,
      ...(costUsd === undefined ? {} : { upstreamCostUsd: costUsd }),
    },
    now,
  })
  if (!(await parts.store.write(job, fetching))) return { kind: 'end' }
  await leavePlace(parts, job)
  if (attempt !== undefined && takenAt !== undefined) {
    await parts.renderTimes.learn(job.view.model, attempt.provider, now - takenAt)
  }
  return { kind: 'move', queue: delivery }
}

/** A poll that told nothing: the job lives on, unless the upstream keeps saying that it does not know it. */
async function miss(parts: Parts, job: Job, found: Fault): Promise<Next> {
  const misses = job.work.misses + 1
  const unknownThere = found.code === 'task_lost' || found.code === 'endpoint_gone'
  if (unknownThere && misses >= missesBeforeLost) {
    return finish(parts, job, fault('task_lost', 'The upstream no longer knows the job'))
  }
  const now = parts.now()
  const at = now + (found.retryAfterMs ?? nextTryMs(misses, parts.longestPollMs))
  await parts.store.write(job, change(job, { work: { misses, polls: job.work.polls + 1 }, at, now }))
  return { kind: 'wait', at }
}
