import type { ProviderName } from '../../../providers/provider.ts'
import type { Job } from '../job.ts'
import type { StepDeps } from './deps.ts'

/** A job without a place is told when it gets one; it asks by itself this often, in case that was lost. */
export const slotRetryMs = 10_000

/** True when the job may be submitted now; otherwise it stands in line. */
export async function acquireSlot(deps: StepDeps, job: Job, provider: ProviderName): Promise<boolean> {
  const { isAcquired, granted } = await deps.slots.acquire(provider, {
    id: job.view.id,
    owner: job.owner,
    createdAt: job.view.createdAt,
  })
  await wakeJobs(deps, provider, granted)
  return isAcquired
}

/** The job is not at its upstream any more. */
export async function releaseSlot(deps: StepDeps, job: Job): Promise<void> {
  const provider = job.work.route[0]
  if (provider === undefined) return
  await wakeJobs(deps, provider, await deps.slots.release(provider, { id: job.view.id, owner: job.owner }))
}

async function wakeJobs(deps: StepDeps, provider: ProviderName, ids: readonly string[]): Promise<void> {
  await Promise.all(ids.map((id) => deps.wake(provider, id)))
}
