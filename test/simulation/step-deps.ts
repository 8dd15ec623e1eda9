import type { Redis } from 'ioredis'
import type { Journal } from '../../src/jobs/journal/journal.ts'
import type { Queues } from '../../src/jobs/queues.ts'
import type { StepDeps } from '../../src/jobs/steps/deps.ts'
import { latePollIntervalMs, lateResultQueue } from '../../src/jobs/steps/late-result.ts'
import type { JobStore } from '../../src/jobs/store/store.ts'
import { createRenderTimes } from '../../src/upstreams/render-times.ts'
import { createUpstreamSlots } from '../../src/upstreams/slots.ts'
import { quiet } from '../support/setup.ts'
import type { Environment } from './environment.ts'
import { routing } from './providers.ts'
import { settings } from './settings.ts'
import { createTransport } from './transport.ts'
import { createWebhooks } from './webhooks.ts'
import type { Actor } from './world.ts'

type Options = {
  actor: Actor
  redis: Redis
  store: JobStore
  queues: Queues
  journal: Journal
} & Pick<StepDeps, 'hasRestored' | 'confirmReplicas'>

/** What the steps of one worker work with, put together as `src/worker.ts` does it. */
export function createStepDeps(
  environment: Environment,
  { actor, redis, store, queues, journal, hasRestored, confirmReplicas }: Options,
): StepDeps {
  const { world, server, keys, upstreams, files, maxInFlight, callbacks } = environment

  return {
    store,
    journal,
    hasRestored,
    confirmReplicas,
    routing,
    transport: createTransport(world, { actor, server, upstreams, timeoutMs: settings.timeoutMs }),
    renderTimes: createRenderTimes({ redis, key: keys.renderTimes(false) }),
    slots: createUpstreamSlots({ redis, keys, maxJobs: maxInFlight }),
    wake: (provider, id) => queues.bringForward(provider, id),
    deliverWebhook: createWebhooks(world, { actor, redis, keys, store, received: environment.received }),
    schedulePollForLateResult: (id) => queues.add(lateResultQueue, id, latePollIntervalMs),
    inputUploader: {
      async prepare(job, input) {
        const ms = environment.uploadMs(job)
        if (ms > 0) {
          await world.call(
            actor,
            { type: 'prepare', label: `uploads the inputs of ${job}` },
            async () => undefined,
          )
          await actor.sleep(ms)
        }
        return { kind: 'ready', input, uploadedLinks: {}, inline: [], release: () => undefined }
      },
      toSentInput: async (input) => input,
    },
    storeResults: files.deliverFor(actor),
    deliveryLimits: settings.delivery,
    isCancelRequested: async (id) => (await redis.hexists(keys.job(id), 'cancel')) === 1,
    measureVideoSeconds: async () => undefined,
    defaultRenderMs: () => settings.typicalMs,
    upstreams: configsOf(upstreams),
    callTimeoutMs: settings.timeoutMs,
    maxPollIntervalMs: settings.longestPollMs,
    reconcileTimeoutMs: settings.reconcileMs,
    taskLostMs: settings.taskLostMs,
    ...(callbacks && { callbackUrl: (id: string, secret: string) => `${id}/${secret}` }),
    logger: quiet,
    now: world.trueNow,
    sleep: actor.sleep,
  }
}

/** The upstreams' configurations, which hold nothing here. */
export function configsOf(upstreams: Environment['upstreams']): StepDeps['upstreams'] {
  const empty = { settings: {}, credentials: {}, baseUrls: {} }
  return Object.fromEntries(
    Object.keys(upstreams).map((name) => [name, empty]),
  ) as unknown as StepDeps['upstreams']
}
