import { JobRefused } from '../../src/accounts/check-account.ts'
import type { CreatedJob, Engine } from '../../src/jobs/engine.ts'
import { type HistoryEntry, type IdempotencyKey, isTerminal, type JobView } from '../../src/jobs/job.ts'
import type { JobRequest } from '../../src/jobs/job-request.ts'
import type { JobWatcher } from '../../src/jobs/watchers.ts'
import { RedisUnavailable } from '../../src/redis/redis-unavailable.ts'

type Entry = { view: JobView; request: JobRequest; history: HistoryEntry[]; isRemoved: boolean }
type Creation = { fingerprint: string; view: JobView; warnings: readonly string[] }

export type MemoryEngine = Engine & {
  /** The requests of the jobs that were created, oldest first. */
  requests: readonly JobRequest[]
  /** Changes the state of a job, like a worker. */
  advance(id: string, change: Partial<JobView>): JobView
  /** Makes every call fail like without Redis. */
  breakDown(): void
}

/** The engine in memory, for tests of the APIs. It passes the same suite as the engine itself: test/jobs/engine-contract.ts. */
export function createMemoryEngine(now: () => number = Date.now): MemoryEngine {
  const entries = new Map<string, Entry>()
  const requests: JobRequest[] = []
  /** By owner and idempotency key. */
  const creations = new Map<string, Creation>()
  const watchersById = new Map<string, Set<JobWatcher>>()
  let isBroken = false

  function requireRedis(): void {
    if (isBroken) throw new RedisUnavailable(new Error('Connection is closed.'))
  }

  function find(id: string): Entry | undefined {
    requireRedis()
    const entry = entries.get(id)
    return entry?.isRemoved ? undefined : entry
  }

  function advance(id: string, change: Partial<JobView>): JobView {
    const entry = entries.get(id)
    if (entry === undefined) throw new Error(`no job ${id}`)
    entry.view = { ...entry.view, ...change, version: entry.view.version + 1 }
    const { state, progress } = entry.view
    entry.history.push({ at: now(), state, progress, provider: entry.request.route[0] })
    for (const watcher of watchersById.get(id) ?? []) watcher.onChange(entry.view)
    return entry.view
  }

  function replay(owner: string, { key, fingerprint }: IdempotencyKey): CreatedJob | undefined {
    requireRedis()
    const creation = creations.get(`${owner} ${key}`)
    if (creation === undefined) return undefined
    if (creation.fingerprint !== fingerprint) throw new JobRefused({ kind: 'reused' }, 0)
    return { ...creation.view, replay: { warnings: creation.warnings } }
  }

  return {
    requests,
    advance,
    breakDown: () => {
      isBroken = true
    },
    findReplay: async (owner, idempotencyKey) => replay(owner, idempotencyKey),
    create: async (request) => {
      requireRedis()
      const { id, owner, model, costUsd, sandbox, conversationUUID, remixedFrom, idempotencyKey } = request
      const earlier = idempotencyKey && replay(owner, idempotencyKey)
      if (earlier !== undefined) return earlier
      const view: JobView = {
        id,
        version: 1,
        model,
        state: 'pending',
        progress: 0,
        createdAt: now(),
        costUsd,
        ...(sandbox && { sandbox: true as const }),
        ...(conversationUUID !== undefined && { conversationUUID }),
        ...(remixedFrom !== undefined && { remixedFrom }),
      }
      const history = [{ at: now(), state: view.state, progress: 0 }]
      entries.set(id, { view, request, history, isRemoved: false })
      requests.push(request)
      if (idempotencyKey !== undefined) {
        const { key, fingerprint } = idempotencyKey
        creations.set(`${owner} ${key}`, { fingerprint, view, warnings: request.warnings ?? [] })
      }
      return view
    },
    readStatus: async (id) => {
      const entry = find(id)
      return entry && { owner: entry.request.owner, view: entry.view }
    },
    list: async ({ owner, limit, after, oldestFirst, model, states, conversationUUID }) => {
      requireRedis()
      const owned = [...entries.values()].filter(({ request }) => request.owner === owner)
      const ordered = oldestFirst === true ? owned : owned.reverse()
      const start = after === undefined ? 0 : ordered.findIndex(({ view }) => view.id === after) + 1
      if (after !== undefined && start === 0) return undefined
      const matching = ordered
        .slice(start)
        .flatMap(({ view, isRemoved }) => (isRemoved ? [] : [view]))
        .filter((view) => model === undefined || view.model === model)
        .filter((view) => states === undefined || states.includes(view.state))
        .filter((view) => conversationUUID === undefined || view.conversationUUID === conversationUUID)
      const views = matching.slice(0, limit)
      const last = views.at(-1)
      return { views, ...(matching.length > limit && last !== undefined && { next: last.id }) }
    },
    readInput: async (id) => find(id)?.request.input ?? {},
    remove: async (id) => {
      const entry = find(id)
      if (entry === undefined || !isTerminal(entry.view.state)) return false
      entry.isRemoved = true
      return true
    },
    cancel: async (id) => {
      const view = find(id)?.view
      if (view === undefined || isTerminal(view.state)) return view
      const error = { code: 'canceled' as const, message: 'The job was canceled' }
      return advance(id, { state: 'canceled', completedAt: now(), error })
    },
    readTaskReference: async (id) => {
      find(id)
      return undefined
    },
    readHistory: async (id) => find(id)?.history ?? [],
    readNotes: async (id) => {
      find(id)
      return []
    },
    readHistoryAfter: async (id, version) =>
      (find(id)?.history ?? []).map((entry, index) => ({ version: index + 1, entry })).slice(version),
    watch: async (id, watcher) => {
      requireRedis()
      const watchers = watchersById.get(id) ?? new Set()
      watchersById.set(id, watchers.add(watcher))
      return () => watchers.delete(watcher)
    },
  }
}
