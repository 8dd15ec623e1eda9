import { DelayedError, type Job as Entry, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import type { Clock } from '../redis/clock.ts'
import type { Keys } from './keys.ts'
import { lateQueue, lookLate } from './late.ts'
import type { Parts } from './parts.ts'
import { type Queues, type StepData, webhookQueue } from './queues.ts'
import { step } from './step.ts'

/** A queue entry may come before its record is visible; it is looked for this long before it is given up. */
const recordGraceMs = 10_000
const afterErrorMs = 2000

/** Runs the steps of every queue. Waiting holds no slot: a step ends by putting itself off. */
export function createWorkers(
  parts: Parts,
  {
    redis,
    queues,
    keys,
    names,
    concurrency,
    clock,
    webhooksAtOnce,
  }: {
    redis: Redis
    queues: Queues
    keys: Keys
    names: readonly string[]
    concurrency: number
    clock: Pick<Clock, 'now' | 'toWallClock' | 'isSkewed' | 'onSkew'>
    webhooksAtOnce: number
  },
) {
  async function putOff(entry: Entry<StepData>, at: number, token: string | undefined): Promise<never> {
    await entry.moveToDelayed(clock.toWallClock(at), token)
    // A cancel or a callback during the step found nothing to bring forward.
    if (at > clock.now() && (await parts.store.isWoken(entry.data.id))) await entry.promote()
    throw new DelayedError()
  }

  function take(queue: string, id: string) {
    if (queue === lateQueue) return lookLate(parts, id)
    return queue === webhookQueue ? parts.tellEnd(id) : step(parts, id, queue)
  }

  async function run(queue: string, entry: Entry<StepData>, token: string | undefined): Promise<void> {
    const { id } = entry.data
    const taken = take(queue, id)
    const next = await taken.catch((cause: unknown) => {
      parts.logger.error({ job: id, err: cause }, 'a step was cut short')
      return { kind: 'wait', at: clock.now() + afterErrorMs } as const
    })
    if (next.kind === 'wait') return putOff(entry, next.at, token)
    if (next.kind === 'move') return queues.add(next.queue, id)
    if (next.kind === 'absent' && Date.now() - entry.timestamp < recordGraceMs)
      return putOff(entry, clock.now() + 300, token)
  }

  const workers = names.map((name) => {
    const worker = new Worker<StepData>(name, (entry, token) => run(name, entry, token), {
      connection: redis,
      prefix: keys.bull,
      concurrency: name === webhookQueue ? Math.max(concurrency, webhooksAtOnce) : concurrency,
      // Measured: a killed worker's step runs again after 3 to 5 s instead of a minute; running twice is harmless because of the fence.
      lockDuration: 3000,
      stalledInterval: 1000,
      maxStalledCount: 1_000_000,
      runRetryDelay: 300,
      drainDelay: 1,
      autorun: false,
    })
    worker.on('error', (cause) => parts.logger.debug({ queue: name, err: cause }, 'queue connection'))
    return worker
  })

  /** A worker whose clock is wrong takes entries out of their time. */
  async function follow(skewed: boolean): Promise<void> {
    for (const worker of workers) {
      if (skewed) await worker.pause(true)
      else await worker.resume()
    }
  }

  return {
    async start(): Promise<void> {
      if (clock.isSkewed()) await follow(true)
      clock.onSkew((skewed) => {
        follow(skewed).catch((cause: unknown) =>
          parts.logger.error({ err: cause }, 'Workers could not follow the clock'),
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
