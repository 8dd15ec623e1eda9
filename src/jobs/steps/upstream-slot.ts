import type { ProviderName } from '../../../providers/provider.ts'
import type { Job } from '../job.ts'
import type { Parts } from './deps.ts'

/** A job without a place is told when it gets one; it asks by itself this often, in case that was lost. */
export const askAgainMs = 10_000

/** True when the job may be submitted now; otherwise it stands in line. */
export async function takePlace(parts: Parts, job: Job, provider: ProviderName): Promise<boolean> {
  const { mine, others } = await parts.slots.ask(provider, {
    id: job.view.id,
    owner: job.owner,
    createdAt: job.view.createdAt,
  })
  await tell(parts, provider, others)
  return mine
}

/** The job is not at its upstream any more. */
export async function leavePlace(parts: Parts, job: Job): Promise<void> {
  const provider = job.work.route[0]
  if (provider === undefined) return
  await tell(parts, provider, await parts.slots.leave(provider, { id: job.view.id, owner: job.owner }))
}

async function tell(parts: Parts, provider: ProviderName, ids: readonly string[]): Promise<void> {
  await Promise.all(ids.map((id) => parts.wake(provider, id)))
}
