import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { Clock } from '../redis/clock.ts'
import type { Keys } from '../redis/keys.ts'
import type { Slots } from '../upstreams/slots.ts'
import { isTerminal } from './job.ts'
import { delivery, type Queues } from './queues.ts'
import type { Store } from './store/store.ts'

const everyMs = 1000
const batch = 500
/** How many rounds lie between two looks at the places of ended jobs. */
const slotRounds = 15
/** A job that was brought back is left alone this long. */
const patienceMs = 10_000

type Parts = {
  redis: Redis
  keys: Keys
  store: Store
  queues: Queues
  slots: Slots
  clock: Pick<Clock, 'now' | 'isSkewed'>
  /** Brings back the webhooks that are overdue. */
  sweepWebhooks(): Promise<void>
  logger: Logger
}

/** Brings back every unfinished job for which something is overdue: one process at a time, over all of them. */
export function createSweep({ redis, keys, store, queues, slots, clock, sweepWebhooks, logger }: Parts) {
  const me = randomUUID()
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()
  let stopped = false
  let rounds = 0

  async function bringBack(id: string): Promise<void> {
    // First, so that it cannot write over what the step says that is brought forward, and a record that cannot be read is not in the way.
    await store.postpone(id, clock.now() + patienceMs)
    const found = await store.read(id)
    if (found === undefined) return store.forget(id)
    const queue = found.view.state === 'delivering' ? delivery : found.work.route[0]
    if (queue !== undefined) await queues.bringForward(queue, id)
  }

  /** One record that cannot be read, or has no queue any more, must not keep the others waiting. */
  function orTell(id: string) {
    return (cause: unknown) => logger.error({ job: id, err: cause }, 'an overdue job cannot be brought back')
  }

  /** A worker that dies between the end of a job and giving its place back would keep it for ever. */
  async function freeSlots(): Promise<void> {
    for (const { provider, id } of await slots.holders()) {
      const found = await store.read(id).catch(() => 'unreadable' as const)
      if (found === 'unreadable') continue
      const gone =
        found === undefined ||
        isTerminal(found.view.state) ||
        found.view.state === 'delivering' ||
        found.work.route[0] !== provider
      if (!gone) continue
      for (const next of await slots.leave(provider, { id, owner: found?.owner ?? '' }))
        await queues.bringForward(provider, next)
    }
  }

  async function sweep(): Promise<void> {
    if (clock.isSkewed()) return
    const mine = await redis.set(keys.sweep, me, 'PX', everyMs * 5, 'NX')
    if (mine === null && (await redis.get(keys.sweep)) !== me) return
    await redis.pexpire(keys.sweep, everyMs * 5)
    const overdue = await store.overdue(clock.now(), batch)
    await Promise.all(overdue.map((id) => bringBack(id).catch(orTell(id))))
    await sweepWebhooks()
    if (++rounds % slotRounds === 0) await freeSlots()
    if (overdue.length > 0) logger.info({ jobs: overdue.length }, 'overdue jobs brought back')
  }

  function again(): void {
    if (stopped) return
    timer = setTimeout(() => {
      running = sweep()
        .catch((cause: unknown) => logger.debug({ err: cause }, 'the sweep could not ask the store'))
        .finally(again)
    }, everyMs)
  }

  return {
    start: again,
    /** One round. */
    sweep,
    /** Ends after the sweep under way. */
    async stop(): Promise<void> {
      stopped = true
      clearTimeout(timer)
      await running
    },
  }
}
