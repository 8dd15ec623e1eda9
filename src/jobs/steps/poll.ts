import { type Fault, fault, faults } from '../../../providers/fault.ts'
import type { Outcome, ProviderName, Reply, Ticket } from '../../../providers/provider.ts'
import { limitReply } from '../../upstreams/reply-limits.ts'
import type { Job } from '../job.ts'
import { guessProgress, nextPollMs, nextTryMs } from '../poll-schedule.ts'
import { delivery } from '../queues.ts'
import { change, type Next } from '../store/transition.ts'
import { type Parts, upstreamOf } from './deps.ts'
import { finish } from './finish.ts'
import { waitForKey, whyNotCalled } from './missing-key.ts'
import { usual } from './store-outcome.ts'
import { leavePlace } from './upstream-slot.ts'

/** After this long a task that was asked to stop is taken for stopped. */
const cancelGraceMs = 60_000
/** How often in a row an upstream must say that it does not know the task, however long that takes. */
const denialsBeforeLost = 6

/** Asks the upstream how the task fares: one poll, free, and never a reason to end a job by itself. */
export async function watch(parts: Parts, job: Job): Promise<Next> {
  const { ticket, attempt } = job.work
  if (ticket === undefined || attempt === undefined) throw new Error('a running job has a ticket')
  const reason = whyNotCalled(parts, job, attempt.provider)
  if (reason !== undefined) return waitForKey(parts, job, reason)

  const held =
    job.cancelAsked && job.work.cancelSentAt === undefined
      ? await askToStop(parts, job, ticket, attempt.provider)
      : job
  if (held === 'stopped') return finish(parts, job, fault('canceled', 'canceled'))

  const outcome = await poll(parts, held.view.model, ticket, attempt.provider)
  if (outcome.kind === 'failed' && outcome.fault.code !== 'task_lost') {
    return finish(
      parts,
      held,
      held.work.cancelSentAt === undefined ? outcome.fault : fault('canceled', 'canceled'),
    )
  }
  if (outcome.kind === 'done') return fetchResults(parts, held, outcome)
  const { cancelSentAt, deadlineAt } = held.work
  if (cancelSentAt !== undefined && parts.now() - cancelSentAt > cancelGraceMs)
    return finish(parts, held, fault('canceled', 'canceled'))
  // Only now: nobody may have asked for a long while, and what is finished has been paid for.
  if (parts.now() > deadlineAt)
    return finish(parts, held, fault('timeout', 'The upstream did not finish in time'))
  // An upstream that does not know a task now may know it again.
  if (outcome.kind === 'unclear' || outcome.kind === 'failed') return miss(parts, held, outcome.fault)
  return goOn(parts, held, outcome, attempt.provider)
}

/** What an upstream says of a task; it may take several calls. Throws never. */
export async function poll(parts: Parts, model: string, first: Ticket, name: ProviderName): Promise<Outcome> {
  try {
    return limitReply(await ask(parts, model, first, name))
  } catch (cause) {
    return { kind: 'unclear', fault: fault('unreadable_reply', `${name} could not be asked: ${cause}`) }
  }
}

async function ask(parts: Parts, model: string, first: Ticket, name: ProviderName): Promise<Outcome> {
  const { provider, config } = upstreamOf(parts, model, name)
  let ticket = first
  for (;;) {
    const sent = await parts.transport.send(provider, config, provider.poll(ticket))
    const outcome: Outcome =
      sent.kind === 'reply'
        ? aboutTheJob(sent.reply, provider.read(sent.reply, ticket))
        : { kind: 'unclear', fault: sent.fault }
    const turned =
      outcome.kind === 'running' &&
      outcome.now === true &&
      JSON.stringify(outcome.ticket) !== JSON.stringify(ticket)
    if (!turned) return outcome
    ticket = outcome.ticket
  }
}

/** A reply that rejects our key says nothing of the job: it may be rendered, and is paid for. */
export function aboutTheJob<Found extends { kind: string }>(
  reply: Reply,
  found: Found | Outcome,
): Found | Outcome {
  const isAboutTheKey = [401, 402, 403].includes(reply.status)
  if (!isAboutTheKey || !('fault' in found) || faults[found.fault.code].blame !== 'operator') return found
  return { kind: 'unclear', fault: found.fault }
}

async function askToStop(
  parts: Parts,
  job: Job,
  ticket: Ticket,
  name: ProviderName,
): Promise<Job | 'stopped'> {
  const provider = parts.offers.find({ id: job.view.model }, name)?.provider
  if (provider?.cancel === undefined) return 'stopped'
  await parts.transport.send(provider, parts.upstreams[name], provider.cancel(ticket))
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
  const usualMs = await usual(parts, job, name)
  const elapsedMs = Math.max(0, now - (work.takenAt ?? job.view.createdAt))
  const guessed = outcome.stage === 'queued' ? 0 : guessProgress({ elapsedMs, usualMs })
  const at = now + nextPollMs({ elapsedMs, usualMs, polls: work.polls + 1, longestMs: parts.longestPollMs })
  const running = change(job, {
    view: {
      state: outcome.stage,
      progress: Math.min(outcome.progress ?? guessed, 99),
      expectedAt: now + Math.max(usualMs - elapsedMs, 0),
    },
    work: { ticket: outcome.ticket, polls: work.polls + 1, misses: 0, denials: 0 },
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
  const found = change(job, {
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
  if (!(await parts.store.write(job, { ...found, queue: delivery }))) return { kind: 'end' }
  await leavePlace(parts, job)
  // When the upstream took an adopted task is not known.
  if (attempt !== undefined && takenAt !== undefined && job.view.adoptions === undefined) {
    await parts.renderTimes.learn(job.view.model, attempt.provider, Math.max(0, now - takenAt))
  }
  return { kind: 'end' }
}

/** Polls tell only of a key that is not accepted; one without credit may still be asked. */
async function reportRejectedKey(parts: Parts, job: Job, found: Fault): Promise<void> {
  const { attempt } = job.work
  const upstream = attempt && parts.offers.find({ id: job.view.model }, attempt.provider)
  if (upstream === undefined || found.code !== 'bad_credentials') return
  if ((await parts.rejectedKeys?.find(upstream)) === undefined)
    await parts.rejectedKeys?.reportFault(upstream, found)
}

/** A poll that told nothing: the job lives on, unless the upstream keeps saying that it does not know it. */
async function miss(parts: Parts, job: Job, found: Fault): Promise<Next> {
  const now = parts.now()
  await reportRejectedKey(parts, job, found)
  const misses = job.work.misses + 1
  const unknownThere = found.code === 'task_lost' || found.code === 'endpoint_gone'
  const denials = unknownThere ? (job.work.denials ?? 0) + 1 : 0
  const deniedSince = (denials > 1 ? job.work.deniedSince : undefined) ?? now
  if (unknownThere && job.work.cancelSentAt !== undefined)
    return finish(parts, job, fault('canceled', 'canceled'))
  if (denials >= denialsBeforeLost && now - deniedSince >= parts.taskLostMs)
    return finish(parts, job, fault('task_lost', 'The upstream no longer knows the job'))
  const soon = now + (found.retryAfterMs ?? nextTryMs(misses, parts.longestPollMs))
  const at = Math.min(soon, job.work.deadlineAt + 1)
  const work = { misses, denials, deniedSince, polls: job.work.polls + 1 }
  await parts.store.write(job, change(job, { work, at, now }))
  return { kind: 'wait', at }
}
