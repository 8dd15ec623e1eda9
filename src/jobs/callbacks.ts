import { timingSafeEqual } from 'node:crypto'
import type { ProviderName } from '../../providers/provider.ts'
import type { ProviderConfig } from '../config/provider-settings.ts'
import { isStorableTicket } from '../upstreams/reply-limits.ts'
import type { Routing } from '../upstreams/routing.ts'
import { buildOrder, fingerprintRequest } from './attempt.ts'
import { isTerminal, type Job } from './job.ts'
import { type Queues, queueOf } from './queues.ts'
import type { JobStore } from './store/store.ts'
import { createTransition } from './store/transition.ts'

type CallbackReceiverOptions = {
  now(): number
  store: JobStore
  queues: Queues
  routing: Routing
  upstreams: Readonly<Record<ProviderName, ProviderConfig>>
}

/**
 * Receives callbacks of upstreams. A callback triggers a poll, which is authoritative. For a job whose submit reply was lost, it provides the
 * reference of the task. Returns false for a wrong ID or secret.
 */
export function createCallbackReceiver({
  now: readTime,
  store,
  queues,
  routing,
  upstreams,
}: CallbackReceiverOptions) {
  return async function receiveCallback(id: string, secret: string, body: unknown): Promise<boolean> {
    const job = await store.read(id)
    if (job === undefined || !secretsMatch(secret, job.callbackSecret)) return false
    const { view } = job
    // No upstream has a pending job, so a callback must not change the time of its next attempt.
    if (isTerminal(view.state) || view.state === 'pending') return true

    if (view.state === 'submitting') await adoptTask(job, body)
    const queue = queueOf(job)
    // If many callbacks arrive, most change nothing: the poll that the first one requested has not run yet.
    if ((await store.requestStep(id)) && queue !== undefined) await queues.bringForward(queue, id)
    return true
  }

  async function adoptTask(job: Job, body: unknown): Promise<void> {
    const { attempt } = job.work
    const upstream =
      attempt === undefined ? undefined : routing.find({ id: job.view.model }, attempt.provider)
    if (attempt === undefined || upstream === undefined) return
    const { provider, mapping } = upstream
    const ticket = provider.adopt?.(body, buildOrder({ upstreams }, job, attempt), mapping)
    if (ticket === undefined || !isStorableTicket(ticket)) return
    const fingerprint = fingerprintRequest({ upstreams }, job, provider, mapping)
    if (!(await store.claimTask(provider, ticket, { job: job.view.id, fingerprint }))) return
    const now = readTime()
    const work = { ticket, takenAt: now, misses: 0, refusals: 0, polls: 0 }
    await store.writeReply(
      job,
      createTransition(job, {
        view: { state: 'queued' },
        work,
        reason: 'accepted, according to a callback of the upstream',
        at: now,
        now,
      }),
    )
  }
}

/** Whether a job has this callback secret. */
export function createCallbackSecretCheck({ store }: Pick<CallbackReceiverOptions, 'store'>) {
  return async (id: string, secret: string): Promise<boolean> => {
    const job = await store.read(id)
    return job !== undefined && secretsMatch(secret, job.callbackSecret)
  }
}

function secretsMatch(givenSecret: string, jobSecret: string): boolean {
  const [a, b] = [Buffer.from(givenSecret), Buffer.from(jobSecret)]
  return jobSecret !== '' && a.length === b.length && timingSafeEqual(a, b)
}
