import { DelayedError } from 'bullmq'
import { createAttemptRestorer } from '../../src/jobs/journal/restore-attempts.ts'
import { webhookQueue } from '../../src/jobs/queues.ts'
import { createStepRunner, type QueueEntry } from '../../src/jobs/steps/step-runner.ts'
import { createJobStore } from '../../src/jobs/store/store.ts'
import { quiet } from '../support/setup.ts'
import type { Environment } from './environment.ts'
import { createSimulatedJournal } from './journal.ts'
import { routing } from './providers.ts'
import { createQueueClient, type Entry } from './queue.ts'
import { confirmOn, connect } from './redis-client.ts'
import { settings } from './settings.ts'
import { configsOf, createStepDeps } from './step-deps.ts'

const stepsAtOnce = 2
/** BullMQ's `runRetryDelay`, as `src/jobs/steps/workers.ts` sets it. */
const retryMs = 300

export type Worker = ReturnType<typeof createWorker>

/** One worker process, put together as `src/worker.ts` does it: takes entries of the queues and runs the engine's real steps. */
export function createWorker(environment: Environment, name: string) {
  const { world, server, queue, keys, upstreams, bug } = environment
  const actor = world.createActor(name, true)
  const redis = connect(world, { actor, redis: environment.redis, server })
  const intentRedis = environment.replicas
    ? connect(world, { actor, redis: environment.redis, server })
    : redis
  const entries = createQueueClient(world, actor, { queue, server })
  const queues = entries.asQueues()
  const clock = { now: world.trueNow, toWallClock: (at: number) => at + actor.knownSkewMs }
  const running = new Set<string>()
  const taking = new Map<string, string>()
  let taken = 0
  let runStep: ReturnType<typeof createStepRunner> | undefined

  const plain = createJobStore({
    redis,
    intentRedis,
    keys,
    ...settings.store,
    now: world.trueNow,
    onFinished({ job: { view, webhook } }) {
      if (webhook !== undefined) queues.add(webhookQueue, view.id).catch(() => undefined)
    },
  })
  const store = bug?.wrap?.(plain) ?? plain
  const journal = createSimulatedJournal(world, actor, environment.journalDir(actor))

  world.start(actor, async () => {
    await journal.open()
    const restorer = createAttemptRestorer({
      redis,
      keys,
      store,
      queues,
      journal,
      routing,
      upstreams: configsOf(upstreams),
      clock,
      graceMs: settings.store.graceMs,
      sleep: actor.sleep,
      logger: quiet,
    })
    const deps = createStepDeps(environment, {
      actor,
      redis,
      store,
      queues,
      journal,
      hasRestored: restorer.hasRestored,
      confirmReplicas: environment.replicas ? confirmOn(intentRedis, keys) : async () => undefined,
    })
    await startUntilReady(() => world.run({ ...actor, every: checkAfterFailovers }, restorer.start))
    runStep = createStepRunner(bug?.change?.(deps) ?? deps, { queues, clock })
    world.note(`${name} is ready`)
    world.changed()
  })

  /** A check that finds the same server does nothing: without those, runs end. */
  function checkAfterFailovers(ms: number, check: () => void): void {
    const later = () => world.start(actor, () => actor.sleep(ms).then(check))
    later()
    server.onFailover(later)
  }

  /** A process that cannot start is started again. */
  async function startUntilReady(start: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await start()
      } catch {
        await actor.sleep(1000)
      }
    }
  }

  /** As BullMQ does it: an entry whose step ends or fails is removed; one that cannot be removed stays active, and is taken over once its lock is over. */
  async function run(entry: Entry): Promise<void> {
    if (runStep === undefined) throw new Error('a worker takes entries when it is ready')
    try {
      await runStep(entry.queue, asQueueEntry(entry), entry.token)
    } catch (cause) {
      if (cause instanceof DelayedError) return
      world.note(`${name} STEP FAILED ${entry.id} ${cause}`)
    }
    await entries.complete(entry)
  }

  function asQueueEntry(entry: Entry): QueueEntry {
    return {
      data: { id: entry.id },
      timestamp: entry.addedAt,
      moveToDelayed: (at) => entries.delay(entry, at),
      promote: () => queues.bringForward(entry.queue, entry.id),
    }
  }

  return {
    actor,
    close: () => journal.close(),
    /** Tokens of the entries that it holds. */
    running,
    /** Token -> the queue that it is about to take an entry of. */
    taking,
    isFree: () =>
      runStep !== undefined &&
      !actor.dead &&
      actor.frozenUntil <= world.now() &&
      Math.abs(actor.knownSkewMs) <= settings.maxSkewMs &&
      running.size < stepsAtOnce,
    /** Takes one entry of a queue and runs its step. */
    takeOne(from: string): void {
      const token = `${name}:${++taken}`
      running.add(token)
      taking.set(token, from)
      world.start(actor, async () => {
        try {
          const entry = await entries.take(from, token).catch(() => actor.sleep(retryMs))
          taking.delete(token)
          if (entry !== undefined) await run(entry)
        } catch (cause) {
          world.note(`${name} ENTRY LEFT ${cause}`)
        } finally {
          running.delete(token)
          world.changed()
        }
      })
    },
  }
}
