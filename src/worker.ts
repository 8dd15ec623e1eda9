import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { findModel } from './catalogue/models/index.ts'
import { type Context, createBarrier, queueNames } from './context.ts'
import { createFinishedJobLog } from './jobs/finished-job-log.ts'
import { createJournal } from './jobs/journal/journal.ts'
import { createAttemptRestorer } from './jobs/journal/restore-attempts.ts'
import { webhookQueue } from './jobs/queues.ts'
import type { StepDeps } from './jobs/steps/deps.ts'
import { latePollIntervalMs, lateResultQueue } from './jobs/steps/late-result.ts'
import { createWorkers } from './jobs/steps/workers.ts'
import { createJobStore } from './jobs/store/store.ts'
import { createSweep } from './jobs/sweep.ts'
import { createRenderTimes } from './upstreams/render-times.ts'
import { listMissingVariables } from './upstreams/routing.ts'
import { createUpstreamSlots } from './upstreams/slots.ts'

/** Starts the workers and the sweep. Returns how to stop them: no new step starts, and those in progress finish. */
export async function startWorker(context: Context): Promise<() => Promise<void>> {
  const { config, logger, redis, keys, clock, queues, media, webhooks, routing, upstreams } = context
  const workerRedis = await context.connections.forWorkers()
  // WAIT blocks its connection, so intents have their own.
  const waitsForReplicas = config.waitReplicas > 0 || config.waitAof
  const intentRedis = waitsForReplicas ? await context.connections.forWorkers() : workerRedis
  const journal = await createJournal({
    dir: join(config.dataDir, 'journal'),
    keepMs: config.journalMs,
    logger,
    now: clock.now,
  })
  const slots = createUpstreamSlots({ redis: workerRedis, keys, maxJobs: config.maxInFlight })
  const sweep = createSweep({
    redis,
    keys,
    store: context.store,
    queues,
    slots,
    clock,
    sweepWebhooks: webhooks.sweep,
    logger,
  })
  const logFinishedJob = createFinishedJobLog({ logger, routing })
  const store = createJobStore({
    redis: workerRedis,
    intentRedis,
    keys,
    ...context.storeOptions,
    onFinished(finished) {
      logFinishedJob(finished)
      // Optional: the sweep would find it later.
      if (finished.job.webhook !== undefined)
        queues.add(webhookQueue, finished.job.view.id).catch(() => undefined)
    },
  })
  const restorer = createAttemptRestorer({
    redis: workerRedis,
    keys,
    store,
    queues,
    journal,
    routing,
    upstreams,
    clock,
    graceMs: config.failoverGraceMs,
    sleep: (ms) => sleep(ms),
    logger,
  })
  const stepDeps: StepDeps = {
    store,
    journal,
    hasRestored: restorer.hasRestored,
    confirmReplicas: createBarrier(config, keys, intentRedis),
    routing,
    rejectedKeys: context.rejectedKeys,
    transport: context.transport,
    renderTimes: createRenderTimes({ redis: workerRedis, key: keys.renderTimes(false) }),
    inputUploader: media.inputUploader,
    storeResults: media.deliver,
    deliveryLimits: config.delivery,
    isCancelRequested: async (id) => (await workerRedis.hexists(keys.job(id), 'cancel')) === 1,
    measureVideoSeconds: media.secondsOf,
    defaultRenderMs: (model) => (findModel(model)?.typicalSeconds ?? 60) * 1000,
    slots,
    wake: (provider, id) => queues.bringForward(provider, id),
    deliverWebhook: webhooks.deliver,
    schedulePollForLateResult: (id) => queues.add(lateResultQueue, id, latePollIntervalMs),
    ...(config.publicUrl === undefined
      ? {}
      : { callbackUrl: (id: string, secret: string) => `${config.publicUrl}/hooks/${id}/${secret}` }),
    upstreams,
    missingKeys: {
      reasonFor(provider, route) {
        if (config.sandbox) return `${provider.title} is not called: this worker runs the sandbox`
        const missingNames = listMissingVariables(provider, route, upstreams)
        return missingNames.length === 0 ? undefined : `${provider.title} needs ${missingNames.join(' and ')}`
      },
      waitMs: config.missingKeyWaitMs,
    },
    sandbox: {
      upstreams: context.sandboxUpstreams,
      renderTimes: createRenderTimes({ redis: workerRedis, key: keys.renderTimes(true) }),
      defaultRenderMs: () => config.sandboxRenderMs,
      storeResults: (job, videos, options) => media.deliver(job, videos, { ...options, sandbox: true }),
    },
    callTimeoutMs: config.upstreamTimeoutMs,
    reconcileTimeoutMs: config.reconcileMs,
    taskLostMs: config.taskLostMs,
    maxPollIntervalMs: config.longestPollMs,
    logger,
    now: clock.now,
    sleep: (ms) => sleep(ms),
  }
  const { concurrency } = config
  const workers = createWorkers(stepDeps, {
    redis: workerRedis,
    queues,
    keys,
    queueNames,
    concurrency,
    clock,
    webhookConcurrency: config.webhooks.concurrency.all,
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
