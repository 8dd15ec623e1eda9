import { fault } from '../../../providers/fault.ts'
import type { ProviderName } from '../../../providers/provider.ts'
import type { PreparedInput } from '../../media/inputs/upload-inputs.ts'
import { attemptId, fingerprintOf, nextAttempt, orderOf, replyMarginMs } from '../attempt.ts'
import type { Attempt, Job } from '../job.ts'
import type { Intent } from '../store/purchase-intents.ts'
import { change, type Next } from '../store/transition.ts'
import { type Parts, upstreamOf } from './deps.ts'
import { writeBack } from './fail-over.ts'
import { canceled, expired, finish, pause } from './finish.ts'
import { persist } from './persist-reply.ts'
import { keepOutcome } from './store-outcome.ts'

/** How soon an attempt that was not made for a reason of ours is made again. */
const retryAttemptMs = 2000

type Ready = PreparedInput & { kind: 'ready' }

/** Stores the intent, makes the one call that costs money, writes its reply. */
export async function purchase(
  parts: Parts,
  job: Job,
  name: ProviderName,
  { input, uploadedLinks: handed, inline }: Ready,
): Promise<Next> {
  const { provider, offer, config } = upstreamOf(parts, job.view.model, name)
  const number = nextAttempt(job)
  const attempt: Attempt = { id: attemptId(job.view.id, name, number), provider: name, at: parts.now() }
  const order = orderOf(parts, { ...job, input }, attempt)
  // Before the intent: what cannot be said to an upstream is known to be unsent.
  const call = provider.submit(offer, order)
  const intent = change(job, {
    view: { state: 'submitting' },
    work: { attempt, attempts: number, handed, misses: 0 },
    at: attempt.at + parts.timeoutMs,
    now: attempt.at,
  })
  const fingerprint = fingerprintOf(parts, job, provider, offer)
  const awaitedMs = fingerprint === '' ? 0 : parts.timeoutMs + replyMarginMs
  const stored = await parts.store.storeIntent(job, intent, { fingerprint, forMs: awaitedMs })
  if (stored.kind !== 'stored') return doNotPurchase(parts, { ...job, work: { ...job.work, handed } }, stored)
  const held: Job = { ...job, view: intent.view, work: intent.work }
  if (!parts.hasRestored(stored.server))
    return withdraw(parts, held, 'Another Redis server has taken over, and is not known to have all attempts')

  try {
    await Promise.all([
      parts.journal.begin({ job: job.view.id, attempt, number, handed, server: stored.server }),
      parts.confirmReplicas(),
    ])
  } catch (cause) {
    parts.logger.error({ job: job.view.id, err: cause }, 'No purchase: the intent could be lost')
    return withdraw(parts, held, 'The intent to purchase could not be secured')
  }
  if (parts.now() - attempt.at > parts.timeoutMs) {
    // Another process may take this attempt for lost by now, so it must not be made any more.
    return withdraw(parts, held, 'Redis was too slow to start the call')
  }
  const sent = await parts.transport.send(provider, config, call, { purchase: true, inline })
  if (sent.kind === 'reply') return keepOutcome(parts, held, provider.accept(sent.reply, order))
  const certain = sent.kind === 'unsent' && parts.now() - attempt.at < parts.timeoutMs
  return keepOutcome(parts, held, { kind: certain ? 'failed' : 'unclear', fault: sent.fault })
}

function doNotPurchase(
  parts: Parts,
  job: Job,
  intent: Exclude<Intent, { kind: 'stored' }>,
): Promise<Next> | Next {
  if (intent.kind === 'stale') return { kind: 'end' }
  if (intent.kind === 'paused') return pause(parts, job, intent.ms)
  return finish(parts, job, intent.kind === 'canceled' ? canceled : expired)
}

/** The call of an attempt was not made, for a reason of ours: no refusal of the upstream. */
function withdraw(parts: Parts, job: Job, reason: string): Promise<Next> {
  const { attempt } = job.work
  return persist(parts, async () => {
    if (attempt !== undefined) await parts.journal.discard(attempt.id)
    const at = parts.now() + retryAttemptMs
    await writeBack(parts, job, {}, fault('upstream_unreachable', reason), at)
    return { kind: 'wait', at }
  })
}
