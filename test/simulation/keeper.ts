import { isTerminal } from '../../src/engine/job.ts'
import { delivery, webhookQueue } from '../../src/engine/queues.ts'
import { createSlots } from '../../src/engine/slots.ts'
import { createStore } from '../../src/engine/store.ts'
import { createQueueClient } from './queue.ts'
import { connect } from './redis-client.ts'
import { settings } from './settings.ts'
import type { Environment, Worker } from './worker.ts'

const sweepMs = 1000
const slotsMs = 15_000
const patienceMs = 10_000
/** How long BullMQ waits until it takes an entry from a worker that shows no sign of life. */
const lockMs = 3000

export type Keeper = ReturnType<typeof createKeeper>

/** What runs beside the steps, as `src/engine/sweep.ts` and BullMQ do it: overdue jobs and webhooks, slots of ended jobs, entries of dead workers. */
export function createKeeper(environment: Environment, workers: readonly Worker[]) {
  const { world, server, queue, keys, maxInFlight } = environment
  const actor = world.createActor('sweep')
  const redis = connect(world, { actor, redis: environment.redis, server })
  const entries = createQueueClient(world, actor, { queue, server })
  const queues = entries.asQueues()
  const store = createStore({ redis, keys, ...settings.store, now: world.trueNow })
  const slots = createSlots({ redis, keys, caps: maxInFlight })
  const isLimited = Object.keys(maxInFlight).length > 0
  let sweptAt = 0
  let freedAt = 0

  const start = (run: () => Promise<void>) => world.start(actor, () => run().catch(() => undefined))

  async function sweep(): Promise<void> {
    for (const id of await redis.zrangebyscore(keys.webhooks, '-inf', world.now())) {
      await redis.zadd(keys.webhooks, 'XX', world.now() + patienceMs, id)
      await queues.bringForward(webhookQueue, id)
    }
    for (const id of await store.overdue(world.now(), 500)) await bringBack(id)
  }

  async function bringBack(id: string): Promise<void> {
    await store.postpone(id, world.now() + patienceMs)
    const found = await store.read(id)
    if (found === undefined) return store.forget(id)
    const to = found.view.state === 'delivering' ? delivery : found.work.route[0]
    if (to !== undefined) await queues.bringForward(to, id)
  }

  async function freeSlots(): Promise<void> {
    for (const { provider, id } of await slots.holders()) {
      const found = await store.read(id)
      const state = found?.view.state ?? 'failed'
      if (!isTerminal(state) && state !== 'delivering' && found?.work.route[0] === provider) continue
      for (const freed of await slots.leave(provider, { id, owner: found?.owner ?? '' }))
        await queues.bringForward(provider, freed)
    }
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
    tick({ dueAt, idle }: { dueAt: number; idle: boolean }): boolean {
      const sweeps = world.now() >= Math.max(dueAt, sweptAt + sweepMs)
      if (sweeps) {
        sweptAt = world.now()
        start(sweep)
      }
      const frees = isLimited && (world.now() >= freedAt + slotsMs || (idle && freedAt < world.now()))
      if (frees) {
        freedAt = world.now()
        start(freeSlots)
      }
      return sweeps || frees
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
