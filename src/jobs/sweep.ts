import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { Clock } from '../redis/clock.ts'
import type { Keys } from '../redis/keys.ts'
import type { UpstreamSlots } from '../upstreams/slots.ts'
import { isTerminal } from './job.ts'
import { type Queues, queueOf } from './queues.ts'
import type { JobStore } from './store/store.ts'

const intervalMs = 1000
const batchSize = 500
/** Slots of ended jobs are checked once in this many rounds. */
const slotCheckRounds = 15
/** A requeued job is not requeued again within this time. */
const requeueGraceMs = 10_000

type SweepOptions = {
  redis: Redis
  keys: Keys
  store: JobStore
  queues: Queues
  slots: UpstreamSlots
  clock: Pick<Clock, 'now' | 'isSkewed'>
  /** Requeues overdue webhooks. */
  sweepWebhooks(): Promise<void>
  logger: Logger
}

/** Requeues every overdue unfinished job. A lock in Redis ensures that one process at a time does this. */
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
    // First, so that it does not overwrite the deadline that the requeued step sets, and also happens if the record is unreadable.
    await store.postponeDeadline(id, clock.now() + requeueGraceMs)
    const job = await store.read(id)
    if (job === undefined) return store.removeFromOpen(id)
    const queue = queueOf(job)
    if (queue !== undefined) await queues.bringForward(queue, id)
  }

  /** One unreadable record, or one whose queue no longer exists, must not block the others. */
  function logFailure(id: string) {
    return (cause: unknown) => logger.error({ job: id, err: cause }, 'Overdue job could not be requeued')
  }

  /** A worker that dies between the end of a job and the release of its slot would otherwise block the slot forever. */
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
    if (overdue.length > 0) logger.info({ jobs: overdue.length }, 'Overdue jobs requeued')
  }

  function schedule(): void {
    if (isStopped) return
    timer = setTimeout(() => {
      currentSweep = sweep()
        .catch((cause: unknown) => logger.debug({ err: cause }, 'Sweep failed: Redis is unavailable'))
        .finally(schedule)
    }, intervalMs)
  }

  return {
    start: schedule,
    /** Runs one round. */
    sweep,
    /** Resolves after the sweep in progress. */
    async stop(): Promise<void> {
      isStopped = true
      clearTimeout(timer)
      await currentSweep
    },
  }
}
