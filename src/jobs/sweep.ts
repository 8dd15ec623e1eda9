import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { Clock } from '../redis/clock.ts'
import type { Keys } from '../redis/keys.ts'
import type { UpstreamSlots } from '../upstreams/slots.ts'
import { isTerminal } from './job.ts'
import { deliveryQueue, type Queues } from './queues.ts'
import type { JobStore } from './store/store.ts'

const intervalMs = 1000
const batchSize = 500
/** How many rounds lie between two looks at the places of ended jobs. */
const slotCheckRounds = 15
/** A job that was brought back is left alone this long. */
const requeueGraceMs = 10_000

type SweepOptions = {
  redis: Redis
  keys: Keys
  store: JobStore
  queues: Queues
  slots: UpstreamSlots
  clock: Pick<Clock, 'now' | 'isSkewed'>
  /** Brings back the webhooks that are overdue. */
  sweepWebhooks(): Promise<void>
  logger: Logger
}

/** Brings back every unfinished job for which something is overdue: one process at a time, over all of them. */
export function createSweep({
  redis,
  keys,
  store,
  queues,
  slots,
  clock,
  sweepWebhooks,
  logger,
}: SweepOptions) {
  const lockToken = randomUUID()
  let timer: NodeJS.Timeout | undefined
  let currentSweep: Promise<void> = Promise.resolve()
  let isStopped = false
  let rounds = 0

  async function requeue(id: string): Promise<void> {
    // First, so that it cannot write over what the step says that is brought forward, and a record that cannot be read is not in the way.
    await store.postponeDeadline(id, clock.now() + requeueGraceMs)
    const job = await store.read(id)
    if (job === undefined) return store.removeFromOpen(id)
    const queue = job.view.state === 'delivering' ? deliveryQueue : job.work.route[0]
    if (queue !== undefined) await queues.bringForward(queue, id)
  }

  /** One record that cannot be read, or has no queue any more, must not keep the others waiting. */
  function logFailure(id: string) {
    return (cause: unknown) => logger.error({ job: id, err: cause }, 'an overdue job cannot be brought back')
  }

  /** A worker that dies between the end of a job and giving its place back would keep it for ever. */
  async function releaseEndedSlots(): Promise<void> {
    for (const { provider, id } of await slots.listHolders()) {
      const job = await store.read(id).catch(() => 'unreadable' as const)
      if (job === 'unreadable') continue
      const isGone =
        job === undefined ||
        isTerminal(job.view.state) ||
        job.view.state === 'delivering' ||
        job.work.route[0] !== provider
      if (!isGone) continue
      for (const nextJob of await slots.release(provider, { id, owner: job?.owner ?? '' }))
        await queues.bringForward(provider, nextJob)
    }
  }

  async function sweep(): Promise<void> {
    if (clock.isSkewed()) return
    const acquired = await redis.set(keys.sweep, lockToken, 'PX', intervalMs * 5, 'NX')
    if (acquired === null && (await redis.get(keys.sweep)) !== lockToken) return
    await redis.pexpire(keys.sweep, intervalMs * 5)
    const overdue = await store.listOverdue(clock.now(), batchSize)
    await Promise.all(overdue.map((id) => requeue(id).catch(logFailure(id))))
    await sweepWebhooks()
    if (++rounds % slotCheckRounds === 0) await releaseEndedSlots()
    if (overdue.length > 0) logger.info({ jobs: overdue.length }, 'overdue jobs brought back')
  }

  function schedule(): void {
    if (isStopped) return
    timer = setTimeout(() => {
      currentSweep = sweep()
        .catch((cause: unknown) => logger.debug({ err: cause }, 'the sweep could not ask the store'))
        .finally(schedule)
    }, intervalMs)
  }

  return {
    start: schedule,
    /** One round. */
    sweep,
    /** Ends after the sweep under way. */
    async stop(): Promise<void> {
      isStopped = true
      clearTimeout(timer)
      await currentSweep
    },
  }
}
