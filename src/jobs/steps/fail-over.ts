import { type Fault, faults } from '../../../providers/fault.ts'
import type { Job, Work } from '../job.ts'
import { change, type Next } from '../store/transition.ts'
import type { Parts } from './deps.ts'
import { endUnpurchased, finish, put } from './finish.ts'
import { leavePlace } from './upstream-slot.ts'

/** How often one upstream may put a job off before the next one is tried, where there is a next one. */
const refusalsBeforeFailover = 3
/** How long a job without another upstream waits for one that cannot be reached, or is too busy. */
const patienceMs = 10 * 60_000
const longestBackOffMs = 30_000

/** No upstream has the job: wait and ask the same one again, ask the next one, or end. */
export async function putOff(parts: Parts, job: Job, found: Fault): Promise<Next> {
  const now = parts.now()
  const rule = faults[found.code]
  const others = job.work.route.slice(1)
  const refusals = job.work.refusals + 1
  const refusedAt = (job.work.refusals > 0 ? job.work.refusedAt : undefined) ?? now
  const next = others[0]
  const [provider] = job.work.route
  const note = found.code === 'endpoint_gone' ? noteOf(parts, job) : undefined
  parts.logger.warn(
    {
      job: job.view.id,
      provider,
      code: found.code,
      detail: found.message,
      ...(note !== undefined && { note }),
    },
    'Upstream rejected the submission',
  )

  const at = now + (found.retryAfterMs ?? Math.min(1000 * 2 ** (refusals - 1), longestBackOffMs))
  const patient = at - refusedAt < patienceMs && at <= job.work.deadlineAt
  if (rule.again && patient && (next === undefined || refusals < refusalsBeforeFailover)) {
    await writeBack(parts, job, { refusals, refusedAt }, found, at)
    return { kind: 'wait', at }
  }
  if (rule.elsewhere && next !== undefined) return moveOn(parts, job, found)
  return job.view.state === 'pending' ? endUnpurchased(parts, job, found) : finish(parts, job, found)
}

/** What may be wrong with the endpoint, for the operator who has to replace it. */
function noteOf(parts: Parts, job: Job): string | undefined {
  const [provider] = job.work.route
  return provider && parts.offers.find({ id: job.view.model }, provider)?.offer.note
}

/** To the next upstream. The current one certainly has no task of the job. */
export async function moveOn(parts: Parts, job: Job, found: Fault): Promise<Next> {
  const [, next, ...others] = job.work.route
  if (next === undefined) throw new Error('a job that moves on has another upstream')
  await writeBack(parts, job, { refusals: 0, route: [next, ...others] }, found, parts.now())
  await leavePlace(parts, job)
  return { kind: 'move', queue: next }
}

/** Back to `pending`, for another attempt at `at`. */
export async function writeBack(
  parts: Parts,
  job: Job,
  work: Partial<Work>,
  found: Fault,
  at: number,
): Promise<void> {
  const back = change(job, {
    view: { state: 'pending' },
    work,
    reason: `${found.code}: ${found.message}`,
    at,
    now: parts.now(),
  })
  await put(parts, job, back)
}
