import type { ProviderName } from '../../../providers/provider.ts'
import type { Job } from '../job.ts'
import type { StepDeps } from './deps.ts'

/** A waiting job is woken when it gets a slot. It also retries at this interval, in case the wake-up was lost. */
export const slotRetryMs = 10_000

/** Returns true if the job may be submitted now; otherwise it is added to the waiting list. */
export async function acquireSlot(deps: StepDeps, job: Job, provider: ProviderName): Promise<boolean> {
  const { isAcquired, granted } = await deps.slots.acquire(provider, {
    id: job.view.id,
    owner: job.owner,
    createdAt: job.view.createdAt,
  })
  await wakeJobs(deps, provider, granted)
  return isAcquired
}

/** Call when the upstream no longer works on the job. */
export async function releaseSlot(deps: StepDeps, job: Job): Promise<void> {
  const provider = job.work.route[0]
  if (provider === undefined) return
  await wakeJobs(deps, provider, await deps.slots.release(provider, { id: job.view.id, owner: job.owner }))
}

async function wakeJobs(deps: StepDeps, provider: ProviderName, ids: readonly string[]): Promise<void> {
  await Promise.all(ids.map((id) => deps.wake(provider, id)))
}
