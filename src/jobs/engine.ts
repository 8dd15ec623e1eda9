import type { Input } from '../../providers/input.ts'
import type { TaskReference } from '../../providers/provider.ts'
import { JobRefused } from '../accounts/check-account.ts'
import { mayHaveRun } from '../redis/redis-unavailable.ts'
import type { HistoryEntry, IdempotencyKey, JobNote, JobView, VersionedHistoryEntry } from './job.ts'
import { buildNewJobRecord, type JobRequest } from './job-request.ts'
import { type JobListQuery, type JobPage, readJobPage } from './list-jobs.ts'
import { type Queues, queueOf } from './queues.ts'
import type { CreateResult } from './store/codec.ts'
import { RecordTooLarge } from './store/record-size.ts'
import type { JobStore } from './store/store.ts'
import type { JobWatcher, JobWatchers } from './watchers.ts'

/** What the APIs can do with jobs. Every call rejects with `RedisUnavailable` while Redis cannot serve. */
export type Engine = {
  /**
   * Stores and queues the job: once this resolves, the job is durable. Rejects with `JobRefused` if the owner may not create it, with
   * `RecordTooLarge` if it is too large.
   */
  create(request: JobRequest): Promise<CreatedJob>
  /**
   * The result of the first request with an idempotency key; `undefined`: there was none. Rejects with `JobRefused` if that request was a different
   * one.
   */
  findReplay(owner: string, idempotencyKey: IdempotencyKey): Promise<CreatedJob | undefined>
  /** One Redis read. `undefined`: the job does not exist, or has expired. */
  readStatus(id: string): Promise<{ owner: string; view: JobView } | undefined>
  /** A caller's jobs, newest first; `undefined`: the caller has no job `after`. */
  list(query: JobListQuery): Promise<JobPage | undefined>
  /** The input of a job, with its media as references. */
  readInput(id: string): Promise<Input>
  /** Requests a cancel; `undefined`: no such job. */
  cancel(id: string): Promise<JobView | undefined>
  /** Deletes a job that has ended. Returns false if there is none. */
  remove(id: string): Promise<boolean>
  /** The upstream's reference to the job's task, for jobs that build on it. */
  readTaskReference(id: string): Promise<TaskReference | undefined>
  /** Oldest first. */
  readHistory(id: string): Promise<readonly HistoryEntry[]>
  /** Notes that were added after the job had ended, oldest first. */
  readNotes(id: string): Promise<readonly JobNote[]>
  /** The history after a version of the job. */
  readHistoryAfter(id: string, version: number): Promise<readonly VersionedHistoryEntry[]>
  /** Reports every change from now on, without reading from Redis. Returns how to stop. */
  watch(id: string, watcher: JobWatcher): Promise<() => void>
}

/** `remainingUsd`: the balance of the owner; absent: unlimited. `replay`: this is the result of an earlier request with the same idempotency key. */
export type CreatedJob = JobView & { remainingUsd?: number; replay?: { warnings: readonly string[] } }

type EngineOptions = {
  store: JobStore
  queues: Queues
  watchers: JobWatchers
  longestJobSeconds: number
  /** Cancels a job that may have been stored although its client received an error. Resolves when the cancel is certain to happen. */
  withdraw(id: string): Promise<void>
  /** Resolves when as many replicas have the job as the operator requires; rejects if they do not confirm in time. */
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
      const record = buildNewJobRecord(request, now(), longestJobSeconds)
      const createResult = await waitForReplicas(store.create(record)).catch(async (cause: unknown) => {
        // With an idempotency key, a repeated request finds the job.
        const mayBeStored = !(cause instanceof RecordTooLarge) && mayHaveRun(cause)
        if (request.idempotencyKey === undefined && mayBeStored) await withdraw(request.id)
        throw cause
      })
      if (createResult.kind === 'replayed') return toReplayedJob(createResult)
      if (createResult.kind !== 'accepted') throw new JobRefused(createResult, request.costUsd)
      const { remainingUsd } = createResult
      return remainingUsd === undefined ? record.view : { ...record.view, remainingUsd }
    },

    async findReplay(owner, idempotencyKey) {
      const replay = await store.findReplay(owner, idempotencyKey)
      if (replay?.kind === 'reused') throw new JobRefused(replay, 0)
      // The first request may have stored the job and received 503 because no replica had it.
      if (replay !== undefined) await confirmReplicas?.()
      return replay === undefined ? undefined : toReplayedJob(replay)
    },

    readStatus: (id) => store.readStatus(id),

    list: (query) => readJobPage(store, query),

    readInput: (id) => store.readInput(id),

    async cancel(id) {
      if ((await store.requestCancel(id)) === 'asked') {
        const job = await store.read(id)
        const queue = job && queueOf(job)
        if (queue !== undefined) await queues.bringForward(queue, id)
      }
      return (await store.readStatus(id))?.view
    },

    remove: (id) => store.remove(id),

    async readTaskReference(id) {
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
