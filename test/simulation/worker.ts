import { rm } from 'node:fs/promises'
import type { Redis } from 'ioredis'
import type { Next } from '../../src/engine/change.ts'
import { createJournal, type Journal } from '../../src/engine/journal.ts'
import type { Keys } from '../../src/engine/keys.ts'
import { firstLateLookMs, lateQueue, lookLate } from '../../src/engine/late.ts'
import type { Parts } from '../../src/engine/parts.ts'
import { webhookQueue } from '../../src/engine/queues.ts'
import { createRenderTimes } from '../../src/engine/render-times.ts'
import { createRestorer } from '../../src/engine/restore.ts'
import { createSlots } from '../../src/engine/slots.ts'
import { step } from '../../src/engine/step.ts'
import { createStore } from '../../src/engine/store.ts'
import { quiet } from '../setup.ts'
import type { FileStore } from './file-store.ts'
import type { Bug } from './planted-bugs.ts'
import { offers } from './providers.ts'
import { createQueueClient, type Entry, type QueueServer } from './queue.ts'
import { connect } from './redis-client.ts'
import type { RedisServer } from './redis-server.ts'
import { settings } from './settings.ts'
import { createTransport } from './transport.ts'
import type { Upstream } from './upstream.ts'
import { createWebhooks, type Received } from './webhooks.ts'
import type { Actor, World } from './world.ts'

const stepsAtOnce = 2
const afterErrorMs = 2000
/** BullMQ's `runRetryDelay`, as `src/engine/worker.ts` sets it. */
const retryMs = 300

/** What all actors of a run share. */
export type Environment = {
  world: World
  redis: Redis
  server: RedisServer
  queue: QueueServer
  keys: Keys
  upstreams: Readonly<Record<string, Upstream>>
  files: FileStore
  /** An owner has received a webhook. */
  received: Received
  /** Jobs at an upstream at once; absent: any number. */
  maxInFlight: Readonly<Record<string, number>>
  /** How long it takes to upload a job's inputs. */
  uploadMs(job: string): number
  /** Whether upstreams can call back. */
  callbacks: boolean
  /** The folder of an actor's journal. */
  journalDir(actor: Actor): string
  /** A bug that the simulator is to find. */
  bug?: Bug
}

export type Worker = ReturnType<typeof createWorker>

/** One worker process, put together as `src/work.ts` does it: takes entries of the queues and runs the engine's real steps. */
export function createWorker(environment: Environment, name: string) {
  const { world, server, queue, keys, upstreams, files, maxInFlight, callbacks, bug } = environment
  const actor = world.createActor(name, true)
  const redis = connect(world, {
    actor,
    redis: environment.redis,
    server,
    ...(bug?.patch && { patch: bug.patch }),
  })
  const entries = createQueueClient(world, actor, { queue, server })
  const queues = entries.asQueues()
  const running = new Set<string>()
  const taking = new Map<string, string>()
  let taken = 0
  let ready = false

  const { trueNow } = world
  const plain = createStore({
    redis,
    keys,
    ...settings.store,
    now: trueNow,
    ended: (id) => void queues.add(webhookQueue, id).catch(() => undefined),
  })
  const store = bug?.wrap?.(plain) ?? plain
  const configs = Object.fromEntries(
    Object.keys(upstreams).map((upstream) => [upstream, { settings: {}, credentials: {}, baseUrls: {} }]),
  ) as unknown as Parts['upstreams']

  function createParts(journal: Journal): Parts {
    return {
      store,
      journal,
      confirmReplicas: async () => undefined,
      offers,
      transport: createTransport(world, { actor, server, upstreams, timeoutMs: settings.timeoutMs }),
      renderTimes: createRenderTimes({ redis, key: keys.renderTimes(false) }),
      slots: createSlots({ redis, keys, caps: maxInFlight }),
      wake: (provider, id) => queues.bringForward(provider, id),
      tellEnd: createWebhooks(world, { actor, redis, keys, store, received: environment.received }),
      watchLate: (id) => queues.add(lateQueue, id, firstLateLookMs),
      inputs: {
        async prepare(job, input) {
          const ms = environment.uploadMs(job)
          if (ms > 0) {
            await world.call(
              actor,
              { type: 'prepare', label: `uploads the inputs of ${job}` },
              async () => undefined,
            )
            await actor.sleep(ms)
          }
          return { kind: 'ready', input, handed: {}, inline: [], release: () => undefined }
        },
        recall: async (input) => input,
      },
      deliver: files.deliverFor(actor),
      delivery: settings.delivery,
      isCancelAsked: async (id) => (await redis.hget(keys.job(id), 'cancel')) === '1',
      secondsOf: async () => undefined,
      typicalMs: () => settings.typicalMs,
      upstreams: configs,
      timeoutMs: settings.timeoutMs,
      longestPollMs: settings.longestPollMs,
      reconcileMs: settings.reconcileMs,
      taskLostMs: settings.taskLostMs,
      ...(callbacks && { hintUrl: (id: string, secret: string) => `${id}/${secret}` }),
      logger: quiet,
      now: trueNow,
      sleep: actor.sleep,
    }
  }

  let parts: Parts | undefined
  const journal = openJournal(environment, actor)
  world.start(actor, async () => {
    await journal.open()
    parts = bug?.change?.(createParts(journal)) ?? createParts(journal)
    const logger = quiet
    const clock = { now: trueNow }
    const graceMs = settings.store.graceMs
    await startUntilReady(() =>
      createRestorer({
        redis,
        keys,
        store,
        queues,
        journal,
        offers,
        upstreams: configs,
        clock,
        graceMs,
        logger,
      }).start(),
    )
    ready = true
    world.note(`${name} is ready`)
  })

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

  function take({ queue: from, id }: Entry): Promise<Next | { kind: 'absent' }> {
    if (parts === undefined) throw new Error('a worker takes entries when it is ready')
    if (from === lateQueue) return lookLate(parts, id)
    return from === webhookQueue ? parts.tellEnd(id) : step(parts, id, from)
  }

  /** As `src/engine/worker.ts` does it. An entry that cannot be put back stays active, and is taken over once its lock is over. */
  async function run(entry: Entry): Promise<void> {
    const next = await take(entry).catch((cause: unknown) => {
      world.note(`${name} STEP FAILED ${entry.id} ${cause}`)
      return { kind: 'wait', at: trueNow() + afterErrorMs } as const
    })
    if (next.kind === 'wait') return putOff(entry, next.at)
    if (next.kind === 'absent' && actor.now() - entry.addedAt < 10_000) return putOff(entry, trueNow() + 300)
    if (next.kind === 'move') await queues.add(next.queue, entry.id)
    await entries.complete(entry)
  }

  async function putOff(entry: Entry, at: number): Promise<void> {
    await entries.delay(entry, at + actor.knownSkewMs)
    if (at > trueNow() && (await store.isWoken(entry.id))) await queues.bringForward(entry.queue, entry.id)
  }

  return {
    actor,
    close: () => journal.close(),
    /** Tokens of the entries that it holds. */
    running,
    /** Token -> the queue that it is about to take an entry of. */
    taking,
    isFree: () =>
      ready &&
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

/** The real journal on a real disk; each use of it is one call that the scheduler orders. */
function openJournal({ world, journalDir }: Environment, actor: Actor) {
  let opened: Journal | undefined
  const use = <T>(label: string, run: (journal: Journal) => Promise<T>): Promise<T> =>
    world.call(actor, { type: 'journal', label: `journal ${label}` }, () => {
      if (opened === undefined) throw new Error('the journal is not open')
      return run(opened)
    })
  const journal: Journal & { open(): Promise<void> } = {
    open: () =>
      world.call(actor, { type: 'journal', label: 'journal open' }, async () => {
        const dir = journalDir(actor)
        opened = await createJournal({ dir, keepMs: settings.journalMs, logger: quiet, now: world.trueNow })
        world.onDeath(async (dead, { keepsJournal }) => {
          if (dead !== actor) return
          await opened?.close()
          if (keepsJournal === false) await rm(dir, { recursive: true, force: true })
        })
      }),
    begin: (entry) => use(`begin ${entry.job}`, (one) => one.begin(entry)),
    keepReply: (id, reply) => use('reply', (one) => one.keepReply(id, reply)),
    discardReply: (id) => use('discard reply', (one) => one.discardReply(id)),
    discard: (id) => use('discard', (one) => one.discard(id)),
    load: () => use('load', (one) => one.load()),
    find: (id) => use('find', (one) => one.find(id)),
    all: () => opened?.all() ?? [],
    close: async () => opened?.close(),
  }
  return journal
}
