import type { ProviderName } from '../../../providers/provider.ts'
import type { ProviderConfig } from '../../config/provider-settings.ts'
import type { Routing } from '../../upstreams/routing.ts'
import { fingerprintRequest } from '../attempt.ts'
import type { Job } from '../job.ts'
import { deliveryQueue } from '../queues.ts'
import type { JobStore } from '../store/store.ts'
import { createTransition } from '../store/transition.ts'
import type { JournalEntry } from './journal-files.ts'

export type RestoreDeps = {
  store: JobStore
  routing: Pick<Routing, 'find'>
  upstreams: Readonly<Record<ProviderName, ProviderConfig>>
}

/** The record with the attempt that Redis had lost, and the queue of its next step. */
export async function buildRestoredRecord(deps: RestoreDeps, entry: JournalEntry, job: Job, now: number) {
  const { attempt, handed, reply } = entry
  const isOwnTask = await reclaimTask(deps, entry, job)
  const route: ProviderName[] = [
    attempt.provider,
    ...job.work.route.filter((name) => name !== attempt.provider),
  ]
  const work = { attempt, handed, route, attempts: entry.number, misses: 0 }
  const patch = { reason: 'restored: Redis had lost the attempt', at: now, now }
  if (!isOwnTask || reply === undefined)
    return {
      queue: attempt.provider,
      transition: createTransition(job, { ...patch, view: { state: 'submitting' }, work }),
    }
  const purchasedWork = { ...work, takenAt: attempt.at, refusals: 0, polls: 0 }
  if (reply.kind === 'running') {
    const transition = createTransition(job, {
      ...patch,
      view: { state: reply.stage },
      work: { ...purchasedWork, ticket: reply.ticket },
    })
    return { queue: attempt.provider, transition }
  }
  const transition = createTransition(job, {
    ...patch,
    view: { state: 'delivering' },
    work: {
      ...purchasedWork,
      results: reply.videos,
      deliveringAt: now,
      ...(reply.ticket === undefined ? {} : { ticket: reply.ticket }),
      ...(reply.costUsd === undefined ? {} : { upstreamCostUsd: reply.costUsd }),
    },
  })
  return { queue: deliveryQueue, transition }
}

/**
 * Claims the task again, because its claim may be lost too; without a reply, marks the reply as awaited, so that no identical job claims its task.
 * Returns false if the task belongs to another job.
 */
async function reclaimTask(
  { store, routing, upstreams }: RestoreDeps,
  { attempt, reply }: JournalEntry,
  job: Job,
): Promise<boolean> {
  const upstream = routing.find({ id: job.view.model }, attempt.provider)
  if (upstream === undefined) return true
  const { provider, mapping } = upstream
  const claimant = {
    job: job.view.id,
    fingerprint: fingerprintRequest({ upstreams }, job, provider, mapping),
  }
  if (reply?.ticket !== undefined) return store.claimTask(provider, reply.ticket, claimant)
  if (reply === undefined) await store.markReplyAwaited(attempt.provider, claimant, attempt.at)
  return true
}
