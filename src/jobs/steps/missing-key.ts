import { fault } from '../../../providers/faults.ts'
import type { ProviderName } from '../../../providers/provider.ts'
import type { Job } from '../job.ts'
import { createTransition, type NextStep } from '../store/transition.ts'
import type { StepDeps } from './deps.ts'
import { endJob } from './finish.ts'

const minWaitMs = 1000
const maxWaitMs = 30_000

/** Why this process must not call the upstream; `undefined`: it may. */
export function explainMissingKey(
  deps: StepDeps,
  { view }: Pick<Job, 'view'>,
  name: ProviderName | undefined,
): string | undefined {
  const upstream = name === undefined ? undefined : deps.routing.find({ id: view.model }, name)
  return upstream === undefined ? undefined : deps.missingKeys?.reasonFor(upstream.provider, upstream.mapping)
}

/**
 * Waits, because another process may have the key, or this one after a restart. A missing key is the operator's fault, so it does not end a job that
 * the upstream may have before `waitMs` after the deadline. Then the cost is unknown, and the money is put on hold.
 */
export async function waitForKey(deps: StepDeps, job: Job, reason: string): Promise<NextStep> {
  const now = deps.now()
  const { view, work } = job
  const waitMs = deps.missingKeys?.waitMs ?? 0
  if (view.state !== 'pending' && now > work.deadlineAt + waitMs) {
    const code = view.state === 'submitting' ? 'submission_unknown' : 'task_lost'
    // The client does not see the reason, which is for operators and in the history.
    return endJob(deps, job, fault(code, 'The status of the job could not be read from the upstream'))
  }

  const isNewReason = work.missingKey !== reason
  if (isNewReason)
    deps.logger.warn({ job: view.id, reason }, 'Job waits for a worker that can call its upstream')
  const pauseMs = Math.min(Math.max((now - view.createdAt) / 10, minWaitMs), maxWaitMs)
  const latestAt = view.state === 'pending' ? Math.max(work.deadlineAt + 1, now) : Number.POSITIVE_INFINITY
  const at = Math.min(now + Math.round(pauseMs), latestAt)
  await deps.store.write(
    job,
    createTransition(job, { work: { missingKey: reason }, ...(isNewReason && { reason }), at, now }),
  )
  return { kind: 'wait', at }
}
