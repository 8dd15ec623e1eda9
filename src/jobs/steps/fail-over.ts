import { type Fault, faults } from '../../../providers/faults.ts'
import type { Job, JobWork } from '../job.ts'
import { createTransition, type NextStep } from '../store/transition.ts'
import type { StepDeps } from './deps.ts'
import { endJob, endUnpurchasedJob, writeTransition } from './finish.ts'
import { releaseSlot } from './upstream-slot.ts'

/** How often one upstream may put a job off before the next one is tried, where there is a next one. */
const refusalsBeforeFailover = 3
/** How long a job without another upstream waits for one that cannot be reached, or is too busy. */
const maxWaitMs = 10 * 60_000
const maxBackOffMs = 30_000

/** No upstream has the job: wait and ask the same one again, ask the next one, or end. */
export async function retryOrFailOver(deps: StepDeps, job: Job, fault: Fault): Promise<NextStep> {
  const now = deps.now()
  const rule = faults[fault.code]
  const otherUpstreams = job.work.route.slice(1)
  const refusals = job.work.refusals + 1
  const refusedAt = (job.work.refusals > 0 ? job.work.refusedAt : undefined) ?? now
  const nextUpstream = otherUpstreams[0]
  const [provider] = job.work.route
  const note = fault.code === 'endpoint_gone' ? findEndpointNote(deps, job) : undefined
  deps.logger.warn(
    {
      job: job.view.id,
      provider,
      code: fault.code,
      detail: fault.message,
      ...(note !== undefined && { note }),
    },
    'Upstream rejected the submission',
  )

  const at = now + (fault.retryAfterMs ?? Math.min(1000 * 2 ** (refusals - 1), maxBackOffMs))
  const mayWait = at - refusedAt < maxWaitMs && at <= job.work.deadlineAt
  if (rule.again && mayWait && (nextUpstream === undefined || refusals < refusalsBeforeFailover)) {
    await returnToPending(deps, job, { refusals, refusedAt }, fault, at)
    return { kind: 'wait', at }
  }
  if (rule.elsewhere && nextUpstream !== undefined) return failOver(deps, job, fault)
  return job.view.state === 'pending' ? endUnpurchasedJob(deps, job, fault) : endJob(deps, job, fault)
}

/** What may be wrong with the endpoint, for the operator who has to replace it. */
function findEndpointNote(deps: StepDeps, job: Job): string | undefined {
  const [provider] = job.work.route
  return provider && deps.routing.find({ id: job.view.model }, provider)?.mapping.note
}

/** To the next upstream. The current one certainly has no task of the job. */
export async function failOver(deps: StepDeps, job: Job, fault: Fault): Promise<NextStep> {
  const [, nextUpstream, ...others] = job.work.route
  if (nextUpstream === undefined) throw new Error('a job that moves on has another upstream')
  await returnToPending(deps, job, { refusals: 0, route: [nextUpstream, ...others] }, fault, deps.now())
  await releaseSlot(deps, job)
  return { kind: 'move', queue: nextUpstream }
}

/** Back to `pending`, for another attempt at `at`. */
export async function returnToPending(
  deps: StepDeps,
  job: Job,
  work: Partial<JobWork>,
  fault: Fault,
  at: number,
): Promise<void> {
  const transition = createTransition(job, {
    view: { state: 'pending' },
    work,
    reason: `${fault.code}: ${fault.message}`,
    at,
    now: deps.now(),
  })
  await writeTransition(deps, job, transition)
}
