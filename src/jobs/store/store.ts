import type { Redis } from 'ioredis'
import type { Input } from '../../../providers/input.ts'
import { booksKeptMs, dayOf } from '../../accounts/money.ts'
import { randomId } from '../../random.ts'
import type { Keys } from '../../redis/keys.ts'
import { defaultTextLimits } from '../../text-limits.ts'
import { type Event, type Job, type Once, overdueMs, type View, type Work } from '../job.ts'
import { markOf, type Replayed, readCancel, readReplay, readView, readWebhook } from './codec.ts'
import { createAccepting } from './create-job.ts'
import { observeServer } from './epoch.ts'
import { createTrail } from './history.ts'
import { createIntents } from './purchase-intents.ts'
import { createReading } from './read-status.ts'
import { fitRecord } from './record-size.ts'
import * as scripts from './scripts.ts'
import { settlementOf } from './settlement.ts'
import { createTaskClaims } from './task-claims.ts'
import { createViews } from './view-cache.ts'

export type Change = {
  view: View
  work: Work
  /** Absent: nothing that a client or the audit trail should see. */
  event?: Event
  /** When something must have happened next; absent: this is the end. */
  dueAt?: number
  /** Where the next step is queued with it; absent: whoever took this one sees to that. */
  queue?: string
}

type Parts = {
  redis: Redis
  keys: Keys
  keepMs: number
  /** How long a claim of an upstream's task is kept, ms: longer than any job runs. */
  claimMs?: number
  /** How long purchases pause after another Redis server has taken over, ms. */
  graceMs?: number
  /** How far steps that callbacks and cancels bring forward are apart at least, ms. */
  pollIntervalMs?: number
  /** The largest record that is accepted. */
  recordMaxBytes?: number
  /** Where intents are written, if not on `redis`. */
  intentRedis?: Redis
  /** Where jobs are accepted, if not on `redis`. */
  acceptRedis?: Redis
  now?: () => number
  /** A job has ended, and its end is to be told. */
  ended?: (id: string) => void
}

/** The records in Redis. `keepMs` is how long a finished one stays. */
export function createStore({
  redis,
  keys,
  keepMs,
  claimMs = 86_400_000,
  graceMs = 5000,
  pollIntervalMs = 0,
  recordMaxBytes = defaultTextLimits.recordMaxBytes,
  intentRedis = redis,
  acceptRedis = redis,
  now = Date.now,
  ended,
}: Parts) {
  redis.defineCommand('reelgateClaim', { lua: scripts.claim, numberOfKeys: 2 })
  redis.defineCommand('reelgateTransition', { lua: scripts.transition, numberOfKeys: 7 })
  redis.defineCommand('reelgateNoteLate', { lua: scripts.noteLate, numberOfKeys: 2 })
  redis.defineCommand('reelgateWake', { lua: scripts.wake, numberOfKeys: 1 })
  redis.defineCommand('reelgateRemove', { lua: scripts.remove, numberOfKeys: 5 })
  redis.defineCommand('reelgateOwned', { lua: scripts.owned, numberOfKeys: 1 })
  const run = (command: string, ...args: (string | number)[]): Promise<unknown> =>
    (redis as unknown as Record<string, (...args: (string | number)[]) => Promise<unknown>>)[command]?.(
      ...args,
    ) ?? Promise.reject(new Error(`unknown script ${command}`))

  const viewOf = createViews()
  const reading = createReading({ redis, keys })
  const books = (owner: string, at: number) =>
    [keys.account(owner), keys.ledger(owner), keys.usage(owner, dayOf(at))] as const

  function change(
    job: Job,
    guard: ['fence' | 'attempt' | 'takeover', string | number],
    { event, dueAt, queue, ...changed }: Change,
  ) {
    const { view, work } = fitRecord(changed, job.input, recordMaxBytes)
    const id = view.id
    const settlement = settlementOf(job.view.state, view, work, job.withdrawn)
    return run(
      'reelgateTransition',
      keys.job(id),
      keys.open,
      keys.events(id),
      ...books(job.owner, view.createdAt),
      keys.held(job.owner),
      id,
      ...guard,
      view.state,
      JSON.stringify({ ...view, version: undefined }),
      JSON.stringify(work),
      markOf(work.attempt),
      event === undefined ? '' : JSON.stringify(event),
      dueAt ?? '',
      keepMs,
      keys.channel(id),
      settlement.kind,
      settlement.micros,
      view.model,
      now() - booksKeptMs,
      booksKeptMs,
      keys.webhooks,
      now() + overdueMs,
      queue === undefined ? '' : keys.queue(queue),
      now(),
      randomId(),
    ).then((version) => {
      if (Number(version) > 0 && dueAt === undefined && job.webhook !== undefined) ended?.(id)
      return Number(version)
    })
  }

  return {
    accept: createAccepting({ redis: acceptRedis, keys, keepMs, recordMaxBytes, now }),

    /** Stores the intent to purchase, unless something speaks against it. */
    storeIntent: createIntents({ redis: intentRedis, keys, graceMs }),

    /** For how many ms nothing may be purchased yet, since another server has taken over. */
    purchasesPausedMs: async () => (await observeServer({ redis, keys, graceMs })).pausedMs,

    /** What the script that accepts would answer to a key that it knows. */
    async first(
      owner: string,
      { key, fingerprint }: Once,
    ): Promise<Replayed | { kind: 'reused' } | undefined> {
      const [known, ...answer] = await redis.hmget(
        keys.once(owner, key),
        'fingerprint',
        'left',
        'view',
        'warnings',
      )
      if (known === null || known === undefined) return undefined
      return known === fingerprint ? readReplay(answer) : { kind: 'reused' }
    },

    /** Takes the step. `dueAt`: by when it must have been written. `early`: it was asked for too soon after another one. */
    async claim(id: string, dueAt: number): Promise<Job | 'absent' | 'ended' | 'early'> {
      const found = await run('reelgateClaim', keys.job(id), keys.open, id, dueAt, now(), pollIntervalMs)
      if (found === null) return 'absent'
      if (!Array.isArray(found)) return found === 1 ? 'early' : 'ended'
      const [, fence, owner, view, input, work, version, cancel, hint, ...webhook] = found as (
        | string
        | null
      )[]
      return {
        fence: Number(fence),
        owner: owner ?? '',
        view: readView(view, version),
        input: JSON.parse(input ?? '{}') as Input,
        work: JSON.parse(work ?? '{}') as Work,
        ...readCancel(cancel),
        hint: hint ?? '',
        ...readWebhook(webhook),
      }
    },

    /** Writes what a step found, if nobody has taken a later one. */
    async write(job: Job, next: Change): Promise<boolean> {
      return (await change(job, ['fence', job.fence], next)) > 0
    },

    /** Writes the answer to an attempt, even if another step has been taken meanwhile: the answer is all that counts. */
    async writeAnswer(job: Job, next: Change): Promise<boolean> {
      return (await change(job, ['attempt', markOf(job.work.attempt)], next)) > 0
    },

    /** Writes what another step of this version of the record must not overwrite. */
    async takeOver(job: Job, next: Change): Promise<boolean> {
      return (await change(job, ['takeover', job.fence], next)) > 0
    },

    async read(id: string): Promise<Job | undefined> {
      const fields = await redis.hmget(
        keys.job(id),
        'owner',
        'view',
        'version',
        'work',
        'input',
        'hint',
        'fence',
        'cancel',
        'webhook',
        'address',
      )
      const [owner, view, version, work, input, hint, fence, cancel, ...webhook] = fields
      if (owner === null || owner === undefined || view === null) return undefined
      return {
        owner,
        view: readView(view, version),
        work: JSON.parse(work ?? '{}') as Work,
        input: JSON.parse(input ?? '{}') as Input,
        hint: hint ?? '',
        fence: Number(fence),
        ...readCancel(cancel),
        ...readWebhook(webhook),
      }
    },

    async status(id: string): Promise<{ owner: string; view: View } | undefined> {
      const [owner, view, version] = await reading(id)
      if (typeof owner !== 'string' || typeof view !== 'string') return undefined
      return { owner, view: viewOf(id, view, version ?? '') }
    },

    async views(ids: readonly string[]): Promise<View[]> {
      const found = await Promise.all(ids.map((id) => redis.hmget(keys.job(id), 'view', 'version')))
      return found.flatMap(([view, version]) =>
        view === null || view === undefined ? [] : [readView(view, version)],
      )
    },

    /** What a job was asked for; empty when there is no such job. */
    async input(id: string): Promise<Input> {
      return JSON.parse((await redis.hget(keys.job(id), 'input')) ?? '{}') as Input
    },

    /** Ids of a caller's jobs by arrival, behind one of them; `undefined`: that one is not among them. */
    async ownedIds(
      owner: string,
      { after, oldestFirst, count }: { after: string | undefined; oldestFirst: boolean; count: number },
    ): Promise<string[] | undefined> {
      const order = oldestFirst ? 'oldest' : 'newest'
      const found = await run('reelgateOwned', keys.owner(owner), order, after ?? '', count)
      return Array.isArray(found) ? found.map(String) : undefined
    },

    /** Its place in its owner's index stays, so that a list that is being read there goes on. */
    async remove(id: string): Promise<boolean> {
      const all = [keys.job(id), keys.events(id), keys.notes(id), keys.webhooks, keys.deletedJob(id)]
      return Number(await run('reelgateRemove', ...all, id)) === 1
    },

    /** `withdrawn`: the client was told that there is no such job, so it pays nothing for it. `repeated`: its next step comes by itself. */
    async askCancel(
      id: string,
      by: 'client' | 'withdrawn' = 'client',
    ): Promise<'absent' | 'ended' | 'asked' | 'repeated'> {
      const answer = Number(await run('reelgateWake', keys.job(id), by, now(), pollIntervalMs))
      return (['absent', 'ended', 'asked', 'repeated'] as const)[answer] ?? 'absent'
    },

    /** Asks for the next step at once, also while one is under way. False: it comes by itself, or there is none. */
    async wake(id: string): Promise<boolean> {
      return Number(await run('reelgateWake', keys.job(id), '', now(), pollIntervalMs)) === 2
    },

    /** When a step that came too early may be taken, unix ms. */
    async earliestStep(id: string): Promise<number> {
      const called = await redis.hget(keys.job(id), 'called')
      return Number(called?.split(' ')[1] ?? 0)
    },

    /** Whether the next step was asked for since this one was taken. */
    async isWoken(id: string): Promise<boolean> {
      return (await redis.hexists(keys.job(id), 'wake')) === 1
    },

    ...createTaskClaims({ redis, keys, graceMs, claimMs }),
    ...createTrail({ redis, keys, run }),
  }
}

export type Store = ReturnType<typeof createStore>
