import { type Fault, fault } from '../../../providers/fault.ts'
import type { Outcome, Provider, ProviderName, Ticket } from '../../../providers/provider.ts'
import { limitReply } from '../../upstreams/reply-limits.ts'
import { claimantOf } from '../attempt.ts'
import type { Attempt, Job } from '../job.ts'
import { nextPollMs } from '../poll-schedule.ts'
import { delivery } from '../queues.ts'
import { change, type Next } from '../store/transition.ts'
import type { Parts } from './deps.ts'
import { putOff } from './fail-over.ts'
import { persist } from './persist-reply.ts'
import { leavePlace } from './upstream-slot.ts'

/** How soon a lost reply is looked for. */
const firstLookMs = 1000

/** Writes what became of an attempt, first to the journal, then to Redis until it takes it: the reply cannot be had a second time. */
export async function keepOutcome(parts: Parts, job: Job, replied: Outcome): Promise<Next> {
  const outcome = limitReply(replied)
  const { attempt } = job.work
  if (attempt === undefined) throw new Error('a job without an attempt has no reply')
  if (outcome.kind === 'running' || outcome.kind === 'done')
    await parts.journal.keepReply(attempt.id, outcome)
  await reportKey(parts, job, attempt, outcome)
  const next = await persist(parts, () => settle(parts, job, outcome))
  if (outcome.kind === 'failed') await parts.journal.discard(attempt.id)
  else if (outcome.kind !== 'unclear') parts.journal.settle(attempt.id)
  return next
}

/** Whether the upstream accepts its key is known before the job's client can submit the next one. */
async function reportKey(parts: Parts, job: Job, { provider }: Attempt, outcome: Outcome): Promise<void> {
  const upstream = parts.offers.find({ id: job.view.model }, provider)
  if (upstream === undefined) return
  if (outcome.kind === 'failed' && !repeatsInput(outcome.fault, job.input))
    await parts.rejectedKeys?.reportFault(upstream, outcome.fault)
  if (outcome.kind === 'running' || outcome.kind === 'done') await parts.rejectedKeys?.reportSuccess(upstream)
}

/** Shorter texts of an input, such as the choice `auto`, stand in a message by chance. */
const shortestRepeated = 6
/** Messages cut long texts off. */
const longestRepeated = 20

/** Whether a message holds a text of the client. It is then about the job; what it seems to say of the key may be the client's own words. */
function repeatsInput(found: Fault, input: unknown): boolean {
  if (typeof input === 'object' && input !== null)
    return Object.values(input).some((value) => repeatsInput(found, value))
  if (typeof input !== 'string') return false
  const start = input.trim().toLowerCase().slice(0, longestRepeated)
  return start.length >= shortestRepeated && found.message.toLowerCase().includes(start)
}

async function settle(parts: Parts, job: Job, outcome: Outcome): Promise<Next> {
  const { attempt } = job.work
  if (attempt === undefined) throw new Error('a job without an attempt has no reply')
  const { provider, claimant } = claimantOf(parts, job, attempt)
  const now = parts.now()
  if (outcome.kind === 'running' || outcome.kind === 'done') {
    const { ticket } = outcome
    if (ticket !== undefined && !(await parts.store.claimTask(provider, ticket, claimant)))
      return refuseForeignTask(parts, job, provider.task.id(ticket))
  } else await parts.store.forgetAttempt(provider.name, claimant)
  if (outcome.kind === 'running') {
    const usualMs = await usual(parts, job, attempt.provider)
    const at =
      now +
      (outcome.now === true
        ? 0
        : nextPollMs({ elapsedMs: 0, usualMs, polls: 0, longestMs: parts.longestPollMs }))
    const taken = change(job, {
      view: { state: outcome.stage, expectedAt: now + usualMs },
      work: { ticket: outcome.ticket, takenAt: now, misses: 0, refusals: 0, polls: 0 },
      at,
      now,
    })
    if (!(await parts.store.writeAnswer(job, taken))) {
      await noteLateReply(parts, job, provider, outcome.ticket)
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
    const taken = change(job, { view: { state: 'delivering' }, work, now })
    await parts.store.writeAnswer(job, { ...taken, queue: delivery })
    await leavePlace(parts, job)
    return { kind: 'end' }
  }
  if (outcome.kind === 'failed') return putOff(parts, job, outcome.fault)
  return keepLooking(parts, job, outcome.fault)
}

/** The job went on without this reply: unless it was the same one, written before, an operator may want to adopt the task. */
async function noteLateReply(
  parts: Parts,
  job: Job,
  { name, task }: Provider,
  ticket: Ticket,
): Promise<void> {
  const { id } = job.view
  const text = task.id(ticket)
  const known = (await parts.store.read(id))?.work.ticket
  if (known !== undefined && task.id(known) === text) return
  parts.logger.error(
    { job: id, provider: name, task: text },
    'The upstream accepted the job after it had ended or was taken elsewhere',
  )
  await parts.store.noteLate(id, { at: parts.now(), kind: 'late_reply', provider: name, text })
}

/** One task for two jobs: at most one of them was purchased, and its reply was the other one's. What became of this one is not known. */
async function refuseForeignTask(parts: Parts, job: Job, task: string): Promise<Next> {
  const { provider, id = '' } = job.work.attempt ?? {}
  await parts.journal.discardReply(id)
  parts.logger.error({ job: job.view.id, provider, task }, 'The upstream returned a task of another job')
  return keepLooking(parts, job, fault('unreadable_reply', `${provider} returned a task of another job`))
}

/** The answer was lost: stays `submitting`, so that nothing sends the job again before it is known what became of it. */
async function keepLooking(parts: Parts, job: Job, found: Fault): Promise<Next> {
  const now = parts.now()
  const misses = job.work.misses + 1
  const at = now + firstLookMs * Math.min(misses, 8)
  const waiting = change(job, {
    work: { misses },
    at,
    now,
    ...(misses === 1 ? { reason: `answer lost: ${found.message}` } : {}),
  })
  await parts.store.write(job, waiting)
  return { kind: 'wait', at }
}

/** How long this model usually renders on this upstream, in ms. */
export function usual(parts: Parts, job: Job, provider: ProviderName): Promise<number> {
  return parts.renderTimes.usual(job.view.model, provider, parts.typicalMs(job.view.model))
}
