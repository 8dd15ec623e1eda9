import { findModel } from './catalogue/index.ts'
import { firstLateLookMs, lateQueue } from './engine/late.ts'
import type { Parts } from './engine/parts.ts'
import { webhookQueue } from './engine/queues.ts'
import { createRenderTimes } from './engine/render-times.ts'
import { createSlots } from './engine/slots.ts'
import { createStore } from './engine/store.ts'
import { createSweep } from './engine/sweep.ts'
import { createWorkers } from './engine/worker.ts'
import { type Ground, queueNames } from './ground.ts'

/** Starts the workers and the sweep; answers how to let them finish the steps under way and take no more. */
export async function startWork(ground: Ground): Promise<() => Promise<void>> {
  const { config, logger, redis, keys, store, queues, media, webhooks } = ground
  const working = await ground.connections.forWorkers()
  const slots = createSlots({ redis: working, keys, caps: config.maxInFlight })
  const sweep = createSweep({ redis, keys, store, queues, slots, sweepWebhooks: webhooks.sweep, logger })
  const parts: Parts = {
    store: createStore({
      redis: working,
      keys,
      keepMs: config.keepMs,
      // Only makes it sooner: the sweep would find it.
      ended: (id) => void queues.add(webhookQueue, id).catch(() => undefined),
    }),
    offers: ground.offers,
    transport: ground.transport,
    renderTimes: createRenderTimes({ redis: working, key: keys.renderTimes(config.sandbox) }),
    inputs: media.handOver,
    deliver: media.deliver,
    secondsOf: media.secondsOf,
    typicalMs: (model) =>
      config.sandbox ? config.sandboxRenderMs : (findModel(model)?.typicalSeconds ?? 60) * 1000,
    slots,
    wake: (provider, id) => queues.bringForward(provider, id),
    tellEnd: webhooks.deliver,
    watchLate: (id) => queues.add(lateQueue, id, firstLateLookMs),
    ...(config.publicUrl === undefined
      ? {}
      : { hintUrl: (id: string, secret: string) => `${config.publicUrl}/hooks/${id}/${secret}` }),
    upstreams: ground.upstreams,
    timeoutMs: config.upstreamTimeoutMs,
    reconcileMs: config.reconcileMs,
    longestPollMs: config.longestPollMs,
    logger,
    now: Date.now,
  }
  const { concurrency } = config
  const workers = createWorkers(parts, {
    redis: working,
    queues,
    keys,
    names: queueNames,
    concurrency,
    webhooksAtOnce: config.webhooks.limits.all,
  })
  workers.start()
  sweep.start()
  return async () => {
    await sweep.stop()
    await webhooks.stop()
    await workers.close()
  }
}
