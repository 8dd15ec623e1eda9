import type { Redis } from 'ioredis'
import type { Next } from '../../src/engine/change.ts'
import type { Keys } from '../../src/engine/keys.ts'
import { firstLateLookMs, lateQueue, lookLate } from '../../src/engine/late.ts'
import type { Parts } from '../../src/engine/parts.ts'
import { webhookQueue } from '../../src/engine/queues.ts'
import { createRenderTimes } from '../../src/engine/render-times.ts'
import { createSlots } from '../../src/engine/slots.ts'
import { step } from '../../src/engine/step.ts'
import { createStore } from '../../src/engine/store.ts'
import { quiet } from '../setup.ts'
import type { FileStore } from './file-store.ts'
import { providers } from './providers.ts'
import { createQueueClient, type Entry, type QueueServer } from './queue.ts'
import { connect, type RedisServer } from './redis-faults.ts'
import { createTransport } from './transport.ts'
import type { Upstream } from './upstream.ts'
import type { World } from './world.ts'

export const settings = {
  keepMs: 7 * 86_400_000,
  timeoutMs: 10_000,
  longestPollMs: 20_000,
  reconcileMs: 120_000,
  typicalMs: 60_000,
} as const

const stepsAtOnce = 2
const afterErrorMs = 2000
/** BullMQ's `runRetryDelay`, as `src/engine/worker.ts` sets it. */
const retryMs = 300

export type Environment = {
  world: World
  redis: Redis
  server: RedisServer
  queue: QueueServer
  keys: Keys
  upstreams: Readonly<Record<string, Upstream>>
  files: FileStore
  /** Delivers the end of a job to its owner. */
  notify(id: string): void
  /** Jobs at an upstream at once. */
  maxInFlight: Readonly<Record<string, number>>
  /** How long it takes to hand a job's files to its upstream. */
  uploadMs(prompt: string): number
  callbacks: boolean
}

export type Worker = ReturnType<typeof createWorker>

/** One worker process: takes entries of the queues and runs the engine's real steps. */
export function createWorker(environment: Environment, name: string) {
  const { world, server, queue, keys, upstreams, files, maxInFlight, uploadMs, callbacks } = environment
  const actor = world.createActor(name, true)
  const redis = connect(world, { actor, redis: environment.redis, server })
  const queues = createQueueClient(world, actor, { queue, server })
  const asQueues = queues.asQueues()
  const running = new Set<string>()
  const taking = new Map<string, string>()
  let taken = 0

  const parts: Parts = {
    store: createStore({ redis, keys, keepMs: settings.keepMs, ended: (id) => void asQueues.add(webhookQueue, id).catch(() => undefined) }),
    offers: {
      find: (_: unknown, provider: keyof typeof providers) => {
        const found = providers[provider]
        const offer = found?.offers.video
        return offer === undefined ? undefined : { provider: found, offer }
      },
    } as unknown as Parts['offers'],
    transport: createTransport(world, { actor, server, upstreams, timeoutMs: settings.timeoutMs }),
    renderTimes: createRenderTimes({ redis, key: keys.renderTimes(false) }),
    slots: createSlots({ redis, keys, caps: maxInFlight }),
    wake: (provider, id) => asQueues.bringForward(provider, id),
    async tellEnd(id) {
      await world.call(actor, { type: 'webhook', label: `notifies about ${id}` }, async () => environment.notify(id))
      await redis.zrem(keys.webhooks, id)
      return { kind: 'end' }
    },
    watchLate: (id) => asQueues.add(lateQueue, id, firstLateLookMs),
    inputs: {
      async prepare(input) {
        const ms = uploadMs(String(input.prompt))
        if (ms > 0) {
          await world.call(actor, { type: 'prepare', label: 'uploads' }, async () => undefined)
          await actor.sleep(ms)
        }
        return { kind: 'ready', input, handed: {}, inline: [], release: () => undefined }
      },
      recall: async (input) => input,
    },
    deliver: files.deliverFor(actor),
    secondsOf: async () => undefined,
    typicalMs: () => settings.typicalMs,
    upstreams: Object.fromEntries(
      Object.keys(upstreams).map((upstream) => [upstream, { settings: {}, credentials: {}, baseUrls: {} }]),
    ) as unknown as Parts['upstreams'],
    timeoutMs: settings.timeoutMs,
    longestPollMs: settings.longestPollMs,
    reconcileMs: settings.reconcileMs,
    ...(callbacks && { hintUrl: (id: string, secret: string) => `${id}/${secret}` }),
    logger: quiet,
    now: actor.now,
  }

  function take(entry: Entry): Promise<Next | { kind: 'absent' }> {
    if (entry.queue === lateQueue) return lookLate(parts, entry.id)
    return entry.queue === webhookQueue ? parts.tellEnd(entry.id) : step(parts, entry.id, entry.queue)
  }

  /** As `src/engine/worker.ts` does it. An entry that cannot be put back stays active, and is taken over once its lock is over. */
  async function run(entry: Entry): Promise<void> {
    const next = await take(entry).catch((cause: unknown) => {
      world.note(`${name} STEP FAILED ${entry.id} ${cause}`)
      return { kind: 'wait', at: actor.now() + afterErrorMs } as const
    })
    if (next.kind === 'wait') return void (await queues.delay(entry, next.at))
    if (next.kind === 'absent' && actor.now() - entry.addedAt < 10_000)
      return void (await queues.delay(entry, actor.now() + 300))
    if (next.kind === 'move') await asQueues.add(next.queue, entry.id)
    await queues.complete(entry)
  }

  return {
    actor,
    /** Tokens of the entries that it holds. */
    running,
    /** Token -> the queue that it is about to take an entry of. */
    taking,
    isFree: () => !actor.dead && actor.frozenUntil <= world.now() && running.size < stepsAtOnce,
    /** Takes one entry of a queue and runs its step. */
    takeOne(from: string): void {
      const token = `${name}:${++taken}`
      running.add(token)
      taking.set(token, from)
      world.start(actor, async () => {
        try {
          const entry = await queues.take(from, token).catch(() => actor.sleep(retryMs))
          taking.delete(token)
          if (entry !== undefined) await run(entry)
        } catch (cause) {
          world.note(`${name} ENTRY LEFT ${cause}`)
        } finally {
          taking.delete(token)
          running.delete(token)
        }
      })
    },
  }
}
