import { JobRefused } from '../../src/accounts/check-account.ts'
import type { CreatedJob, Engine } from '../../src/jobs/engine.ts'
import { type HistoryEntry, type IdempotencyKey, isTerminal, type JobView } from '../../src/jobs/job.ts'
import type { JobRequest } from '../../src/jobs/job-request.ts'
import type { JobWatcher } from '../../src/jobs/watchers.ts'
import { RedisUnavailable } from '../../src/redis/redis-unavailable.ts'

type Entry = { owner: string; view: JobView; order: JobRequest; events: HistoryEntry[] }

export type MemoryEngine = Engine & {
  /** What was accepted, oldest first. */
  orders: readonly JobRequest[]
  /** Takes a job to another state, as a worker would. */
  move(id: string, change: Partial<JobView>): JobView
  /** Makes every call fail as it does without Redis. */
  breakDown(): void
}

/** The engine's contract in a Map, for tests of the tongues. */
export function createMemoryEngine(now: () => number = Date.now): MemoryEngine {
  const entries = new Map<string, Entry>()
  const orders: JobRequest[] = []
  const firsts = new Map<string, { fingerprint: string; view: CreatedJob; warnings: readonly string[] }>()
  const watchers = new Map<string, Set<JobWatcher>>()
  let broken = false

  function entryOf(id: string): Entry | undefined {
    if (broken) throw new RedisUnavailable(new Error('Connection is closed.'))
    return entries.get(id)
  }

  function move(id: string, change: Partial<JobView>): JobView {
    const entry = entries.get(id)
    if (entry === undefined) throw new Error(`no job ${id}`)
    entry.view = { ...entry.view, ...change, version: entry.view.version + 1 }
    entry.events.push({ at: now(), state: entry.view.state, progress: entry.view.progress })
    for (const watcher of watchers.get(id) ?? []) watcher.onChange(entry.view)
    return entry.view
  }

  async function first(owner: string, { key, fingerprint }: IdempotencyKey): Promise<CreatedJob | undefined> {
    entryOf('')
    const found = firsts.get(`${owner} ${key}`)
    if (found === undefined) return undefined
    if (found.fingerprint !== fingerprint) throw new JobRefused({ kind: 'reused' }, 0)
    return { ...found.view, replay: { warnings: found.warnings } }
  }

  return {
    orders,
    move,
    breakDown: () => {
      broken = true
    },
    findReplay: first,
    create: async (order) => {
      const known = entryOf(order.id)
      if (known !== undefined) return known.view
      const earlier = order.idempotencyKey && (await first(order.owner, order.idempotencyKey))
      if (earlier !== undefined) return earlier
      const { id, model, costUsd, sandbox, conversationUUID, remixedFrom } = order
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
      entries.set(id, {
        owner: order.owner,
        view,
        order,
        events: [{ at: now(), state: 'pending', progress: 0 }],
      })
      orders.push(order)
      if (order.idempotencyKey !== undefined) {
        const { key, fingerprint } = order.idempotencyKey
        firsts.set(`${order.owner} ${key}`, { fingerprint, view, warnings: order.warnings ?? [] })
      }
      return view
    },
    readStatus: async (id) => {
      const entry = entryOf(id)
      return entry && { owner: entry.owner, view: entry.view }
    },
    list: async ({ owner, limit, after, oldestFirst, model, states, conversationUUID }) => {
      entryOf('')
      const owned = [...entries.values()].filter((entry) => entry.owner === owner).map(({ view }) => view)
      const ordered = oldestFirst === true ? owned : owned.reverse()
      const start = after === undefined ? 0 : ordered.findIndex(({ id }) => id === after) + 1
      if (after !== undefined && start === 0) return undefined
      const found = ordered
        .slice(start)
        .filter((view) => model === undefined || view.model === model)
        .filter((view) => states === undefined || states.includes(view.state))
        .filter((view) => conversationUUID === undefined || view.conversationUUID === conversationUUID)
      const views = found.slice(0, limit)
      const last = views.at(-1)
      return { views, ...(found.length > limit && last !== undefined && { next: last.id }) }
    },
    readInput: async (id) => entryOf(id)?.order.input ?? {},
    remove: async (id) => {
      const state = entryOf(id)?.view.state
      return state !== undefined && isTerminal(state) && entries.delete(id)
    },
    cancel: async (id) => {
      const view = entryOf(id)?.view
      if (view === undefined || isTerminal(view.state)) return view
      const error = { code: 'canceled' as const, message: 'The job was canceled' }
      return move(id, { state: 'canceled', completedAt: now(), error })
    },
    readTicket: async (id) => (entryOf(id) === undefined ? undefined : {}),
    readHistory: async (id) => entryOf(id)?.events ?? [],
    readNotes: async () => [],
    readHistoryAfter: async (id, version) =>
      (entryOf(id)?.events ?? []).map((event, at) => ({ version: at + 1, entry: event })).slice(version),
    watch: async (id, watcher) => {
      entryOf(id)
      const here = watchers.get(id) ?? new Set()
      watchers.set(id, here.add(watcher))
      return () => here.delete(watcher)
    },
  }
}
