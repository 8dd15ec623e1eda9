import { ErrorCode, Job, type JobsOptions, Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import type { Keys } from '../redis/keys.ts'

/** Only the id: the record is the truth. */
export type StepPayload = { id: string }

export type Queues = ReturnType<typeof createQueues>

/** Where finished files are fetched. */
export const deliveryQueue = 'delivery'

/** Where the ends of jobs are told to their owners. */
export const webhookQueue = 'webhook'

/** How each entry is added, here and in `redis/lua/lib/enqueue.lua`: the record decides on retries and ends, not BullMQ. */
const queueEntryOptions = {
  attempts: 1,
  removeOnComplete: true,
  removeOnFail: true,
} satisfies JobsOptions

const queueEntryName = 'step'

/** One queue an upstream, and one for delivery, so that a slow one never blocks another. */
/** False for the one error that says so; every other one is thrown on. */
function ignoreNotDelayed(cause: unknown): false {
  if (cause instanceof Error && 'code' in cause && cause.code === ErrorCode.JobNotInState) return false
  throw cause
}

export function createQueues({ redis, keys, names }: { redis: Redis; keys: Keys; names: readonly string[] }) {
  const queues = new Map(
    names.map((name) => {
      const queue = new Queue<StepPayload>(name, { connection: redis, prefix: keys.bull })
      queue.on('error', () => undefined)
      return [name, queue]
    }),
  )

  function queueOf(name: string): Queue<StepPayload> {
    const queue = queues.get(name)
    if (queue === undefined) throw new Error(`there is no queue ${name}`)
    return queue
  }

  return {
    waitUntilReady: () => Promise.all([...queues.values()].map((queue) => queue.waitUntilReady())),

    /** The next step of a job that has none; a job has at most one in a queue. */
    async add(name: string, id: string, delayMs = 0): Promise<void> {
      await queueOf(name).add(queueEntryName, { id }, { ...queueEntryOptions, delay: delayMs, jobId: id })
    },

    /** Lets the next step happen now, whether it waits, was lost, or never came to be. */
    async bringForward(name: string, id: string): Promise<void> {
      const queue = queueOf(name)
      // Nearly always it waits, and then one call does.
      const promotion = new Job(queue, queueEntryName, { id }, queueEntryOptions, id).promote()
      if (await promotion.then(() => true, ignoreNotDelayed)) return
      const entry = await queue.getJob(id)
      const state = await entry?.getState()
      if (state === 'delayed') await entry?.promote().catch(() => undefined)
      // What stands in no list will never be taken: a worker cut off at the wrong moment leaves such an entry.
      if (state === 'unknown') await entry?.remove()
      if (state === undefined || state === 'unknown') await this.add(name, id)
    },

    async close(): Promise<void> {
      await Promise.all([...queues.values()].map((queue) => queue.close()))
    },
  }
}
