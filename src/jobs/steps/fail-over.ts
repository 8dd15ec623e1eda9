import { type Fault, faults } from '../../../providers/faults.ts'
import type { Job, JobWork } from '../job.ts'
import { createTransition, type NextStep } from '../store/transition.ts'
import type { StepDeps } from './deps.ts'
import { endJob, endUnpurchasedJob, writeTransition } from './finish.ts'
import { releaseSlot } from './upstream-slot.ts'

/** After this many rejections by one upstream, the next upstream is tried, if there is one. */
const refusalsBeforeFailover = 3
/** How long a job waits for its only upstream while that is unreachable or overloaded. */
const maxWaitMs = 10 * 60_000
const maxBackOffMs = 30_000

/** The upstream has rejected the submission: retries it later, tries the next upstream, or ends the job. */
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

/** The note of the endpoint mapping, for the operator who has to replace the endpoint. */
function findEndpointNote(deps: StepDeps, job: Job): string | undefined {
  const [provider] = job.work.route
  return provider && deps.routing.find({ id: job.view.model }, provider)?.mapping.note
}

/** Moves the job to the next upstream. Call only if the current one certainly has no task of the job. */
export async function failOver(deps: StepDeps, job: Job, fault: Fault): Promise<NextStep> {
  const [, nextUpstream, ...others] = job.work.route
  if (nextUpstream === undefined) throw new Error('failover needs another upstream')
  await returnToPending(deps, job, { refusals: 0, route: [nextUpstream, ...others] }, fault, deps.now())
  await releaseSlot(deps, job)
  return { kind: 'move', queue: nextUpstream }
}

/** Returns the job to `pending`, with its next step at `at` (unix ms). */
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
