import { Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import type { Clock } from '../../redis/clock.ts'
import type { Keys } from '../../redis/keys.ts'
import { type Queues, type StepPayload, webhookQueue } from '../queues.ts'
import type { StepDeps } from './deps.ts'
import { createStepRunner } from './step-runner.ts'

/** Runs the steps of every queue. A waiting job occupies no worker: its step ends and reschedules itself. */
export function createWorkers(
  deps: StepDeps,
  {
    redis,
    queues,
    keys,
    queueNames,
    concurrency,
    clock,
    webhookConcurrency,
  }: {
    redis: Redis
    queues: Queues
    keys: Keys
    queueNames: readonly string[]
    concurrency: number
    clock: Pick<Clock, 'now' | 'toWallClock' | 'isSkewed' | 'onSkew'>
    webhookConcurrency: number
  },
) {
  const run = createStepRunner(deps, { queues, clock })

  const workers = queueNames.map((name) => {
    const worker = new Worker<StepPayload>(name, (queueEntry, token) => run(name, queueEntry, token), {
      connection: redis,
      prefix: keys.bull,
      concurrency: name === webhookQueue ? Math.max(concurrency, webhookConcurrency) : concurrency,
      // Measured: the step of a killed worker is repeated after 3 to 5 s instead of a minute. The lease token makes a repeated step harmless.
      lockDuration: 3000,
      stalledInterval: 1000,
      maxStalledCount: 1_000_000,
      runRetryDelay: 300,
      drainDelay: 1,
      autorun: false,
    })
    worker.on('error', (cause) => deps.logger.debug({ queue: name, err: cause }, 'Queue connection error'))
    return worker
  })

  /** With a wrong clock, a worker would take entries at the wrong time. */
  async function followClock(isSkewed: boolean): Promise<void> {
    for (const worker of workers) {
      if (isSkewed) await worker.pause(true)
      else await worker.resume()
    }
  }

  return {
    async start(): Promise<void> {
      if (clock.isSkewed()) await followClock(true)
      clock.onSkew((isSkewed) => {
        followClock(isSkewed).catch((cause: unknown) =>
          deps.logger.error({ err: cause }, 'Workers could not be paused or resumed after a clock change'),
        )
      })
      for (const worker of workers) void worker.run()
    },
    /** Starts no new step and waits for those in progress. */
    async close(): Promise<void> {
      await Promise.all(workers.map((worker) => worker.close()))
    },
  }
}
