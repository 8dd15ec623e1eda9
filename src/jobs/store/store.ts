import type { Redis } from 'ioredis'
import type { Input } from '../../../providers/input.ts'
import { ledgerRetentionMs, utcDayOf } from '../../accounts/money.ts'
import type { Keys } from '../../redis/keys.ts'
import { createRandomId } from '../../text/random-id.ts'
import { defaultTextLimits } from '../../text/text-limits.ts'
import {
  type HistoryEntry,
  type IdempotencyKey,
  type Job,
  type JobView,
  type JobWork,
  overdueAfterMs,
} from '../job.ts'
import {
  attemptMarker,
  parseCancel,
  parseReplay,
  parseView,
  parseWebhookFields,
  type Replay,
} from './codec.ts'
import { createJobWriter } from './create-job.ts'
import { observeRedisServer } from './epoch.ts'
import { createHistory } from './history.ts'
import { createIntentWriter } from './purchase-intents.ts'
import { createStatusReader } from './read-status.ts'
import { shrinkRecord } from './record-size.ts'
import * as scripts from './scripts.ts'
import { decideSettlement, type Settlement } from './settlement.ts'
import { createTaskClaims } from './task-claims.ts'
import { createViewCache } from './view-cache.ts'

export type Transition = {
  view: JobView
  work: JobWork
  /** Absent: nothing that a client or the audit trail should see. */
  entry?: HistoryEntry
  /** When something must have happened next; absent: this is the end. */
  dueAt?: number
  /** Where the next step is queued with it; absent: whoever took this one sees to that. */
  queue?: string
}

/** A job as it was before its last transition, the transition, and what became of its money. */
export type FinishedJob = { job: Job; transition: Transition; settlement: Settlement }

type JobStoreOptions = {
  redis: Redis
  keys: Keys
  keepMs: number
  /** How long a claim of an upstream's task is kept, ms: longer than any job runs. */
  claimMs?: number
  /** How long purchases pause after another Redis server has taken over, ms. */
  graceMs?: number
  /** How far steps that callbacks and cancels bring forward are apart at least, ms. */
  minPollIntervalMs?: number
  /** The largest record that is accepted. */
  recordMaxBytes?: number
  /** Where intents are written, if not on `redis`. */
  intentRedis?: Redis
  /** Where jobs are accepted, if not on `redis`. */
  acceptRedis?: Redis
  now?: () => number
  /** Called after the last transition of a job. */
  onFinished?: (finished: FinishedJob) => void
}

/** The records in Redis. `keepMs` is how long a finished one stays. */
export function createJobStore({
  redis,
  keys,
  keepMs,
  claimMs = 86_400_000,
  graceMs = 5000,
  minPollIntervalMs = 0,
  recordMaxBytes = defaultTextLimits.recordMaxBytes,
  intentRedis = redis,
  acceptRedis = redis,
  now = Date.now,
  onFinished,
}: JobStoreOptions) {
  redis.defineCommand('reelgateClaim', { lua: scripts.claimStepScript, numberOfKeys: 2 })
  redis.defineCommand('reelgateTransition', { lua: scripts.transitionScript, numberOfKeys: 7 })
  redis.defineCommand('reelgateNoteLate', { lua: scripts.addNoteScript, numberOfKeys: 2 })
  redis.defineCommand('reelgateWake', { lua: scripts.requestStepScript, numberOfKeys: 1 })
  redis.defineCommand('reelgateRemove', { lua: scripts.removeJobScript, numberOfKeys: 5 })
  redis.defineCommand('reelgateOwned', { lua: scripts.listOwnedIdsScript, numberOfKeys: 1 })
  const run = (command: string, ...args: (string | number)[]): Promise<unknown> =>
    (redis as unknown as Record<string, (...args: (string | number)[]) => Promise<unknown>>)[command]?.(
      ...args,
    ) ?? Promise.reject(new Error(`unknown script ${command}`))

  const cachedView = createViewCache()
  const readStatusFields = createStatusReader({ redis, keys })
  const accountKeys = (owner: string, at: number) =>
    [keys.account(owner), keys.ledger(owner), keys.usage(owner, utcDayOf(at))] as const

  function applyTransition(
    job: Job,
    guard: ['fence' | 'attempt' | 'takeover', string | number],
    transition: Transition,
  ) {
    const { entry, dueAt, queue, ...record } = transition
    const { view, work } = shrinkRecord(record, job.input, recordMaxBytes)
    const id = view.id
    const settlement = decideSettlement(job.view.state, view, work, job.withdrawn)
    return run(
      'reelgateTransition',
      keys.job(id),
      keys.open,
      keys.history(id),
      ...accountKeys(job.owner, view.createdAt),
      keys.moneyOnHold(job.owner),
      id,
      ...guard,
      view.state,
      JSON.stringify({ ...view, version: undefined }),
      JSON.stringify(work),
      attemptMarker(work.attempt),
      entry === undefined ? '' : JSON.stringify(entry),
      dueAt ?? '',
      keepMs,
      keys.channel(id),
      settlement.kind,
      settlement.micros,
      view.model,
      now() - ledgerRetentionMs,
      ledgerRetentionMs,
      keys.webhooks,
      now() + overdueAfterMs,
      queue === undefined ? '' : keys.queuePrefix(queue),
      now(),
      createRandomId(),
    ).then((version) => {
      if (Number(version) > 0 && dueAt === undefined)
        onFinished?.({ job, transition: { ...transition, view, work }, settlement })
      return Number(version)
    })
  }

  return {
    create: createJobWriter({ redis: acceptRedis, keys, keepMs, recordMaxBytes, now }),

    /** Stores the intent to purchase, unless something speaks against it. */
    storeIntent: createIntentWriter({ redis: intentRedis, keys, graceMs }),

    /** For how many ms nothing may be purchased yet, since another server has taken over. */
    purchasesPausedMs: async () => (await observeRedisServer({ redis, keys, graceMs })).pausedMs,

    /** What the script that accepts would answer to a key that it knows. */
    async findReplay(
      owner: string,
      { key, fingerprint }: IdempotencyKey,
    ): Promise<Replay | { kind: 'reused' } | undefined> {
      const [storedFingerprint, ...replay] = await redis.hmget(
        keys.idempotencyKey(owner, key),
        'fingerprint',
        'left',
        'view',
        'warnings',
      )
      if (storedFingerprint === null || storedFingerprint === undefined) return undefined
      return storedFingerprint === fingerprint ? parseReplay(replay) : { kind: 'reused' }
    },

    /** Takes the step. `dueAt`: by when it must have been written. `early`: it was asked for too soon after another one. */
    async claimStep(id: string, dueAt: number): Promise<Job | 'absent' | 'ended' | 'early'> {
      const reply = await run('reelgateClaim', keys.job(id), keys.open, id, dueAt, now(), minPollIntervalMs)
      if (reply === null) return 'absent'
      if (!Array.isArray(reply)) return reply === 1 ? 'early' : 'ended'
      const [, leaseToken, owner, view, input, work, version, cancelField, callbackSecret, ...webhook] =
        reply as (string | null)[]
      return {
        leaseToken: Number(leaseToken),
        owner: owner ?? '',
        view: parseView(view, version),
        input: JSON.parse(input ?? '{}') as Input,
        work: JSON.parse(work ?? '{}') as JobWork,
        ...parseCancel(cancelField),
        callbackSecret: callbackSecret ?? '',
        ...parseWebhookFields(webhook),
      }
    },

    /** Writes what a step found, if nobody has taken a later one. */
    async write(job: Job, transition: Transition): Promise<boolean> {
      return (await applyTransition(job, ['fence', job.leaseToken], transition)) > 0
    },

    /** Writes the answer to an attempt, even if another step has been taken meanwhile: the answer is all that counts. */
    async writeReply(job: Job, transition: Transition): Promise<boolean> {
      return (await applyTransition(job, ['attempt', attemptMarker(job.work.attempt)], transition)) > 0
    },

    /** Writes what another step of this version of the record must not overwrite. */
    async takeOver(job: Job, transition: Transition): Promise<boolean> {
      return (await applyTransition(job, ['takeover', job.leaseToken], transition)) > 0
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
      const [owner, view, version, work, input, callbackSecret, leaseToken, cancelField, ...webhook] = fields
      if (owner === null || owner === undefined || view === null) return undefined
      return {
        owner,
        view: parseView(view, version),
        work: JSON.parse(work ?? '{}') as JobWork,
        input: JSON.parse(input ?? '{}') as Input,
        callbackSecret: callbackSecret ?? '',
        leaseToken: Number(leaseToken),
        ...parseCancel(cancelField),
        ...parseWebhookFields(webhook),
      }
    },

    async readStatus(id: string): Promise<{ owner: string; view: JobView } | undefined> {
      const [owner, view, version] = await readStatusFields(id)
      if (typeof owner !== 'string' || typeof view !== 'string') return undefined
      return { owner, view: cachedView(id, view, version ?? '') }
    },

    async readViews(ids: readonly string[]): Promise<JobView[]> {
      const records = await Promise.all(ids.map((id) => redis.hmget(keys.job(id), 'view', 'version')))
      return records.flatMap(([view, version]) =>
        view === null || view === undefined ? [] : [parseView(view, version)],
      )
    },

    /** What a job was asked for; empty when there is no such job. */
    async readInput(id: string): Promise<Input> {
      return JSON.parse((await redis.hget(keys.job(id), 'input')) ?? '{}') as Input
    },

    /** Ids of a caller's jobs by arrival, behind one of them; `undefined`: that one is not among them. */
    async listOwnedIds(
      owner: string,
      { after, oldestFirst, count }: { after: string | undefined; oldestFirst: boolean; count: number },
    ): Promise<string[] | undefined> {
      const order = oldestFirst ? 'oldest' : 'newest'
      const ids = await run('reelgateOwned', keys.ownerJobs(owner), order, after ?? '', count)
      return Array.isArray(ids) ? ids.map(String) : undefined
    },

    /** Its place in its owner's index stays, so that a list that is being read there goes on. */
    async remove(id: string): Promise<boolean> {
      const deletedKeys = [keys.job(id), keys.history(id), keys.notes(id), keys.webhooks, keys.deletedJob(id)]
      return Number(await run('reelgateRemove', ...deletedKeys, id)) === 1
    },

    /** `withdrawn`: the client was told that there is no such job, so it pays nothing for it. `repeated`: its next step comes by itself. */
    async requestCancel(
      id: string,
      by: 'client' | 'withdrawn' = 'client',
    ): Promise<'absent' | 'ended' | 'asked' | 'repeated'> {
      const code = Number(await run('reelgateWake', keys.job(id), by, now(), minPollIntervalMs))
      return (['absent', 'ended', 'asked', 'repeated'] as const)[code] ?? 'absent'
    },

    /** Asks for the next step at once, also while one is under way. False: it comes by itself, or there is none. */
    async requestStep(id: string): Promise<boolean> {
      return Number(await run('reelgateWake', keys.job(id), '', now(), minPollIntervalMs)) === 2
    },

    /** When a step that came too early may be taken, unix ms. */
    async earliestStepAt(id: string): Promise<number> {
      const lastCall = await redis.hget(keys.job(id), 'called')
      return Number(lastCall?.split(' ')[1] ?? 0)
    },

    /** Whether the next step was asked for since this one was taken. */
    async isStepRequested(id: string): Promise<boolean> {
      return (await redis.hexists(keys.job(id), 'wake')) === 1
    },

    ...createTaskClaims({ redis, keys, graceMs, claimMs }),
    ...createHistory({ redis, keys, run }),
  }
}

export type JobStore = ReturnType<typeof createJobStore>
