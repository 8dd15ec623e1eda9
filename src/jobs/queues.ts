import { Job as BullJob, ErrorCode, type JobsOptions, Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import type { Keys } from '../redis/keys.ts'
import type { Job } from './job.ts'

/** Only the ID: the record is the source of truth. */
export type StepPayload = { id: string }

export type Queues = ReturnType<typeof createQueues>

/** Steps that download finished files. */
export const deliveryQueue = 'delivery'

/** Deliveries of webhooks. */
export const webhookQueue = 'webhook'

/** How each entry is added, here and in `redis/lua/lib/enqueue.lua`: the record decides on retries and ends, not BullMQ. */
const queueEntryOptions = {
  attempts: 1,
  removeOnComplete: true,
  removeOnFail: true,
} satisfies JobsOptions

const queueEntryName = 'step'

/** The queue of a job's next step. */
export function queueOf({ view, work }: Pick<Job, 'view' | 'work'>): string | undefined {
  return view.state === 'delivering' ? deliveryQueue : work.route[0]
}

/** Returns false for the error that means "the entry is not delayed", and throws every other one. */
function ignoreNotDelayed(cause: unknown): false {
  if (cause instanceof Error && 'code' in cause && cause.code === ErrorCode.JobNotInState) return false
  throw cause
}

/** One queue per upstream, one for delivery and so on, so that a slow one does not block the others. */
export function createQueues({ redis, keys, names }: { redis: Redis; keys: Keys; names: readonly string[] }) {
  const queues = new Map(
    names.map((name) => {
      const queue = new Queue<StepPayload>(name, { connection: redis, prefix: keys.bull })
      queue.on('error', () => undefined)
      return [name, queue]
    }),
  )

  function requireQueue(name: string): Queue<StepPayload> {
    const queue = queues.get(name)
    if (queue === undefined) throw new Error(`unknown queue: ${name}`)
    return queue
  }

  return {
    waitUntilReady: () => Promise.all([...queues.values()].map((queue) => queue.waitUntilReady())),

    /** Queues a step. Does nothing if the queue already has one of this job. */
    async add(name: string, id: string, delayMs = 0): Promise<void> {
      await requireQueue(name).add(
        queueEntryName,
        { id },
        { ...queueEntryOptions, delay: delayMs, jobId: id },
      )
    },

    /** Runs the next step now, whether it is delayed, was lost or was never queued. */
    async bringForward(name: string, id: string): Promise<void> {
      const queue = requireQueue(name)
      // Usually the entry is delayed, and one call is enough.
      const promotion = new BullJob(queue, queueEntryName, { id }, queueEntryOptions, id).promote()
      if (await promotion.then(() => true, ignoreNotDelayed)) return
      const entry = await queue.getJob(id)
      const state = await entry?.getState()
      if (state === 'delayed') await entry?.promote().catch(() => undefined)
      // An entry that is in no list is never taken. A worker that dies at the wrong moment leaves one.
      if (state === 'unknown') await entry?.remove()
      if (state === undefined || state === 'unknown') await this.add(name, id)
    },

    async close(): Promise<void> {
      await Promise.all([...queues.values()].map((queue) => queue.close()))
    },
  }
}
