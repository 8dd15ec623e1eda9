import { fault } from '../../providers/fault.ts'
import type { Next } from './change.ts'
import { change } from './change.ts'
import type { Job } from './job.ts'
import { type Parts, upstreamOf } from './parts.ts'
import { finish, orderOf, settle } from './submit.ts'

/** An attempt in another process may still be under way until its time limit, and a little longer. */
const marginMs = 2000
/** How often an upstream must say that it knows of no task before the same call is sent again, where that is safe. */
const looksBeforeResending = 2

/**
 * A job in `submitting` was cut off between the intent and its answer. It is never simply sent again: the upstream is asked what it knows.
 * Where nothing can tell, the job ends as `submission_unknown`.
 */
export async function reconcile(parts: Parts, job: Job): Promise<Next> {
  const { attempt, misses } = job.work
  if (attempt === undefined) throw new Error('a job in submitting has an attempt')
  const now = parts.now()
  const { provider, offer, config } = upstreamOf(parts, job.view.model, attempt.provider)

  const mayBeUnderWay = attempt.at + parts.timeoutMs + marginMs
  if (misses === 0 && now < mayBeUnderWay) return wait(parts, job, mayBeUnderWay)

  const { handed } = job.work
  const asSent = await parts.inputs.recall(job.input, attempt.provider, handed)
  const order = orderOf(parts, { ...job, input: asSent }, attempt)
  const given = now - attempt.at > parts.reconcileMs
  const unknown = fault(
    'submission_unknown',
    `${provider.title} gave no answer to attempt ${attempt.id}, and nothing tells whether it took it`,
  )
  if (provider.find === undefined) {
    const hintMayCome = order.hintUrl !== undefined && provider.adopt !== undefined
    return hintMayCome && !given
      ? wait(parts, job, attempt.at + parts.reconcileMs + 1)
      : finish(parts, job, unknown)
  }

  const asked = await parts.transport.send(provider, config, provider.find.call(offer, order))
  const found =
    asked.kind === 'reply'
      ? provider.find.read(asked.reply, order, offer)
      : ({ kind: 'unclear', fault: asked.fault } as const)
  if (found.kind === 'running' || found.kind === 'done') return settle(parts, job, found)
  if (found.kind === 'failed') return finish(parts, job, found.fault)
  if (given) return finish(parts, job, unknown)
  if (found.kind === 'absent' && provider.find.safeToResend && misses >= looksBeforeResending) {
    const prepared = await parts.inputs.prepare(job.input, { provider, offer, config }, handed)
    if (prepared.kind === 'failed') return finish(parts, job, prepared.fault)
    const again = orderOf(parts, { ...job, input: prepared.input }, attempt)
    const sent = await parts.transport
      .send(provider, config, provider.submit(offer, again), { purchase: true, inline: prepared.inline })
      .finally(prepared.release)
    if (sent.kind === 'reply') return settle(parts, job, provider.accept(sent.reply, again))
  }
  return settle(parts, job, { kind: 'unclear', fault: found.kind === 'absent' ? unknown : found.fault })
}

async function wait(parts: Parts, job: Job, at: number): Promise<Next> {
  await parts.store.write(job, change(job, { at, now: parts.now() }))
  return { kind: 'wait', at }
}
