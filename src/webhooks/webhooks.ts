import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { answered } from '../jobs/engine.ts'
import { isTerminal } from '../jobs/job.ts'
import { type Queues, webhookQueue } from '../jobs/queues.ts'
import type { Store } from '../jobs/store/store.ts'
import type { Next } from '../jobs/store/transition.ts'
import { createSafeFetch } from '../net/safe-fetch.ts'
import type { Keys } from '../redis/keys.ts'
import { deliver } from './deliver.ts'
import { problemOf } from './destination.ts'
import { createGate, type GateLimits } from './gate.ts'
import { createOutbox, type Entry } from './outbox.ts'
import { createSecrets } from './secrets.ts'

type WebhookConfig = {
  /** Whether addresses of this machine and of private networks are served. */
  inward: boolean
  retriesMs: readonly number[]
  limits: GateLimits
}

/** How the telling of a job's end stands. */
export type Told = {
  state: 'none' | 'waiting' | 'delivered' | 'failed' | 'disabled'
  log: readonly Entry[]
}

export type Webhooks = ReturnType<typeof createWebhooks>

type Parts = {
  redis: Redis
  keys: Keys
  store: Store
  queues: Queues
  keepMs: number
  config: WebhookConfig
  logger: Logger
}

const sweptAtOnce = 500
const patienceMs = 10_000
/** What is being sent when the gateway stops has this long to be answered. */
const graceMs = 1000

/** Tells owners how their jobs have ended: at least once, signed, to where they say. */
export function createWebhooks({ redis, keys, store, queues, keepMs, config, logger }: Parts) {
  const outbox = createOutbox({ redis, keys, keepMs })
  const secrets = createSecrets({ redis, keys })
  const guard = createSafeFetch({ allowPrivateNetworks: config.inward })
  const gate = createGate(config.limits)
  const stopping = new AbortController()
  const parts = {
    stopping: stopping.signal,
    store,
    outbox,
    secrets,
    gate,
    ask: guard.fetch,
    retriesMs: config.retriesMs,
    logger,
  }

  async function told(id: string): Promise<Told> {
    const [job, open, log] = await Promise.all([store.read(id), outbox.isOpen(id), outbox.log(id)])
    if (job?.webhook === undefined) return { state: 'none', log }
    if (open || !isTerminal(job.view.state)) return { state: 'waiting', log }
    const last = log.at(-1)?.outcome
    if (last === 'delivered') return { state: 'delivered', log }
    return { state: last === 'gone' || last === 'disabled' ? 'disabled' : 'failed', log }
  }

  return {
    problemOf: (url: unknown) => problemOf(url, config),
    secret: (owner: string) => answered(secrets.current(owner)),
    rotate: (owner: string, operation?: string) => answered(secrets.rotate(owner, operation)),
    usual: (owner: string) => answered(outbox.usual(owner)),
    setUsual: (owner: string, url: string | undefined) => answered(outbox.setUsual(owner, url)),
    told: (id: string) => answered(told(id)),

    /** Tells the end of a job again. False: it has none, or nobody to tell. */
    async replay(id: string): Promise<boolean> {
      const job = await store.read(id)
      if (job?.webhook === undefined || !isTerminal(job.view.state)) return false
      await outbox.enable(job.owner, job.webhook.url)
      const now = Date.now()
      await outbox.note(id, { at: now, outcome: 'replayed', nextAt: now, version: job.view.version })
      await queues.bringForward(webhookQueue, id)
      return true
    },

    deliver: (id: string): Promise<Next> => deliver(parts, id),

    /** Brings back what was lost between the end of a job and its delivery. */
    async sweep(): Promise<void> {
      for (const id of await outbox.overdue(Date.now(), sweptAtOnce)) {
        await outbox.postpone(id, Date.now() + patienceMs)
        await queues.bringForward(webhookQueue, id)
      }
    },

    /** To be called before the workers are waited for: a destination that takes its time must not hold them up. */
    stop(): void {
      setTimeout(() => stopping.abort(), graceMs).unref()
    },

    close: guard.close,
  }
}
