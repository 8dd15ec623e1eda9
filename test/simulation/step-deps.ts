import type { Redis } from 'ioredis'
import type { Journal } from '../../src/jobs/journal/journal.ts'
import type { Queues } from '../../src/jobs/queues.ts'
import type { Parts } from '../../src/jobs/steps/deps.ts'
import { firstLateLookMs, lateQueue } from '../../src/jobs/steps/late-result.ts'
import type { Store } from '../../src/jobs/store/store.ts'
import { createRenderTimes } from '../../src/upstreams/render-times.ts'
import { createSlots } from '../../src/upstreams/slots.ts'
import { quiet } from '../support/setup.ts'
import type { Environment } from './environment.ts'
import { offers } from './providers.ts'
import { settings } from './settings.ts'
import { createTransport } from './transport.ts'
import { createWebhooks } from './webhooks.ts'
import type { Actor } from './world.ts'

type Options = {
  actor: Actor
  redis: Redis
  store: Store
  queues: Queues
  journal: Journal
} & Pick<Parts, 'hasRestored' | 'confirmReplicas'>

/** What the steps of one worker work with, put together as `src/work.ts` does it. */
export function createParts(
  environment: Environment,
  { actor, redis, store, queues, journal, hasRestored, confirmReplicas }: Options,
): Parts {
  const { world, server, keys, upstreams, files, maxInFlight, callbacks } = environment

  return {
    store,
    journal,
    hasRestored,
    confirmReplicas,
    offers,
    transport: createTransport(world, { actor, server, upstreams, timeoutMs: settings.timeoutMs }),
    renderTimes: createRenderTimes({ redis, key: keys.renderTimes(false) }),
    slots: createSlots({ redis, keys, caps: maxInFlight }),
    wake: (provider, id) => queues.bringForward(provider, id),
    tellEnd: createWebhooks(world, { actor, redis, keys, store, received: environment.received }),
    watchLate: (id) => queues.add(lateQueue, id, firstLateLookMs),
    inputs: {
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
    deliver: files.deliverFor(actor),
    delivery: settings.delivery,
    isCancelAsked: async (id) => (await redis.hexists(keys.job(id), 'cancel')) === 1,
    secondsOf: async () => undefined,
    typicalMs: () => settings.typicalMs,
    upstreams: configsOf(upstreams),
    timeoutMs: settings.timeoutMs,
    longestPollMs: settings.longestPollMs,
    reconcileMs: settings.reconcileMs,
    taskLostMs: settings.taskLostMs,
    ...(callbacks && { hintUrl: (id: string, secret: string) => `${id}/${secret}` }),
    logger: quiet,
    now: world.trueNow,
    sleep: actor.sleep,
  }
}

/** The upstreams' configurations, which hold nothing here. */
export function configsOf(upstreams: Environment['upstreams']): Parts['upstreams'] {
  const empty = { settings: {}, credentials: {}, baseUrls: {} }
  return Object.fromEntries(
    Object.keys(upstreams).map((name) => [name, empty]),
  ) as unknown as Parts['upstreams']
}
