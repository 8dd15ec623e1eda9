import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { isTerminal } from '../jobs/job.ts'
import { type Queues, webhookQueue } from '../jobs/queues.ts'
import type { JobStore } from '../jobs/store/store.ts'
import type { NextStep } from '../jobs/store/transition.ts'
import { createSafeFetch } from '../net/safe-fetch.ts'
import type { Keys } from '../redis/keys.ts'
import { deliverWebhook } from './deliver-webhook.ts'
import { createDeliveryLimiter, type DeliveryConcurrency } from './delivery-limiter.ts'
import { createWebhookOutbox, type DeliveryLogEntry } from './outbox.ts'
import { createWebhookSecrets } from './secrets.ts'
import type { BuildStatus } from './send-webhook.ts'
import { findUrlProblem } from './webhook-url.ts'

type WebhookConfig = {
  /** Whether webhooks may go to this machine and to private networks. */
  allowPrivateNetworks: boolean
  retriesMs: readonly number[]
  concurrency: DeliveryConcurrency
}

/** The state of the webhook of a job, and its attempts. */
export type WebhookDelivery = {
  state: 'none' | 'waiting' | 'delivered' | 'failed' | 'disabled'
  log: readonly DeliveryLogEntry[]
}

export type Webhooks = ReturnType<typeof createWebhooks>

type WebhooksDeps = {
  redis: Redis
  keys: Keys
  store: JobStore
  queues: Queues
  keepMs: number
  config: WebhookConfig
  buildStatus: BuildStatus
  logger: Logger
}

const sweepBatchSize = 500
const requeueDelayMs = 10_000
/** How long deliveries in progress may continue during shutdown. */
const stopGraceMs = 1000

/** Webhooks: signed messages to the owners of jobs when these end, delivered at least once. */
export function createWebhooks({
  redis,
  keys,
  store,
  queues,
  keepMs,
  config,
  buildStatus,
  logger,
}: WebhooksDeps) {
  const outbox = createWebhookOutbox({ redis, keys, keepMs })
  const secrets = createWebhookSecrets({ redis, keys })
  const httpClient = createSafeFetch({ allowPrivateNetworks: config.allowPrivateNetworks })
  const limiter = createDeliveryLimiter(config.concurrency)
  const stopping = new AbortController()
  const deliveryDeps = {
    stopping: stopping.signal,
    store,
    outbox,
    secrets,
    limiter,
    safeFetch: httpClient.fetch,
    buildStatus,
    retriesMs: config.retriesMs,
    logger,
  }

  async function readDelivery(id: string): Promise<WebhookDelivery> {
    const [job, isOpen, deliveryLog] = await Promise.all([store.read(id), outbox.isOpen(id), outbox.log(id)])
    if (job?.webhook === undefined) return { state: 'none', log: deliveryLog }
    if (isOpen || !isTerminal(job.view.state)) return { state: 'waiting', log: deliveryLog }
    const lastOutcome = deliveryLog.at(-1)?.outcome
    if (lastOutcome === 'delivered') return { state: 'delivered', log: deliveryLog }
    return {
      state: lastOutcome === 'gone' || lastOutcome === 'disabled' ? 'disabled' : 'failed',
      log: deliveryLog,
    }
  }

  return {
    findUrlProblem: (url: unknown) => findUrlProblem(url, config),
    readSecret: (owner: string) => secrets.current(owner),
    rotateSecret: (owner: string, operation?: string) => secrets.rotateSecret(owner, operation),
    readDefaultUrl: (owner: string) => outbox.readDefaultUrl(owner),
    setDefaultUrl: (owner: string, url: string | undefined) => outbox.setDefaultUrl(owner, url),
    readDelivery: (id: string) => readDelivery(id),

    /** Delivers the webhook of a job again. Returns false if the job has none or has not ended. */
    async replay(id: string): Promise<boolean> {
      const job = await store.read(id)
      if (job?.webhook === undefined || !isTerminal(job.view.state)) return false
      await outbox.enable(job.owner, job.webhook.url)
      const now = Date.now()
      await outbox.logAttempt(id, { at: now, outcome: 'replayed', nextAt: now, version: job.view.version })
      await queues.bringForward(webhookQueue, id)
      return true
    },

    deliver: (id: string): Promise<NextStep> => deliverWebhook(deliveryDeps, id),

    /** Requeues overdue deliveries. */
    async sweep(): Promise<void> {
      for (const id of await outbox.listOverdue(Date.now(), sweepBatchSize)) {
        await outbox.postpone(id, Date.now() + requeueDelayMs)
        await queues.bringForward(webhookQueue, id)
      }
    },

    /** Call before waiting for the workers, so that a slow destination does not delay shutdown. */
    stop(): void {
      setTimeout(() => stopping.abort(), stopGraceMs).unref()
    },

    close: httpClient.close,
  }
}
