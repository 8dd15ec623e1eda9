import { fault, faults } from '../../../providers/fault.ts'
import type { Outcome } from '../../../providers/provider.ts'
import { shortenFault } from '../../upstreams/reply-limits.ts'
import { claimantOf, orderOf, replyMarginMs } from '../attempt.ts'
import type { Attempt, Job } from '../job.ts'
import { change, type Next } from '../store/transition.ts'
import type { Parts } from './deps.ts'
import { writeBack } from './fail-over.ts'
import { finish } from './finish.ts'
import { waitForKey, whyNotCalled } from './missing-key.ts'
import { aboutTheJob } from './poll.ts'
import { keepOutcome } from './store-outcome.ts'

/** Whoever still holds a reply that Redis refused writes it within this time. */
const lastCallMs = 3000
/** How often an upstream must say that it knows of no task before the same call is sent again, where that is safe. */
const looksBeforeResending = 2

/**
 * A job in `submitting` was cut off between the intent and its answer. It is never simply sent again: the upstream is asked what it knows.
 * Where nothing can tell, the job ends as `submission_unknown`.
 */
export async function reconcile(parts: Parts, job: Job): Promise<Next> {
  const { attempt, misses } = job.work
  if (attempt === undefined) throw new Error('a job in submitting has an attempt')
  const remembered = await parts.journal.find(attempt.id)
  const upstream = parts.offers.find({ id: job.view.model }, attempt.provider)
  if (remembered === 'discarded') return attemptAgain(parts, job)
  if (remembered?.reply !== undefined && upstream !== undefined) {
    if (await isOwnTask(parts, job, attempt, remembered.reply))
      return keepOutcome(parts, job, remembered.reply)
  }
  const reason = whyNotCalled(parts, job, attempt.provider)
  if (reason !== undefined) return waitForKey(parts, job, reason)
  const now = parts.now()
  // An attempt in another process may still be under way until its time limit, and a little longer.
  const mayBeUnderWay = attempt.at + parts.timeoutMs + replyMarginMs
  if (misses === 0 && now < mayBeUnderWay) return wait(parts, job, mayBeUnderWay)

  const given = now - attempt.at > parts.reconcileMs
  const unknown = fault(
    'submission_unknown',
    `${attempt.provider} gave no answer to attempt ${attempt.id}, and nothing tells whether it took it`,
  )
  if (upstream?.provider.find === undefined) {
    const hintMayCome = parts.hintUrl !== undefined && upstream?.provider.adopt !== undefined
    if (hintMayCome && !given) return wait(parts, job, attempt.at + parts.reconcileMs + 1)
    if (job.work.lastCallAt === undefined) return callLast(parts, job)
    return finish(parts, job, unknown)
  }

  const found = await look(parts, job, attempt, upstream)
  if (found.kind === 'running' || found.kind === 'done') return keepOutcome(parts, job, found)
  if (found.kind === 'failed') return finish(parts, job, shortenFault(found.fault))
  if (given && job.work.lastCallAt === undefined) return callLast(parts, job)
  if (given) return finish(parts, job, unknown)
  const resend = upstream.provider.find.safeToResend && misses >= looksBeforeResending
  // What a client does not want any more is not purchased now, in case it was not before.
  if (found.kind === 'absent' && resend && !job.cancelAsked && now <= job.work.deadlineAt)
    return sendAgain(parts, job, attempt, upstream)
  return keepOutcome(parts, job, { kind: 'unclear', fault: found.kind === 'absent' ? unknown : found.fault })
}

type Upstream = NonNullable<ReturnType<Parts['offers']['find']>>

/** A task that the upstream gave to two jobs belongs to the one that claimed it first; the journals of other processes still name it for this one. */
async function isOwnTask(parts: Parts, job: Job, attempt: Attempt, reply: Outcome): Promise<boolean> {
  if (!('ticket' in reply) || reply.ticket === undefined) return true
  const { provider, claimant } = claimantOf(parts, job, attempt)
  return parts.store.claimTask(provider, reply.ticket, claimant)
}

/** What the upstream knows of an attempt. Throws never: a job that cannot be looked for must come to its end all the same. */
async function look(
  parts: Parts,
  job: Job,
  attempt: Attempt,
  { provider, offer }: Upstream,
): Promise<Outcome | { kind: 'absent' }> {
  try {
    if (provider.find === undefined) return { kind: 'absent' }
    const asSent = await parts.inputs.toSentInput(job.input, attempt.provider, job.work.handed)
    const order = orderOf(parts, { ...job, input: asSent }, attempt)
    const call = provider.find.call(offer, order)
    const asked = await parts.transport.send(provider, parts.upstreams[attempt.provider], call)
    if (asked.kind !== 'reply') return { kind: 'unclear', fault: asked.fault }
    const found = aboutTheJob(asked.reply, provider.find.read(asked.reply, order, offer))
    if (found.kind !== 'alike') return found
    const { claimant } = claimantOf(parts, job, attempt)
    const awaitedSince = parts.now() - parts.timeoutMs - replyMarginMs
    const { hasRestored } = parts
    const chosen = await parts.store.chooseTask(provider, found, { ...claimant, awaitedSince, hasRestored })
    if (chosen !== 'awaited') return chosen ?? { kind: 'absent' }
    const detail = `${provider.title} has a task that may belong to an identical job, whose reply is awaited or may yet be restored`
    return { kind: 'unclear', fault: fault('unreadable_reply', detail) }
  } catch (cause) {
    const told = `${provider.title} could not be searched: ${cause}`
    return { kind: 'unclear', fault: fault('unreadable_reply', told) }
  }
}

/** The same call under the same id, of which the upstream takes one at the most. */
async function sendAgain(
  parts: Parts,
  job: Job,
  first: Attempt,
  { provider, offer }: Upstream,
): Promise<Next> {
  const pausedMs = await parts.store.purchasesPausedMs()
  // A later attempt may be about to be restored.
  if (pausedMs > 0) return wait(parts, job, parts.now() + pausedMs)
  const config = parts.upstreams[first.provider]
  const prepared = await parts.inputs.prepare(
    job.view.id,
    job.input,
    { provider, offer, config },
    job.work.handed,
  )
  if (prepared.kind === 'busy') return wait(parts, job, parts.now() + prepared.waitMs)
  if (prepared.kind === 'failed') return keepOutcome(parts, job, { kind: 'unclear', fault: prepared.fault })
  try {
    const attempt: Attempt = { ...first, again: true }
    const now = parts.now()
    const marked = change(job, { work: { attempt }, at: now + parts.timeoutMs, now })
    // From here on a refusal of the first sending, however late it comes, cannot send the job elsewhere beside this one.
    if (!(await parts.store.write(job, marked))) return { kind: 'end' }
    const held: Job = { ...job, work: marked.work }
    const order = orderOf(parts, { ...job, input: prepared.input }, attempt)
    const call = provider.submit(offer, order)
    const sent = await parts.transport.send(provider, config, call, {
      purchase: true,
      inline: prepared.inline,
    })
    const outcome = sent.kind === 'reply' ? provider.accept(sent.reply, order) : sent
    if (outcome.kind === 'running' || outcome.kind === 'done') return keepOutcome(parts, held, outcome)
    const { code } = outcome.fault
    // A refusal of what the client asks for would have met the first sending too. Any other one tells nothing of it.
    if (outcome.kind === 'failed' && faults[code].blame === 'client')
      return finish(parts, held, outcome.fault)
    return keepOutcome(parts, held, { kind: 'unclear', fault: outcome.fault })
  } finally {
    prepared.release()
  }
}

/** The call was not made, or was refused; only Redis does not show it. */
async function attemptAgain(parts: Parts, job: Job): Promise<Next> {
  const at = parts.now()
  await writeBack(parts, job, {}, fault('upstream_unreachable', 'The attempt came to nothing'), at)
  return { kind: 'wait', at }
}

/** Before nobody knows for good: a process whose reply Redis refused until now has time to write it. */
async function callLast(parts: Parts, job: Job): Promise<Next> {
  const now = parts.now()
  const at = now + lastCallMs
  await parts.store.write(job, change(job, { work: { lastCallAt: now }, at, now }))
  return { kind: 'wait', at }
}

async function wait(parts: Parts, job: Job, at: number): Promise<Next> {
  await parts.store.write(job, change(job, { at, now: parts.now() }))
  return { kind: 'wait', at }
}
