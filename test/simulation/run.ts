import type { Scheduler } from 'fast-check'
import type { Redis } from 'ioredis'
import { toMicros } from '../../src/accounts/money.ts'
import { deliveryQueue, webhookQueue } from '../../src/jobs/queues.ts'
import { lateResultQueue } from '../../src/jobs/steps/late-result.ts'
import { createKeys } from '../../src/redis/keys.ts'
import { createOutside } from './client.ts'
import type { Environment } from './environment.ts'
import { createFaults, type FaultKind } from './faults.ts'
import { createFileStore } from './file-store.ts'
import { findBroken } from './invariants.ts'
import { createMaintenance } from './maintenance.ts'
import type { Bug } from './planted-bugs.ts'
import { simulatedNames } from './providers.ts'
import { createQueueServer } from './queue.ts'
import { createRandom } from './random.ts'
import { createRedisServer } from './redis-server.ts'
import type { Scenario } from './scenario.ts'
import { settings } from './settings.ts'
import { createUpstream, type Upstream } from './upstream.ts'
import { clearDisk, diskRoot } from './virtual-disk.ts'
import { createWorker, type Worker } from './worker.ts'
import { createWorld, startMs } from './world.ts'

const workerCount = 3
/** More than any run needs: a run beyond this limit is reported as endless. */
const mostTasks = 50_000
const mostMs = 24 * 3_600_000

export type Result = {
  /** The invariants that do not hold. */
  broken: readonly string[]
  trace: readonly string[]
  /** Of everything that happened, in order. */
  digest: string
  jobs: number
  calls: number
  injected: ReadonlyMap<FaultKind, number>
}

type Options = {
  redis: Redis
  scenario: Scenario
  scheduler: Scheduler
  bug?: Bug
}

/** One run: plays a scenario to its end in the order that the scheduler chooses, then checks what is left. */
export async function simulate({ redis, scenario, scheduler, bug }: Options): Promise<Result> {
  await redis.flushall()
  clearDisk()
  const faults = createFaults(scenario.faults)
  const random = createRandom(scenario.salt)
  const world = createWorld({ scheduler, faults, random })
  const server = createRedisServer(world, redis, bug?.patch)
  const keys = createKeys('sim:')
  const queue = createQueueServer(world, redis, {
    prefix: `${keys.bull}:`,
    due: [keys.open, keys.webhooks],
    names: [...simulatedNames, deliveryQueue, lateResultQueue, webhookQueue],
  })
  const planned = (id: string) => scenario.jobs[Number(id.slice(3)) - 1]
  const upstreams: Record<string, Upstream> = Object.fromEntries(
    simulatedNames.map((name) => [
      name,
      createUpstream(world, {
        name,
        deduplicates: name === 'runware',
        render: (id) => planned(id)?.render ?? { ms: 0, end: 'done', callbacksMs: [] },
        callback: (url, body) => outside.callback(url, body),
      }),
    ]),
  )
  const { maxInFlight } = scenario
  const environment: Environment = {
    world,
    redis,
    server,
    queue,
    keys,
    upstreams,
    files: createFileStore(world, { upstreams, fetchMs: (id) => planned(id)?.fetchMs ?? 0 }),
    received: (id, type) => outside.received(id, type),
    maxInFlight:
      maxInFlight === 0 ? {} : Object.fromEntries(simulatedNames.map((name) => [name, maxInFlight])),
    uploadMs: (id) => planned(id)?.uploadMs ?? 0,
    callbacks: scenario.callbacks,
    replicas: scenario.replicas,
    losesDisks: scenario.faults.some(({ disk }) => disk === 'lost'),
    journalDir: ({ name }) => `${diskRoot}/${scenario.sharedDisk ? 'shared' : (name.split('#')[0] ?? name)}`,
    ...(bug && { bug }),
  }
  const outside = createOutside(environment, scenario)
  for (const owner of ['ann', 'bob']) {
    await redis.zadd(keys.accounts, startMs, owner)
    await redis.hset(keys.account(owner), { createdAt: startMs })
  }
  await redis.hset(keys.account('ann'), { balance: toMicros(settings.balanceUsd) })

  const workers: Worker[] = []
  const startWorker = (name: string) => workers.push(createWorker(environment, name))
  for (let n = 1; n <= workerCount; n++) startWorker(`worker${n}`)
  let restarts = 0
  world.onDeath((dead, { ms = 0 }) => {
    const { name } = dead
    if (workers.some(({ actor }) => actor === dead))
      world.at(world.now() + ms, () => startWorker(`${name.split('#')[0]}#${++restarts}`))
  })
  const maintenance = createMaintenance(environment, workers)

  /** Lets workers take what waits. */
  async function dispatch(): Promise<void> {
    const { waiting, active } = await queue.peek()
    const taking = workers.flatMap((worker) => (worker.actor.dead ? [] : [...worker.taking.values()]))
    for (const name of waiting) {
      const already = taking.indexOf(name)
      if (already >= 0) taking.splice(already, 1)
      else {
        const free = workers.filter((worker) => worker.isFree())
        free[Math.floor(random() * free.length)]?.takeOne(name)
      }
    }
    maintenance.reclaim(active)
  }

  outside.start()
  let broken: string[] = []
  try {
    for (let goesOn = true; goesOn && world.now() - startMs < mostMs; ) {
      await world.settle(mostTasks, dispatch)
      const { nextAt, dueAt } = await queue.peek()
      const moved = world.advance(Math.min(nextAt, maintenance.nextSweep(dueAt)))
      goesOn = (await maintenance.tick({ dueAt, idle: !moved })) || moved
    }
    broken = await findBroken({ ...environment, jobs: outside.jobs })
  } catch (cause) {
    broken = [cause instanceof Error ? `${cause.stack}` : `${cause}`]
  }
  for (const worker of workers) await worker.close()
  return {
    broken: [...broken, ...world.trace.filter((line) => line.includes('BROKEN'))],
    trace: world.trace,
    digest: world.digest(),
    jobs: scenario.jobs.length,
    calls: world.trace.length,
    injected: faults.injected(),
  }
}
