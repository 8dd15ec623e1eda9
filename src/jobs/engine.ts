import type { Input } from '../../providers/input.ts'
import type { ProviderName, Ticket } from '../../providers/provider.ts'
import { randomId } from '../random.ts'
import {
  type Asked,
  type Event,
  type Meter,
  type Note,
  type Once,
  overdueMs,
  type State,
  type View,
  type Work,
} from './job.ts'
import { delivery, type Queues } from './queues.ts'
import type { Acceptance } from './store/codec.ts'
import { RecordTooLarge } from './store/record-size.ts'
import type { Store } from './store/store.ts'
import type { Watcher, Watchers } from './watchers.ts'

/** What a tongue knows of the engine. Every call rejects with `Unavailable` when Redis cannot be asked. */
export type Engine = {
  /** Stores the job and queues it. When this resolves the job cannot be lost. Rejects with `Refused` when its owner may not have it, with `RecordTooLarge` when it is too large. */
  accept(order: Accept): Promise<Accepted>
  /** What the first request with an idempotency key was answered; `undefined`: there was none. Rejects with `Refused` when it was another. */
  first(owner: string, once: Once): Promise<Accepted | undefined>
  /** One read. `undefined`: no such job (any more). */
  status(id: string): Promise<{ owner: string; view: View } | undefined>
  /** A caller's jobs, newest first; `undefined`: `after` is none of them. */
  list(query: ListQuery): Promise<Page | undefined>
  /** What a job was asked for, with its media as references. */
  asked(id: string): Promise<Input>
  /** Asks for the end of a job; `undefined`: no such job. */
  cancel(id: string): Promise<View | undefined>
  /** Forgets a job that has ended; false: there is none that has. */
  remove(id: string): Promise<boolean>
  /** The upstream's own handle on a job, for work that builds on it. */
  ticket(id: string): Promise<Ticket | undefined>
  /** The audit trail, oldest first. */
  events(id: string): Promise<readonly Event[]>
  /** What was written down about a job after it had ended, oldest first. */
  notes(id: string): Promise<readonly Note[]>
  /** The part of it behind a version of the job. */
  since(id: string, version: number): Promise<readonly Change[]>
  /** Tells every change from now on, without asking the store. Answers how to stop. */
  watch(id: string, watcher: Watcher): Promise<() => void>
}

export type Change = { version: number; event: Event }

export type ListQuery = {
  owner: string
  limit: number
  /** The job that the page begins behind; jobs that arrive meanwhile do not move it. */
  after?: string
  oldestFirst?: boolean
  model?: string
  states?: readonly State[]
  conversationUUID?: string
}

/** `next`: there may be more, behind this job. */
type Page = { views: readonly View[]; next?: string }

export type Accept = {
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
  meter?: Meter
  sandbox: boolean
  conversationUUID?: string
  remixedFrom?: string
  /** The first order with this key is taken, every later one gets its answer. */
  once?: Once
  /** What its answer says beside the job; kept only for an answer that may be given again. */
  warnings?: readonly string[]
  webhook?: Asked
}

/** `leftUsd`: what the owner has left; absent: it is not limited. `replay`: this is the answer to an earlier order, in full. */
export type Accepted = View & { leftUsd?: number; replay?: { warnings: readonly string[] } }

/** Thrown when the account of a job's owner does not allow it; nothing was written. */
export class Refused extends Error {
  override name = 'Refused'
  readonly why: Exclude<Acceptance, { kind: 'accepted' | 'replayed' }>
  readonly costUsd: number
  constructor(why: Refused['why'], costUsd: number) {
    super(`the account does not allow the job: ${why.kind}`)
    this.why = why
    this.costUsd = costUsd
  }
}

/** Thrown when the store does not answer: nothing was written, or nobody can tell. */
export class Unavailable extends Error {
  override name = 'Unavailable'
}

/** What Redis answers; rejects with `Unavailable` when it does not. */
export function answered<T>(asked: Promise<T>): Promise<T> {
  return asked.catch((cause: unknown) => {
    throw new Unavailable('the store does not answer', { cause })
  })
}

/** How many records are read at once for a filtered list, and for all of it. */
const listBatch = 100
const mostLooked = 2000

/** Whether a command that failed may have been carried out, or may yet be. */
function mayHaveRun(cause: unknown): boolean {
  if (!(cause instanceof Error)) return true
  if (cause instanceof RecordTooLarge) return false
  return cause.name !== 'ReplyError' && !cause.message.includes('enableOfflineQueue')
}

type Parts = {
  store: Store
  queues: Queues
  watchers: Watchers
  longestJobSeconds: number
  /** Cancels a job that may have been stored although its client was told that it was not. Resolves when it is sure to happen. */
  withdraw(id: string): Promise<void>
  /** Resolves when as many replicas as the operator asks for have the job; rejects when they do not confirm in time. */
  confirmAccepted?: (() => Promise<void>) | undefined
  now?: () => number
}

export function createEngine({
  store,
  queues,
  watchers,
  longestJobSeconds,
  withdraw,
  confirmAccepted,
  now = Date.now,
}: Parts): Engine {
  async function confirmed(storing: Promise<Acceptance>): Promise<Acceptance> {
    const acceptance = await storing
    const isStored = acceptance.kind === 'accepted' || acceptance.kind === 'replayed'
    if (isStored && confirmAccepted !== undefined) await confirmAccepted()
    return acceptance
  }

  const engine: Engine = {
    async accept(order) {
      const createdAt = now()
      const view: View = {
        id: order.id,
        version: 1,
        model: order.model,
        state: 'pending',
        progress: 0,
        createdAt,
        costUsd: order.costUsd,
        ...(order.sandbox ? { sandbox: true } : {}),
        ...(order.conversationUUID === undefined ? {} : { conversationUUID: order.conversationUUID }),
        ...(order.remixedFrom === undefined ? {} : { remixedFrom: order.remixedFrom }),
      }
      const work: Work = {
        route: order.route,
        ...(order.retriesKey === true && { retriesKey: true }),
        deadlineAt: createdAt + Math.min(order.deadlineSeconds, longestJobSeconds) * 1000,
        refusals: 0,
        misses: 0,
        polls: 0,
        ...(order.meter === undefined ? {} : { meter: order.meter }),
      }
      const storing = store.accept({
        view,
        owner: order.owner,
        input: order.input,
        work,
        hint: randomId(),
        dueAt: createdAt + overdueMs,
        ...(order.once === undefined ? {} : { once: order.once, warnings: order.warnings ?? [] }),
        ...(order.webhook === undefined ? {} : { webhook: order.webhook }),
        queue: order.route[0],
      })
      const acceptance = await confirmed(storing).catch(async (cause: unknown) => {
        // With an idempotency key, the client finds it again.
        if (order.once === undefined && mayHaveRun(cause)) await withdraw(order.id)
        throw cause
      })
      if (acceptance.kind === 'replayed') return replayOf(acceptance)
      if (acceptance.kind !== 'accepted') throw new Refused(acceptance, order.costUsd)
      return acceptance.leftUsd === undefined ? view : { ...view, leftUsd: acceptance.leftUsd }
    },

    async first(owner, once) {
      const found = await store.first(owner, once)
      if (found?.kind === 'reused') throw new Refused(found, 0)
      // It may have been stored by a submit that was answered 503, since no replica had it.
      if (found !== undefined) await confirmAccepted?.()
      return found === undefined ? undefined : replayOf(found)
    },

    status: (id) => store.status(id),

    async list(query) {
      const { owner, limit, oldestFirst = false } = query
      const views: View[] = []
      let after = query.after
      for (let looked = 0; looked < mostLooked; looked += listBatch) {
        const ids = await store.ownedIds(owner, { after, oldestFirst, count: listBatch })
        if (ids === undefined) return looked === 0 ? undefined : { views }
        for (const view of await store.views(ids)) {
          const last = views.at(-1)
          if (!isWanted(view, query)) continue
          if (views.length === limit && last !== undefined) return { views, next: last.id }
          views.push(view)
        }
        after = ids.at(-1)
        if (ids.length < listBatch || after === undefined) return { views }
      }
      return { views, ...(after === undefined ? {} : { next: after }) }
    },

    asked: (id) => store.input(id),

    async cancel(id) {
      if ((await store.askCancel(id)) === 'asked') {
        const found = await store.read(id)
        const queue = found?.view.state === 'delivering' ? delivery : found?.work.route[0]
        if (queue !== undefined) await queues.bringForward(queue, id)
      }
      return (await store.status(id))?.view
    },

    remove: (id) => store.remove(id),

    async ticket(id) {
      return (await store.read(id))?.work.ticket
    },

    events: (id) => store.events(id),

    notes: (id) => store.notes(id),

    since: (id, version) => store.since(id, version),

    watch: (id, watcher) => watchers.watch(id, watcher),
  }
  return Object.fromEntries(
    Object.entries(engine).map(([name, call]) => [
      name,
      guarded(call as (...args: never[]) => Promise<unknown>),
    ]),
  ) as Engine
}

function replayOf({ view, warnings, leftUsd }: Acceptance & { kind: 'replayed' }): Accepted {
  return { ...view, ...(leftUsd === undefined ? {} : { leftUsd }), replay: { warnings } }
}

function isWanted(view: View, { model, states, conversationUUID }: ListQuery): boolean {
  return (
    (model === undefined || view.model === model) &&
    (states === undefined || states.includes(view.state)) &&
    (conversationUUID === undefined || view.conversationUUID === conversationUUID)
  )
}

/** Errors that do not come from a store that does not answer. */
const ours = [TypeError, SyntaxError, Refused, RecordTooLarge]

/** A store that does not answer is not an error of ours: the tongues say 503. */
function guarded(call: (...args: never[]) => Promise<unknown>) {
  return async (...args: never[]) => {
    try {
      return await call(...args)
    } catch (cause) {
      if (ours.some((type) => cause instanceof type)) throw cause
      throw new Unavailable('the job store does not answer', { cause })
    }
  }
}
