import type { Input } from '../../providers/input.ts'
import type { ProviderName, TaskReference } from '../../providers/provider.ts'
import { JobRefused } from '../accounts/check-account.ts'
import type { MeteredPrice } from '../accounts/job-price.ts'
import { mayHaveRun } from '../redis/redis-unavailable.ts'
import { createRandomId } from '../text/random-id.ts'
import {
  type HistoryEntry,
  type IdempotencyKey,
  type JobNote,
  type JobState,
  type JobView,
  type JobWork,
  overdueAfterMs,
  type RequestedWebhook,
} from './job.ts'
import { deliveryQueue, type Queues } from './queues.ts'
import type { CreateResult } from './store/codec.ts'
import { RecordTooLarge } from './store/record-size.ts'
import type { JobStore } from './store/store.ts'
import type { JobWatcher, JobWatchers } from './watchers.ts'

/** What a tongue knows of the engine. Every call rejects with `RedisUnavailable` while Redis cannot serve. */
export type Engine = {
  /** Stores the job and queues it. When this resolves the job cannot be lost. Rejects with `Refused` when its owner may not have it, with `RecordTooLarge` when it is too large. */
  create(request: JobRequest): Promise<CreatedJob>
  /** What the first request with an idempotency key was answered; `undefined`: there was none. Rejects with `Refused` when it was another. */
  findReplay(owner: string, idempotencyKey: IdempotencyKey): Promise<CreatedJob | undefined>
  /** One read. `undefined`: no such job (any more). */
  readStatus(id: string): Promise<{ owner: string; view: JobView } | undefined>
  /** A caller's jobs, newest first; `undefined`: `after` is none of them. */
  list(query: JobListQuery): Promise<JobPage | undefined>
  /** What a job was asked for, with its media as references. */
  readInput(id: string): Promise<Input>
  /** Asks for the end of a job; `undefined`: no such job. */
  cancel(id: string): Promise<JobView | undefined>
  /** Forgets a job that has ended; false: there is none that has. */
  remove(id: string): Promise<boolean>
  /** The upstream's own handle on a job, for work that builds on it. */
  readTicket(id: string): Promise<TaskReference | undefined>
  /** The audit trail, oldest first. */
  readHistory(id: string): Promise<readonly HistoryEntry[]>
  /** What was written down about a job after it had ended, oldest first. */
  readNotes(id: string): Promise<readonly JobNote[]>
  /** The part of it behind a version of the job. */
  readHistoryAfter(id: string, version: number): Promise<readonly VersionedHistoryEntry[]>
  /** Tells every change from now on, without asking the store. Answers how to stop. */
  watch(id: string, watcher: JobWatcher): Promise<() => void>
}

export type VersionedHistoryEntry = { version: number; entry: HistoryEntry }

export type JobListQuery = {
  owner: string
  limit: number
  /** The job that the page begins behind; jobs that arrive meanwhile do not move it. */
  after?: string
  oldestFirst?: boolean
  model?: string
  states?: readonly JobState[]
  conversationUUID?: string
}

/** `next`: there may be more, behind this job. */
type JobPage = { views: readonly JobView[]; next?: string }

export type JobRequest = {
  id: string
  owner: string
  model: string
  input: Input
  route: readonly [ProviderName, ...ProviderName[]]
  /** No upstream accepts its key: this job tries one again. */
  retriesKey?: boolean
  deadlineSeconds: number
  /** The most that it may cost: reserved now, settled at the end. */
  costUsd: number
  meter?: MeteredPrice
  sandbox: boolean
  conversationUUID?: string
  remixedFrom?: string
  /** The first order with this key is taken, every later one gets its answer. */
  idempotencyKey?: IdempotencyKey
  /** What its answer says beside the job; kept only for an answer that may be given again. */
  warnings?: readonly string[]
  webhook?: RequestedWebhook
}

/** `remainingUsd`: what the owner has left; absent: it is not limited. `replay`: this is the answer to an earlier order, in full. */
export type CreatedJob = JobView & { remainingUsd?: number; replay?: { warnings: readonly string[] } }

/** How many records are read at once for a filtered list, and for all of it. */
const listBatch = 100
const maxRead = 2000

type EngineOptions = {
  store: JobStore
  queues: Queues
  watchers: JobWatchers
  longestJobSeconds: number
  /** Cancels a job that may have been stored although its client was told that it was not. Resolves when it is sure to happen. */
  withdraw(id: string): Promise<void>
  /** Resolves when as many replicas as the operator asks for have the job; rejects when they do not confirm in time. */
  confirmReplicas?: (() => Promise<void>) | undefined
  now?: () => number
}

export function createEngine({
  store,
  queues,
  watchers,
  longestJobSeconds,
  withdraw,
  confirmReplicas,
  now = Date.now,
}: EngineOptions): Engine {
  async function waitForReplicas(writing: Promise<CreateResult>): Promise<CreateResult> {
    const createResult = await writing
    const isStored = createResult.kind === 'accepted' || createResult.kind === 'replayed'
    if (isStored && confirmReplicas !== undefined) await confirmReplicas()
    return createResult
  }

  return {
    async create(request) {
      const createdAt = now()
      const view: JobView = {
        id: request.id,
        version: 1,
        model: request.model,
        state: 'pending',
        progress: 0,
        createdAt,
        costUsd: request.costUsd,
        ...(request.sandbox ? { sandbox: true } : {}),
        ...(request.conversationUUID === undefined ? {} : { conversationUUID: request.conversationUUID }),
        ...(request.remixedFrom === undefined ? {} : { remixedFrom: request.remixedFrom }),
      }
      const work: JobWork = {
        route: request.route,
        ...(request.retriesKey === true && { retriesKey: true }),
        deadlineAt: createdAt + Math.min(request.deadlineSeconds, longestJobSeconds) * 1000,
        refusals: 0,
        misses: 0,
        polls: 0,
        ...(request.meter === undefined ? {} : { meter: request.meter }),
      }
      const writing = store.create({
        view,
        owner: request.owner,
        input: request.input,
        work,
        callbackSecret: createRandomId(),
        dueAt: createdAt + overdueAfterMs,
        ...(request.idempotencyKey === undefined
          ? {}
          : { idempotencyKey: request.idempotencyKey, warnings: request.warnings ?? [] }),
        ...(request.webhook === undefined ? {} : { webhook: request.webhook }),
        queue: request.route[0],
      })
      const createResult = await waitForReplicas(writing).catch(async (cause: unknown) => {
        // With an idempotency key, the client finds it again.
        const mayBeStored = !(cause instanceof RecordTooLarge) && mayHaveRun(cause)
        if (request.idempotencyKey === undefined && mayBeStored) await withdraw(request.id)
        throw cause
      })
      if (createResult.kind === 'replayed') return toReplayedJob(createResult)
      if (createResult.kind !== 'accepted') throw new JobRefused(createResult, request.costUsd)
      return createResult.remainingUsd === undefined
        ? view
        : { ...view, remainingUsd: createResult.remainingUsd }
    },

    async findReplay(owner, idempotencyKey) {
      const replay = await store.findReplay(owner, idempotencyKey)
      if (replay?.kind === 'reused') throw new JobRefused(replay, 0)
      // It may have been stored by a submit that was answered 503, since no replica had it.
      if (replay !== undefined) await confirmReplicas?.()
      return replay === undefined ? undefined : toReplayedJob(replay)
    },

    readStatus: (id) => store.readStatus(id),

    async list(query) {
      const { owner, limit, oldestFirst = false } = query
      const views: JobView[] = []
      let after = query.after
      for (let readCount = 0; readCount < maxRead; readCount += listBatch) {
        const ids = await store.listOwnedIds(owner, { after, oldestFirst, count: listBatch })
        if (ids === undefined) return readCount === 0 ? undefined : { views }
        for (const view of await store.readViews(ids)) {
          const last = views.at(-1)
          if (!matchesQuery(view, query)) continue
          if (views.length === limit && last !== undefined) return { views, next: last.id }
          views.push(view)
        }
        after = ids.at(-1)
        if (ids.length < listBatch || after === undefined) return { views }
      }
      return { views, ...(after === undefined ? {} : { next: after }) }
    },

    readInput: (id) => store.readInput(id),

    async cancel(id) {
      if ((await store.requestCancel(id)) === 'asked') {
        const job = await store.read(id)
        const queue = job?.view.state === 'delivering' ? deliveryQueue : job?.work.route[0]
        if (queue !== undefined) await queues.bringForward(queue, id)
      }
      return (await store.readStatus(id))?.view
    },

    remove: (id) => store.remove(id),

    async readTicket(id) {
      return (await store.read(id))?.work.ticket
    },

    readHistory: (id) => store.readHistory(id),

    readNotes: (id) => store.readNotes(id),

    readHistoryAfter: (id, version) => store.readHistoryAfter(id, version),

    watch: (id, watcher) => watchers.watch(id, watcher),
  }
}

function toReplayedJob({ view, warnings, remainingUsd }: CreateResult & { kind: 'replayed' }): CreatedJob {
  return { ...view, ...(remainingUsd === undefined ? {} : { remainingUsd }), replay: { warnings } }
}

function matchesQuery(view: JobView, { model, states, conversationUUID }: JobListQuery): boolean {
  return (
    (model === undefined || view.model === model) &&
    (states === undefined || states.includes(view.state)) &&
    (conversationUUID === undefined || view.conversationUUID === conversationUUID)
  )
}
