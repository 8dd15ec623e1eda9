import type { Logger } from 'pino'
import { isTerminal, type JobView } from '../jobs/job.ts'
import type { JobStore } from '../jobs/store/store.ts'
import type { NextStep } from '../jobs/store/transition.ts'
import type { SafeFetch } from '../net/safe-fetch.ts'
import type { DeliveryLimiter } from './delivery-limiter.ts'
import type { DeliveryLogEntry, WebhookOutbox } from './outbox.ts'
import type { WebhookSecrets } from './secrets.ts'
import { type BuildStatus, buildMessage, type SendResult, sendWebhook } from './send-webhook.ts'

/** Attempts stop this long after the end of the job or the last replay. */
const maxRetryAgeMs = 86_400_000

type DeliveryDeps = {
  store: Pick<JobStore, 'read'>
  outbox: WebhookOutbox
  secrets: Pick<WebhookSecrets, 'listValid'>
  limiter: DeliveryLimiter
  safeFetch: SafeFetch['fetch']
  buildStatus: BuildStatus
  stopping: AbortSignal
  /** The delay after each failed attempt. */
  retriesMs: readonly number[]
  logger: Logger
}

/** Makes one attempt to deliver the webhook of a job. */
export async function deliverWebhook(deps: DeliveryDeps, id: string): Promise<NextStep> {
  const { store, outbox, secrets, limiter } = deps
  const job = (await store.read(id)) ?? (await outbox.readDeletedJob(id))
  if (job?.webhook === undefined || !isTerminal(job.view.state)) {
    await outbox.remove(id)
    return { kind: 'end' }
  }
  const { owner, view, webhook } = job
  const [isOpen, isDisabled, log, signingSecrets] = await Promise.all([
    outbox.isOpen(id),
    outbox.isDisabled(owner, webhook.url),
    outbox.log(id),
    secrets.listValid(owner),
  ])
  if (!isOpen) return { kind: 'end' }
  if (isDisabled) {
    await outbox.logAttempt(id, { at: Date.now(), outcome: 'disabled', version: view.version })
    return { kind: 'end' }
  }
  const slot = limiter.acquire(owner, webhook.url)
  if ('waitMs' in slot) {
    const retryAt = Date.now() + slot.waitMs
    await outbox.postpone(id, retryAt)
    return { kind: 'wait', at: retryAt }
  }
  const at = Date.now()
  let isDelivered = false
  try {
    const message = buildMessage(view, { baseUrl: webhook.baseUrl, buildStatus: deps.buildStatus })
    const result = await sendWebhook(deps, webhook.url, message, signingSecrets)
    // Interrupted by shutdown, so the outcome is unknown: the next process tries again.
    if (result.kind === 'unanswered' && deps.stopping.aborted) return { kind: 'wait', at }
    isDelivered = isSuccess(result)
    const logEntry = {
      ...toLogEntry(result, at, nextAttemptTime(deps.retriesMs, view, log)),
      version: view.version,
    }
    if (logEntry.outcome === 'gone') await outbox.disable(owner, webhook.url, at)
    await outbox.logAttempt(id, logEntry)
    if (!isDelivered) deps.logger.warn({ job: id, ...logEntry }, 'webhook delivery failed')
    return logEntry.nextAt === undefined ? { kind: 'end' } : { kind: 'wait', at: logEntry.nextAt }
  } finally {
    slot.release(isDelivered)
  }
}

function isSuccess(result: SendResult): boolean {
  return result.kind === 'answered' && result.status >= 200 && result.status < 300
}

function toLogEntry(result: SendResult, at: number, nextAttemptAt: number | undefined): DeliveryLogEntry {
  const reply = result.kind === 'answered' ? { status: result.status } : { error: result.error }
  const baseEntry = { at, tookMs: Date.now() - at, ...reply }
  if (isSuccess(result)) return { ...baseEntry, outcome: 'delivered' }
  if (result.kind === 'answered' && result.status === 410) return { ...baseEntry, outcome: 'gone' }
  if (result.kind === 'refused' || nextAttemptAt === undefined) return { ...baseEntry, outcome: 'gave_up' }
  return { ...baseEntry, outcome: 'failed', nextAt: nextAttemptAt }
}

/** When to retry if this attempt fails; `undefined`: this is the last attempt. */
function nextAttemptTime(
  retriesMs: readonly number[],
  view: JobView,
  log: readonly DeliveryLogEntry[],
): number | undefined {
  // A job that an operator continued also has attempts from its first end.
  const attempts = log.filter(({ version }) => version === undefined || version === view.version)
  const lastReplay = attempts.findLastIndex(({ outcome }) => outcome === 'replayed')
  const startedAt = attempts[lastReplay]?.at ?? view.completedAt ?? view.createdAt
  const delayMs = retriesMs[attempts.length - lastReplay - 1]
  if (delayMs === undefined) return undefined
  const retryAt = Math.round(Date.now() + delayMs * (0.75 + Math.random() / 2))
  return retryAt - startedAt > maxRetryAgeMs ? undefined : retryAt
}
