import { fault } from '../../../providers/fault.ts'
import type { ProviderName } from '../../../providers/provider.ts'
import type { Job } from '../job.ts'
import { change, type Next } from '../store/transition.ts'
import type { Parts } from './deps.ts'
import { finish } from './finish.ts'

const shortestWaitMs = 1000
const longestWaitMs = 30_000

/** Why this process must not call the upstream of a job; `undefined`: it may. */
export function whyNotCalled(
  parts: Parts,
  { view }: Pick<Job, 'view'>,
  name: ProviderName | undefined,
): string | undefined {
  const found = name === undefined ? undefined : parts.offers.find({ id: view.model }, name)
  return found === undefined ? undefined : parts.missingKeys?.reasonFor(found.provider, found.offer)
}

/**
 * Another process may have the key, or this one after its next start. A missing key is a fault of ours, so it does not end a job that its
 * upstream may have, until `waitMs` after its deadline. Then nobody knows what was spent, and the money is put on hold.
 */
export async function waitForKey(parts: Parts, job: Job, reason: string): Promise<Next> {
  const now = parts.now()
  const { view, work } = job
  const waitMs = parts.missingKeys?.waitMs ?? 0
  if (view.state !== 'pending' && now > work.deadlineAt + waitMs) {
    const code = view.state === 'submitting' ? 'submission_unknown' : 'task_lost'
    // The reason is for operators: the history has it.
    return finish(parts, job, fault(code, 'The upstream could not be asked what became of the job'))
  }

  const isNews = work.missingKey !== reason
  if (isNews) parts.logger.warn({ job: view.id, reason }, 'Job waits for a worker that may call its upstream')
  const pauseMs = Math.min(Math.max((now - view.createdAt) / 10, shortestWaitMs), longestWaitMs)
  const until = view.state === 'pending' ? Math.max(work.deadlineAt + 1, now) : Number.POSITIVE_INFINITY
  const at = Math.min(now + Math.round(pauseMs), until)
  await parts.store.write(
    job,
    change(job, { work: { missingKey: reason }, ...(isNews && { reason }), at, now }),
  )
  return { kind: 'wait', at }
}
