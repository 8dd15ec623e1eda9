import { type Fault, fault, faults } from '../../providers/fault.ts'
import type { Outcome, Provider, ProviderName, Ticket } from '../../providers/provider.ts'
import type { Prepared } from '../media/hand-over.ts'
import { attemptId, claimantOf, fingerprintOf, orderOf } from './attempt.ts'
import { change, failure, type Next } from './change.ts'
import type { Intent } from './intent.ts'
import type { Attempt, Job, Work } from './job.ts'
import type { JournalEntry } from './journal.ts'
import { nextPollMs } from './pace.ts'
import { type Parts, upstreamOf } from './parts.ts'
import { persist } from './persist.ts'
import { askAgainMs, leavePlace, takePlace } from './place.ts'
import { delivery } from './queues.ts'
import type { Change } from './store.ts'

/** How often one upstream may put a job off before the next one is tried, where there is a next one. */
const refusalsBeforeFailover = 3
/** How long a job without another upstream waits for one that cannot be reached, or is too busy. */
const patienceMs = 10 * 60_000
const longestBackOffMs = 30_000
/** A reply may come this much later than the call's time limit. */
export const replyMarginMs = 2000
/** How soon a lost answer is looked for. */
const firstLookMs = 1000

/** How soon an attempt that was not made for a reason of ours is made again. */
const retryAttemptMs = 2000

const canceled = fault('canceled', 'canceled')
const expired = fault('timeout', 'No upstream took the job in time')

type Ready = Prepared & { kind: 'ready' }

/** Buys the job: stores the intent, makes the one call that costs money, writes its answer. */
export async function submit(parts: Parts, job: Job): Promise<Next> {
  const name = job.work.route[0]
  const due = name && attemptId(job.view.id, name, nextNumber(job))
  const forgotten = due && parts.journal.hasMade(due) ? await parts.journal.find(due) : undefined
  if (forgotten) return resume(parts, job, forgotten)
  if (job.cancelAsked) return endUnpurchased(parts, job, canceled)
  if (parts.now() > job.work.deadlineAt) return endUnpurchased(parts, job, expired)
  if (name === undefined)
    return endUnpurchased(parts, job, fault('upstream_error', 'No upstream is left for this job'))

  if (!(await takePlace(parts, job, name))) {
    const at = parts.now() + askAgainMs
    await parts.store.write(job, change(job, { at, now: parts.now() }))
    return { kind: 'wait', at }
  }

  const found = parts.offers.find({ id: job.view.model }, name)
  if (found === undefined)
    return putOff(parts, job, fault('endpoint_gone', `${name} has no offer for this model any more`))
  const upstream = { ...found, config: parts.upstreams[name] }
  const prepared = await parts.inputs.prepare(job.view.id, job.input, upstream, job.work.handed)
  if (prepared.kind === 'busy') return pause(parts, job, prepared.waitMs)
  if (prepared.kind === 'failed') return putOff(parts, job, prepared.fault)
  try {
    return await buy(parts, job, name, prepared)
  } finally {
    prepared.release()
  }
}

const nextNumber = ({ work }: Job) => (work.attempts ?? 0) + 1

/** This machine has made the attempt that is due: Redis has lost it. */
async function resume(parts: Parts, job: Job, { attempt, number, handed }: JournalEntry): Promise<Next> {
  const now = parts.now()
  const work = { attempt, attempts: number, handed, misses: 0 }
  const reason = 'restored: Redis had lost the attempt'
  await parts.store.write(job, change(job, { view: { state: 'submitting' }, work, reason, at: now, now }))
  return { kind: 'wait', at: now }
}

async function buy(
  parts: Parts,
  job: Job,
  name: ProviderName,
  { input, handed, inline }: Ready,
): Promise<Next> {
  const { provider, offer, config } = upstreamOf(parts, job.view.model, name)
  const number = nextNumber(job)
  const attempt: Attempt = { id: attemptId(job.view.id, name, number), provider: name, at: parts.now() }
  const order = orderOf(parts, { ...job, input }, attempt)
  // Before the intent: what cannot be said to an upstream is known to be unsent.
  const call = provider.submit(offer, order)
  const intent = change(job, {
    view: { state: 'submitting' },
    work: { attempt, attempts: number, handed, misses: 0 },
    at: attempt.at + parts.timeoutMs,
    now: attempt.at,
  })
  const fingerprint = fingerprintOf(parts, job, provider, offer)
  const awaitedMs = fingerprint === '' ? 0 : parts.timeoutMs + replyMarginMs
  const stored = await parts.store.storeIntent(job, intent, { fingerprint, forMs: awaitedMs })
  if (stored.kind !== 'stored') return doNotPurchase(parts, { ...job, work: { ...job.work, handed } }, stored)
  const held: Job = { ...job, view: intent.view, work: intent.work }
  if (!parts.hasRestored(stored.server))
    return withdraw(parts, held, 'Another Redis server has taken over, and is not known to have all attempts')

  try {
    await Promise.all([
      parts.journal.begin({ job: job.view.id, attempt, number, handed, server: stored.server }),
      parts.confirmReplicas(),
    ])
  } catch (cause) {
    parts.logger.error({ job: job.view.id, err: cause }, 'No purchase: the intent could be lost')
    return withdraw(parts, held, 'The intent to purchase could not be secured')
  }
  if (parts.now() - attempt.at > parts.timeoutMs) {
    // Another process may take this attempt for lost by now, so it must not be made any more.
    return withdraw(parts, held, 'Redis was too slow to start the call')
  }
  const sent = await parts.transport.send(provider, config, call, { purchase: true, inline })
  if (sent.kind === 'reply') return keepOutcome(parts, held, provider.accept(sent.reply, order))
  const certain = sent.kind === 'unsent' && parts.now() - attempt.at < parts.timeoutMs
  return keepOutcome(parts, held, { kind: certain ? 'failed' : 'unclear', fault: sent.fault })
}

function doNotPurchase(
  parts: Parts,
  job: Job,
  intent: Exclude<Intent, { kind: 'stored' }>,
): Promise<Next> | Next {
  if (intent.kind === 'stale') return { kind: 'end' }
  if (intent.kind === 'paused') return pause(parts, job, intent.ms)
  return finish(parts, job, intent.kind === 'canceled' ? canceled : expired)
}

/** Ends a job that was not purchased; not while another server has just taken over, which may have forgotten a purchase. */
async function endUnpurchased(parts: Parts, job: Job, found: Fault): Promise<Next> {
  const pausedMs = await parts.store.purchasesPausedMs()
  return pausedMs > 0 ? pause(parts, job, pausedMs) : finish(parts, job, found)
}

async function pause(parts: Parts, job: Job, ms: number): Promise<Next> {
  const at = parts.now() + ms
  await parts.store.write(job, change(job, { at, now: parts.now() }))
  return { kind: 'wait', at }
}

/** The call of an attempt was not made, for a reason of ours: no refusal of the upstream. */
function withdraw(parts: Parts, job: Job, reason: string): Promise<Next> {
  const { attempt } = job.work
  return persist(parts, async () => {
    if (attempt !== undefined) await parts.journal.discard(attempt.id)
    const at = parts.now() + retryAttemptMs
    await writeBack(parts, job, {}, fault('upstream_unreachable', reason), at)
    return { kind: 'wait', at }
  })
}

/** Writes what became of an attempt, first to the journal, then to Redis until it takes it: the reply cannot be had a second time. */
export async function keepOutcome(parts: Parts, job: Job, outcome: Outcome): Promise<Next> {
  const { attempt } = job.work
  if (attempt === undefined) throw new Error('a job without an attempt has no reply')
  if (outcome.kind === 'running' || outcome.kind === 'done')
    await parts.journal.keepReply(attempt.id, outcome)
  const next = await persist(parts, () => settle(parts, job, outcome))
  if (outcome.kind === 'failed') await parts.journal.discard(attempt.id)
  else if (outcome.kind !== 'unclear') parts.journal.settle(attempt.id)
  return next
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

/** No upstream has the job: wait and ask the same one again, ask the next one, or end. */
async function putOff(parts: Parts, job: Job, found: Fault): Promise<Next> {
  const now = parts.now()
  const rule = faults[found.code]
  const others = job.work.route.slice(1)
  const refusals = job.work.refusals + 1
  const refusedAt = (job.work.refusals > 0 ? job.work.refusedAt : undefined) ?? now
  const next = others[0]
  parts.logger.warn(
    { job: job.view.id, provider: job.work.route[0], code: found.code, detail: found.message },
    'an upstream did not take a job',
  )

  const at = now + (found.retryAfterMs ?? Math.min(1000 * 2 ** (refusals - 1), longestBackOffMs))
  const patient = at - refusedAt < patienceMs && at <= job.work.deadlineAt
  if (rule.again && patient && (next === undefined || refusals < refusalsBeforeFailover)) {
    await writeBack(parts, job, { refusals, refusedAt }, found, at)
    return { kind: 'wait', at }
  }
  if (rule.elsewhere && next !== undefined) {
    await writeBack(parts, job, { refusals: 0, route: others }, found, now)
    await leavePlace(parts, job)
    return { kind: 'move', queue: next }
  }
  return job.view.state === 'pending' ? endUnpurchased(parts, job, found) : finish(parts, job, found)
}

async function writeBack(
  parts: Parts,
  job: Job,
  work: Partial<Work>,
  found: Fault,
  at: number,
): Promise<void> {
  const back = change(job, {
    view: { state: 'pending' },
    work,
    reason: `${found.code}: ${found.message}`,
    at,
    now: parts.now(),
  })
  await put(parts, job, back)
}

/** While an attempt is open its answer counts, whoever holds the latest step. */
function put(parts: Parts, job: Job, next: Change): Promise<boolean> {
  const { attempt } = job.work
  const answers = job.view.state === 'submitting' && attempt !== undefined
  return answers ? parts.store.writeAnswer(job, next) : parts.store.write(job, next)
}

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

/** How long this model usually renders on this upstream, in ms. */
export function usual(parts: Parts, job: Job, provider: ProviderName): Promise<number> {
  return parts.renderTimes.usual(job.view.model, provider, parts.typicalMs(job.view.model))
}
