import { fault } from '../../../providers/faults.ts'
import type { ProviderName } from '../../../providers/provider.ts'
import type { PreparedInput } from '../../media/inputs/upload-inputs.ts'
import {
  buildOrder,
  deriveAttemptId,
  fingerprintRequest,
  nextAttemptNumber,
  replyMarginMs,
  requireUpstream,
} from '../attempt.ts'
import type { Attempt, Job } from '../job.ts'
import type { IntentResult } from '../store/purchase-intents.ts'
import { createTransition, type NextStep } from '../store/transition.ts'
import type { StepDeps } from './deps.ts'
import { returnToPending } from './fail-over.ts'
import { canceledFault, endJob, expiredFault, rescheduleStep } from './finish.ts'
import { persistReply } from './persist-reply.ts'
import { storeOutcome } from './store-outcome.ts'

/** Delay before an attempt is repeated that this gateway could not make. */
const retryAttemptMs = 2000

type ReadyInput = PreparedInput & { kind: 'ready' }

/** Stores the intent, makes the one call that costs money, stores its reply. */
export async function purchase(
  deps: StepDeps,
  job: Job,
  name: ProviderName,
  { input, uploadedLinks, inline }: ReadyInput,
): Promise<NextStep> {
  const { provider, mapping, config } = requireUpstream(deps, job.view.model, name)
  const attemptNumber = nextAttemptNumber(job)
  const attempt: Attempt = {
    id: deriveAttemptId(job.view.id, name, attemptNumber),
    provider: name,
    at: deps.now(),
  }
  const order = buildOrder(deps, { ...job, input }, attempt)
  // Before the intent: if the call cannot be built, it is certain that nothing was sent.
  const call = provider.submit(mapping, order)
  const intent = createTransition(job, {
    view: { state: 'submitting' },
    work: { attempt, attempts: attemptNumber, handed: uploadedLinks, misses: 0 },
    at: attempt.at + deps.callTimeoutMs,
    now: attempt.at,
  })
  const fingerprint = fingerprintRequest(deps, job, provider, mapping)
  const awaitedMs = fingerprint === '' ? 0 : deps.callTimeoutMs + replyMarginMs
  const intentResult = await deps.store.storeIntent(job, intent, { fingerprint, forMs: awaitedMs })
  if (intentResult.kind !== 'stored')
    return endWithoutPurchase(deps, { ...job, work: { ...job.work, handed: uploadedLinks } }, intentResult)
  const submittingJob: Job = { ...job, view: intent.view, work: intent.work }
  if (!deps.hasRestored(intentResult.server))
    return abandonAttempt(deps, submittingJob, 'Redis failover: attempts are being restored')

  try {
    await Promise.all([
      deps.journal.begin({
        job: job.view.id,
        attempt,
        number: attemptNumber,
        handed: uploadedLinks,
        server: intentResult.server,
      }),
      deps.confirmReplicas(),
    ])
  } catch (cause) {
    deps.logger.error({ job: job.view.id, err: cause }, 'Not purchased: the intent is not durable')
    return abandonAttempt(deps, submittingJob, 'The intent could not be stored durably')
  }
  if (deps.now() - attempt.at > deps.callTimeoutMs) {
    // Another process may treat this attempt as lost by now, so its call must not be made.
    return abandonAttempt(deps, submittingJob, 'Redis was too slow to start the call')
  }
  const callResult = await deps.transport.send(provider, config, call, { purchase: true, inline })
  if (callResult.kind === 'reply')
    return storeOutcome(deps, submittingJob, provider.accept(callResult.reply, order))
  const isCertainlyUnsent = callResult.kind === 'unsent' && deps.now() - attempt.at < deps.callTimeoutMs
  return storeOutcome(deps, submittingJob, {
    kind: isCertainlyUnsent ? 'failed' : 'unclear',
    fault: callResult.fault,
  })
}

function endWithoutPurchase(
  deps: StepDeps,
  job: Job,
  intentResult: Exclude<IntentResult, { kind: 'stored' }>,
): Promise<NextStep> | NextStep {
  if (intentResult.kind === 'stale') return { kind: 'end' }
  if (intentResult.kind === 'paused') return rescheduleStep(deps, job, intentResult.ms)
  return endJob(deps, job, intentResult.kind === 'canceled' ? canceledFault : expiredFault)
}

/** The call was not made, because of this gateway: this does not count as a rejection by the upstream. */
function abandonAttempt(deps: StepDeps, job: Job, reason: string): Promise<NextStep> {
  const { attempt } = job.work
  return persistReply(deps, async () => {
    if (attempt !== undefined) await deps.journal.discard(attempt.id)
    const at = deps.now() + retryAttemptMs
    await returnToPending(deps, job, {}, fault('upstream_unreachable', reason), at)
    return { kind: 'wait', at }
  })
}
