import type { Scheduler } from 'fast-check'
import type { Redis } from 'ioredis'
import { toMicros } from '../../src/accounts/money.ts'
import { createKeys } from '../../src/engine/keys.ts'
import { isTerminal } from '../../src/engine/job.ts'
import { lateQueue } from '../../src/engine/late.ts'
import { delivery, webhookQueue } from '../../src/engine/queues.ts'
import { createSlots } from '../../src/engine/slots.ts'
import { createStore } from '../../src/engine/store.ts'
import { createOutside } from './client.ts'
import { createFaults, type FaultKind } from './faults.ts'
import { createFileStore } from './file-store.ts'
import { findBroken } from './invariants.ts'
import { simulatedNames } from './providers.ts'
import { createQueueClient, createQueueServer } from './queue.ts'
import { connect, createRedisServer } from './redis-faults.ts'
import type { Scenario } from './scenario.ts'
import { createUpstream, type Upstream } from './upstream.ts'
import { createWorker, type Environment, settings, type Worker } from './worker.ts'
import { createWorld, startMs } from './world.ts'

const workerCount = 3
/** How long BullMQ waits until it takes an entry from a worker that shows no sign of life. */
const lockMs = 3000
const sweepMs = 1000
const slotsMs = 15_000
const sweepPatienceMs = 10_000
/** More than any run needs. */
const mostTasks = 20_000
const mostMs = 24 * 3_600_000

export const balanceUsd = 100

export type Result = {
  broken: readonly string[]
  trace: readonly string[]
  digest: string
  tasks: number
  jobs: number
  injected: ReadonlyMap<FaultKind, number>
}

/** One run: plays a scenario to its end in the order that the scheduler chooses, then checks what is left. */
export async function simulate(redis: Redis, scenario: Scenario, scheduler: Scheduler): Promise<Result> {
  await redis.flushall()
  const faults = createFaults(scenario.faults)
  const world = createWorld({ scheduler, faults })
  const server = createRedisServer(world, redis)
  const keys = createKeys('sim:')
  const names = [...simulatedNames, delivery, lateQueue, webhookQueue]
  const queue = createQueueServer(world, redis, { prefix: `${keys.bull}:`, due: [keys.open, keys.webhooks], names })
  const renderOf = (id: string) => scenario.jobs[Number(id.slice(3)) - 1]?.render ?? { ms: 0, end: 'done', callbacksMs: [] }
  const upstreams: Record<string, Upstream> = Object.fromEntries(
    simulatedNames.map((name) => [
      name,
      createUpstream(world, { name, deduplicates: name === 'runware', render: renderOf, callback: (url, body) => outside.callback(url, body) }),
    ]),
  )
  const files = createFileStore(world, upstreams)
  const cap = scenario.maxInFlight
  const environment: Environment = {
    world,
    redis,
    server,
    queue,
    keys,
    upstreams,
    files,
    notify: (id) => outside.notify(id),
    maxInFlight: cap === 0 ? {} : Object.fromEntries(simulatedNames.map((name) => [name, cap])),
    uploadMs: (prompt) => scenario.jobs.find((job) => job.prompt === prompt)?.uploadMs ?? 0,
    callbacks: scenario.callbacks,
  }
  const outside = createOutside(environment, scenario)
  await redis.hset(keys.account('ann'), { createdAt: startMs, balance: toMicros(balanceUsd) })

  const workers: Worker[] = []
  const startWorker = (name: string) => workers.push(createWorker(environment, name))
  for (let n = 1; n <= workerCount; n++) startWorker(`worker${n}`)
  let restarts = 0
  world.onDeath(({ name }, { ms = 0 }) =>
    world.at(world.now() + ms, () => startWorker(`${name.split('#')[0]}#${++restarts}`)),
  )

  const random = createRandom(scenario.salt)
  /** Lets workers take what waits. */
  async function dispatch(): Promise<void> {
    const { waiting, active, nextAt, dueAt } = await queue.peek()
    const taking = workers.flatMap((worker) => (worker.actor.dead ? [] : [...worker.taking.values()]))
    for (const name of waiting) {
      const already = taking.indexOf(name)
      if (already >= 0) {
        taking.splice(already, 1)
        continue
      }
      const free = workers.filter((worker) => worker.isFree())
      free[Math.floor(random() * free.length)]?.takeOne(name)
    }
    reclaim(active)
    next = Math.min(nextAt, Math.max(dueAt, sweptAt + sweepMs))
  }
  let next = Number.POSITIVE_INFINITY
  let sweptAt = 0

  /** Entries of steps that are gone, or whose process is frozen, wait again once their lock is over. */
  const orphans = new Map<string, number>()
  function reclaim(active: readonly string[]): void {
    for (const entry of orphans.keys()) if (!active.includes(entry)) orphans.delete(entry)
    for (const entry of active) {
      const [name = '', id = '', token = ''] = entry.split(' ')
      const holder = workers.find((worker) => worker.running.has(token))
      const alive = holder !== undefined && !holder.actor.dead && holder.actor.frozenUntil <= world.now()
      if (alive) orphans.delete(entry)
      else if (!orphans.has(entry)) {
        orphans.set(entry, world.now())
        world.at(world.now() + lockMs, () => {
          if (orphans.get(entry) !== world.now() - lockMs) return
          orphans.delete(entry)
          world.start(keeper, () => keeperQueues.requeue({ queue: name, id, token }).catch(() => undefined))
        })
      }
    }
  }

  const keeper = world.createActor('sweep')
  const keeperQueues = createQueueClient(world, keeper, { queue, server })
  const keeperRedis = connect(world, { actor: keeper, redis, server })
  const keeperStore = createStore({ redis: keeperRedis, keys, keepMs: settings.keepMs })
  /** As `src/engine/sweep.ts` does it. */
  async function sweep(): Promise<void> {
    const webhooks = await keeperRedis.zrangebyscore(keys.webhooks, '-inf', world.now())
    for (const id of webhooks) {
      await keeperRedis.zadd(keys.webhooks, 'XX', world.now() + sweepPatienceMs, id)
      await keeperQueues.asQueues().bringForward(webhookQueue, id)
    }
    for (const id of await keeperStore.overdue(world.now(), 500)) {
      const found = await keeperStore.read(id)
      if (found === undefined) {
        await keeperStore.forget(id)
        continue
      }
      await keeperStore.postpone(id, world.now() + sweepPatienceMs)
      const to = found.view.state === 'delivering' ? delivery : found.work.route[0]
      if (to !== undefined) await keeperQueues.asQueues().bringForward(to, id)
    }
  }

  const keeperSlots = createSlots({ redis: keeperRedis, keys, caps: environment.maxInFlight })
  let freedAt = 0
  async function freeSlots(): Promise<void> {
    freedAt = world.now()
    for (const { provider, id } of await keeperSlots.holders()) {
      const found = await keeperStore.read(id)
      const state = found?.view.state ?? 'failed'
      if (!isTerminal(state) && state !== 'delivering' && found?.work.route[0] === provider) continue
      for (const freed of await keeperSlots.leave(provider, { id, owner: found?.owner ?? '' }))
        await keeperQueues.asQueues().bringForward(provider, freed)
    }
  }

  outside.start()
  let broken: string[] = []
  try {
    for (;;) {
      await world.settle(mostTasks, dispatch)
      const moved = world.advance(next)
      if (world.now() - startMs > mostMs || (!moved && (cap === 0 || freedAt >= world.now()))) break
      if (cap > 0 && (!moved || world.now() >= freedAt + slotsMs)) world.start(keeper, () => freeSlots().catch(() => undefined))
      if (world.now() >= Math.max((await queue.peek()).dueAt, sweptAt + sweepMs)) {
        sweptAt = world.now()
        world.start(keeper, () => sweep().catch(() => undefined))
      }
    }
    broken = await findBroken({ ...environment, jobs: outside.jobs })
  } catch (cause) {
    broken = [`${cause instanceof Error ? cause.stack : cause}`]
  }
  return {
    broken: [...broken, ...world.trace.filter((line) => line.includes('BROKEN'))],
    trace: world.trace,
    digest: world.digest(),
    tasks: world.sequence(),
    jobs: scenario.jobs.length,
    injected: faults.injected(),
  }
}

/** mulberry32: small choices that need no scheduling. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
