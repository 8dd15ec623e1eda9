import { Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import type { Clock } from '../../redis/clock.ts'
import type { Keys } from '../../redis/keys.ts'
import { type Queues, type StepPayload, webhookQueue } from '../queues.ts'
import type { StepDeps } from './deps.ts'
import { createStepRunner } from './step-runner.ts'

/** Runs the steps of every queue. Waiting holds no slot: a step ends by putting itself off. */
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
      // Measured: a killed worker's step runs again after 3 to 5 s instead of a minute; running twice is harmless because of the fence.
      lockDuration: 3000,
      stalledInterval: 1000,
      maxStalledCount: 1_000_000,
      runRetryDelay: 300,
      drainDelay: 1,
      autorun: false,
    })
    worker.on('error', (cause) => deps.logger.debug({ queue: name, err: cause }, 'queue connection'))
    return worker
  })

  /** A worker whose clock is wrong takes entries out of their time. */
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
          deps.logger.error({ err: cause }, 'Workers could not follow the clock'),
        )
      })
      for (const worker of workers) void worker.run()
    },
    /** Takes no new step and waits for those under way. */
    async close(): Promise<void> {
      await Promise.all(workers.map((worker) => worker.close()))
    },
  }
}
