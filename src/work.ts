import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { findModel } from './catalogue/index.ts'
import { barrierOf, type Ground, queueNames } from './ground.ts'
import { createJournal } from './jobs/journal/journal.ts'
import { createRestorer } from './jobs/journal/restore-attempts.ts'
import { webhookQueue } from './jobs/queues.ts'
import type { Parts } from './jobs/steps/deps.ts'
import { firstLateLookMs, lateQueue } from './jobs/steps/late-result.ts'
import { createWorkers } from './jobs/steps/workers.ts'
import { createStore } from './jobs/store/store.ts'
import { createSweep } from './jobs/sweep.ts'
import { createRenderTimes } from './upstreams/render-times.ts'
import { missingVariables } from './upstreams/routing.ts'
import { createSlots } from './upstreams/slots.ts'

/** Starts the workers and the sweep; answers how to let them finish the steps under way and take no more. */
export async function startWork(ground: Ground): Promise<() => Promise<void>> {
  const { config, logger, redis, keys, clock, queues, media, webhooks, offers, upstreams } = ground
  const working = await ground.connections.forWorkers()
  // WAIT holds up its connection, so the intents that it waits for have one of their own.
  const waits = config.waitReplicas > 0 || config.waitAof
  const intents = waits ? await ground.connections.forWorkers() : working
  const journal = await createJournal({
    dir: join(config.dataDir, 'journal'),
    keepMs: config.journalMs,
    logger,
    now: clock.now,
  })
  const slots = createSlots({ redis: working, keys, caps: config.maxInFlight })
  const sweep = createSweep({
    redis,
    keys,
    store: ground.store,
    queues,
    slots,
    clock,
    sweepWebhooks: webhooks.sweep,
    logger,
  })
  const store = createStore({
    redis: working,
    intentRedis: intents,
    keys,
    ...ground.storeOptions,
    // Only makes it sooner: the sweep would find it.
    ended: (id) => void queues.add(webhookQueue, id).catch(() => undefined),
  })
  const restorer = createRestorer({
    redis: working,
    keys,
    store,
    queues,
    journal,
    offers,
    upstreams,
    clock,
    graceMs: config.failoverGraceMs,
    sleep: (ms) => sleep(ms),
    logger,
  })
  const parts: Parts = {
    store,
    journal,
    hasRestored: restorer.hasRestored,
    confirmReplicas: barrierOf(config, keys, intents),
    offers,
    rejectedKeys: ground.rejectedKeys,
    transport: ground.transport,
    renderTimes: createRenderTimes({ redis: working, key: keys.renderTimes(false) }),
    inputs: media.inputUploader,
    deliver: media.deliver,
    delivery: config.delivery,
    isCancelAsked: async (id) => (await working.hexists(keys.job(id), 'cancel')) === 1,
    secondsOf: media.secondsOf,
    typicalMs: (model) => (findModel(model)?.typicalSeconds ?? 60) * 1000,
    slots,
    wake: (provider, id) => queues.bringForward(provider, id),
    tellEnd: webhooks.deliver,
    watchLate: (id) => queues.add(lateQueue, id, firstLateLookMs),
    ...(config.publicUrl === undefined
      ? {}
      : { hintUrl: (id: string, secret: string) => `${config.publicUrl}/hooks/${id}/${secret}` }),
    upstreams,
    missingKeys: {
      reasonFor(provider, offer) {
        if (config.sandbox) return `${provider.title} is not called: this worker runs the sandbox`
        const missing = missingVariables(provider, offer, upstreams)
        return missing.length === 0 ? undefined : `${provider.title} needs ${missing.join(' and ')}`
      },
      waitMs: config.missingKeyWaitMs,
    },
    sandbox: {
      upstreams: ground.sandboxUpstreams,
      renderTimes: createRenderTimes({ redis: working, key: keys.renderTimes(true) }),
      typicalMs: () => config.sandboxRenderMs,
      deliver: (job, videos, options) => media.deliver(job, videos, { ...options, sandbox: true }),
    },
    timeoutMs: config.upstreamTimeoutMs,
    reconcileMs: config.reconcileMs,
    taskLostMs: config.taskLostMs,
    longestPollMs: config.longestPollMs,
    logger,
    now: clock.now,
    sleep: (ms) => sleep(ms),
  }
  const { concurrency } = config
  const workers = createWorkers(parts, {
    redis: working,
    queues,
    keys,
    names: queueNames,
    concurrency,
    clock,
    webhooksAtOnce: config.webhooks.limits.all,
  })
  await restorer.start()
  await workers.start()
  sweep.start()
  return async () => {
    await sweep.stop()
    await webhooks.stop()
    await workers.close()
    await restorer.stop()
    await journal.close()
  }
}
