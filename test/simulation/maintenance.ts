import { isTerminal } from '../../src/jobs/job.ts'
import { webhookQueue } from '../../src/jobs/queues.ts'
import { createJobStore } from '../../src/jobs/store/store.ts'
import { createSweep } from '../../src/jobs/sweep.ts'
import { createUpstreamSlots } from '../../src/upstreams/slots.ts'
import { createWebhookOutbox } from '../../src/webhooks/outbox.ts'
import { quiet } from '../support/setup.ts'
import type { Environment } from './environment.ts'
import { createQueueClient } from './queue.ts'
import { connect } from './redis-client.ts'
import { settings } from './settings.ts'
import type { Worker } from './worker.ts'

const sweepMs = 1000
const slotsMs = 60_000
/** One of this many rounds of the sweep checks the slots of ended jobs. */
const slotRounds = 15
const patienceMs = 10_000
/** How long BullMQ waits until it takes an entry from a worker that shows no sign of life. */
const lockMs = 3000

export type Maintenance = ReturnType<typeof createMaintenance>

/** What runs beside the steps: the real sweep, and what BullMQ does for entries of dead workers. */
export function createMaintenance(environment: Environment, workers: readonly Worker[]) {
  const { world, server, queue, keys, maxInFlight } = environment
  const actor = world.createActor('sweep')
  const redis = connect(world, { actor, redis: environment.redis, server })
  const entries = createQueueClient(world, actor, { queue, server })
  const queues = entries.asQueues()
  const outbox = createWebhookOutbox({ redis, keys, keepMs: settings.store.keepMs })
  const slots = createUpstreamSlots({ redis, keys, maxJobs: maxInFlight })
  const isLimited = Object.keys(maxInFlight).length > 0
  let sweptAt = 0
  let freedAt = world.now()

  const { sweep } = createSweep({
    redis,
    keys,
    store: createJobStore({ redis, keys, ...settings.store, now: world.trueNow }),
    queues,
    slots,
    clock: { now: world.trueNow, isSkewed: () => false },
    async sweepWebhooks() {
      for (const id of await outbox.listOverdue(world.now(), 500)) {
        await outbox.postpone(id, world.now() + patienceMs)
        await queues.bringForward(webhookQueue, id)
      }
    },
    logger: quiet,
  })

  const start = (run: () => Promise<void>) => world.start(actor, () => run().catch(() => undefined))

  async function freeSlots(): Promise<void> {
    for (let round = 0; round < slotRounds; round += 1) await sweep()
  }

  /** Whether a job that has ended still has a slot. Reads without a scheduled call: it only avoids rounds of the sweep that find nothing. */
  async function hasStaleSlots(): Promise<boolean> {
    for (const provider of Object.keys(maxInFlight))
      for (const id of await environment.redis.smembers(keys.slots(provider).holders)) {
        const [state, work] = await environment.redis.hmget(keys.job(id), 'state', 'work')
        const isElsewhere = !(work ?? '').includes(`"route":["${provider}"`)
        if (!state || isTerminal(state as 'failed') || state === 'delivering' || isElsewhere) return true
      }
    return false
  }

  const orphans = new Map<string, number>()

  function isHeld(token: string): boolean {
    const holder = workers.find((worker) => worker.running.has(token))
    return holder !== undefined && !holder.actor.dead && holder.actor.frozenUntil <= world.now()
  }

  return {
    /** When the next sweep is due, given the first entry of the indexes of what is overdue. */
    nextSweep: (dueAt: number) => Math.max(dueAt, sweptAt + sweepMs),

    /** Does what is due. `idle`: nothing else will happen. True: it has begun something. */
    async tick({ dueAt, idle }: { dueAt: number; idle: boolean }): Promise<boolean> {
      const sweeps = world.now() >= Math.max(dueAt, sweptAt + sweepMs)
      if (sweeps) {
        sweptAt = world.now()
        start(sweep)
      }
      if (!isLimited || (!idle && world.now() < freedAt + slotsMs) || world.now() === freedAt) return sweeps
      freedAt = world.now()
      if (!(await hasStaleSlots())) return sweeps
      start(freeSlots)
      return true
    },

    /** Entries of steps that are gone, or whose process is frozen, wait again once their lock is over. */
    reclaim(active: readonly string[]): void {
      for (const entry of orphans.keys()) if (!active.includes(entry)) orphans.delete(entry)
      for (const entry of active) {
        const [name = '', id = '', token = ''] = entry.split(' ')
        if (isHeld(token)) orphans.delete(entry)
        else if (!orphans.has(entry)) {
          const since = world.now()
          orphans.set(entry, since)
          world.at(since + lockMs, () => {
            if (orphans.get(entry) !== since) return
            orphans.delete(entry)
            start(async () => void (await entries.requeue({ queue: name, id, token })))
          })
        }
      }
    },
  }
}
