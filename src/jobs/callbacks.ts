import { timingSafeEqual } from 'node:crypto'
import type { ProviderName } from '../../providers/provider.ts'
import type { ProviderConfig } from '../config.ts'
import { isStorable } from '../upstreams/reply-limits.ts'
import type { Offers } from '../upstreams/routing.ts'
import { fingerprintOf, orderOf } from './attempt.ts'
import { isTerminal, type Job } from './job.ts'
import { delivery, type Queues } from './queues.ts'
import type { Store } from './store/store.ts'
import { change } from './store/transition.ts'

type Parts = {
  now(): number
  store: Store
  queues: Queues
  offers: Offers
  upstreams: Readonly<Record<ProviderName, ProviderConfig>>
}

/**
 * What an upstream's own callback does: it brings the next poll forward, and tells the upstream's id of a job whose submit answer
 * was lost. It is a hint, not a fact: the poll alone decides. Answers false for a wrong id or secret.
 */
export function createHints({ now: clock, store, queues, offers, upstreams }: Parts) {
  return async function hint(id: string, secret: string, body: unknown): Promise<boolean> {
    const found = await store.read(id)
    if (found === undefined || !equal(secret, found.hint)) return false
    const { view, work } = found
    // While no upstream has the job, none can know more about it, and its next attempt has a time of its own.
    if (isTerminal(view.state) || view.state === 'pending') return true

    if (view.state === 'submitting') await adopt(found, body)
    const queue = view.state === 'delivering' ? delivery : work.route[0]
    // Most of many callbacks change nothing: the poll that the first of them has asked for is still to come.
    if ((await store.wake(id)) && queue !== undefined) await queues.bringForward(queue, id)
    return true
  }

  async function adopt(job: Job, body: unknown): Promise<void> {
    const { attempt } = job.work
    const found = attempt === undefined ? undefined : offers.find({ id: job.view.model }, attempt.provider)
    if (attempt === undefined || found === undefined) return
    const { provider, offer } = found
    const ticket = provider.adopt?.(body, orderOf({ upstreams }, job, attempt), offer)
    if (ticket === undefined || !isStorable(ticket)) return
    const fingerprint = fingerprintOf({ upstreams }, job, provider, offer)
    if (!(await store.claimTask(provider, ticket, { job: job.view.id, fingerprint }))) return
    const now = clock()
    const work = { ticket, takenAt: now, misses: 0, refusals: 0, polls: 0 }
    await store.writeAnswer(
      job,
      change(job, { view: { state: 'queued' }, work, reason: 'told by the upstream', at: now, now }),
    )
  }
}

/** Whether a job has this callback secret; reads nothing else. */
export function createCallbackCheck({ store }: Pick<Parts, 'store'>) {
  return async (id: string, secret: string): Promise<boolean> => {
    const found = await store.read(id)
    return found !== undefined && equal(secret, found.hint)
  }
}

function equal(given: string, known: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(known)]
  return known !== '' && a.length === b.length && timingSafeEqual(a, b)
}
