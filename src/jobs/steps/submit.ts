import { fault } from '../../../providers/fault.ts'
import { attemptId, nextAttempt } from '../attempt.ts'
import type { Job } from '../job.ts'
import type { JournalEntry } from '../journal/journal.ts'
import { change, type Next } from '../store/transition.ts'
import type { Parts } from './deps.ts'
import { moveOn, putOff } from './fail-over.ts'
import { canceled, endUnpurchased, expired, pause } from './finish.ts'
import { waitForKey, whyNotCalled } from './missing-key.ts'
import { purchase } from './purchase.ts'
import { askAgainMs, leavePlace, takePlace } from './upstream-slot.ts'

/** Another process may find sooner that the key is accepted again. */
const longestRetryWaitMs = 30_000

/** Purchases the job, when it has a slot and its inputs are uploaded. */
export async function submit(parts: Parts, job: Job): Promise<Next> {
  const name = job.work.route[0]
  const due = name && attemptId(job.view.id, name, nextAttempt(job))
  const forgotten = due && parts.journal.hasMade(due) ? await parts.journal.find(due) : undefined
  if (forgotten && forgotten !== 'discarded') return resume(parts, job, forgotten)
  if (job.cancelAsked) return endUnpurchased(parts, job, canceled)
  if (parts.now() > job.work.deadlineAt) return endUnpurchased(parts, job, expired)
  if (name === undefined)
    return endUnpurchased(parts, job, fault('upstream_error', 'No upstream is left for this job'))

  const reason = whyNotCalled(parts, job, name)
  if (reason !== undefined) {
    const others = job.work.route.slice(1)
    const isElsewhere = others.some((other) => whyNotCalled(parts, job, other) === undefined)
    return isElsewhere ? putOff(parts, job, fault('bad_credentials', reason)) : waitForKey(parts, job, reason)
  }

  if (!(await takePlace(parts, job, name))) {
    const at = parts.now() + askAgainMs
    await parts.store.write(job, change(job, { at, now: parts.now() }))
    return { kind: 'wait', at }
  }

  const found = parts.offers.find({ id: job.view.model }, name)
  if (found === undefined)
    return putOff(parts, job, fault('endpoint_gone', `${name} has no offer for this model any more`))
  const rejected = await parts.rejectedKeys?.find(found)
  const isLast = job.work.route.length === 1
  const isLeftAlone =
    rejected !== undefined &&
    job.work.retriesKey !== true &&
    !(rejected.retryAt <= parts.now() && (await parts.rejectedKeys?.claimRetry(found)))
  if (isLeftAlone && !isLast)
    return moveOn(parts, job, fault(rejected.code, `${rejected.title} rejects its key`))
  if (isLeftAlone) return waitForRetry(parts, job, rejected.retryAt)
  const upstream = { ...found, config: parts.upstreams[name] }
  const prepared = await parts.inputs.prepare(job.view.id, job.input, upstream, job.work.handed)
  if (prepared.kind === 'busy') return pause(parts, job, prepared.waitMs)
  if (prepared.kind === 'failed') {
    await parts.rejectedKeys?.reportFault(found, prepared.fault)
    return putOff(parts, job, prepared.fault)
  }
  try {
    return await purchase(parts, job, name, prepared)
  } finally {
    prepared.release()
  }
}

/** Accepted before the key was rejected, or by a process with another key: waits until another job has tried the key, and makes way for that job. */
async function waitForRetry(parts: Parts, job: Job, retryAt: number): Promise<Next> {
  const now = parts.now()
  const until = Math.min(Math.max(retryAt, now + 1000), now + longestRetryWaitMs, job.work.deadlineAt + 1)
  const next = await pause(parts, job, until - now)
  await leavePlace(parts, job)
  return next
}

/** This machine has made the attempt that is due: Redis has lost it. */
async function resume(parts: Parts, job: Job, { attempt, number, handed }: JournalEntry): Promise<Next> {
  const now = parts.now()
  const work = { attempt, attempts: number, handed, misses: 0 }
  const reason = 'restored: Redis had lost the attempt'
  await parts.store.write(job, change(job, { view: { state: 'submitting' }, work, reason, at: now, now }))
  return { kind: 'wait', at: now }
}
