import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { ProviderName } from '../../../providers/provider.ts'
import type { Clock } from '../../redis/clock.ts'
import type { Keys } from '../../redis/keys.ts'
import type { Offers } from '../../upstreams/routing.ts'
import { fingerprintOf } from '../attempt.ts'
import type { Job, State } from '../job.ts'
import { delivery, type Queues } from '../queues.ts'
import type { Parts } from '../steps/deps.ts'
import { observeServer } from '../store/epoch.ts'
import type { Store } from '../store/store.ts'
import { change } from '../store/transition.ts'
import type { Journal, JournalEntry } from './journal.ts'

/** Records are looked at so many at a time. */
const batch = 200
/** How often a record is read anew because somebody else wrote it meanwhile. */
const tries = 20
const retryMs = 1000
/** A proxy may keep our connection while the server behind it changes. */
const lookEveryMs = 1000
/** States of a job whose purchase is not known to have succeeded. */
const unpurchased: ReadonlySet<string> = new Set<State>(['pending', 'submitting'])

type Options = {
  redis: Redis
  keys: Keys
  store: Store
  queues: Queues
  journal: Pick<Journal, 'madeElsewhere' | 'hasDiscarded'>
  offers: Pick<Offers, 'find'>
  upstreams: Parts['upstreams']
  clock: Pick<Clock, 'now'>
  graceMs: number
  sleep(ms: number): Promise<void>
  logger: Logger
}

/**
 * Gives a Redis that has lost its latest writes the attempts back that this machine remembers, before it can purchase them again: purchases pause
 * for a while when another server answers (`engine/epoch.ts`).
 */
export function createRestorer(options: Options) {
  const { redis, keys, store, queues, journal, clock, graceMs, sleep, logger } = options
  let server: string | undefined
  let running: Promise<void> | undefined
  let again = false
  let stopped = false
  let timer: NodeJS.Timeout | undefined

  async function restoreAll(): Promise<void> {
    const seen = await observeServer({ redis, keys, graceMs }, server !== undefined)
    if (seen.server === server) return
    // Without a pause nothing was lost, so the job of an attempt was deleted, or its time is over.
    const mayBeLost = seen.pausedMs > 0 || graceMs === 0
    let restored = 0
    for await (const entries of journal.madeElsewhere(seen.server)) {
      for (let first = 0; first < entries.length; first += batch)
        restored += await restoreSome(entries.slice(first, first + batch), mayBeLost)
    }
    server = seen.server
    if (restored > 0) logger.warn({ jobs: restored }, 'Redis had lost attempts; they are restored')
  }

  async function restoreSome(entries: readonly JournalEntry[], mayBeLost: boolean): Promise<number> {
    const states = await Promise.all(entries.map(({ job }) => redis.hget(keys.job(job), 'state')))
    let restored = 0
    for (const [index, entry] of entries.entries()) {
      const state = states[index] ?? undefined
      if (state === undefined) {
        if (mayBeLost) reportMissing(entry)
      } else if (unpurchased.has(state) && (await restore(entry).catch(orReport(entry)))) restored += 1
    }
    return restored
  }

  /** Whether a record does not show what is known of an attempt. One that counts as many attempts or more has seen it. */
  function isForgotten({ attempt, number, reply }: JournalEntry, { view, work }: Job): boolean {
    if (!unpurchased.has(view.state)) return false
    if ((work.attempts ?? 0) < number) return true
    return view.state === 'submitting' && work.attempt?.id === attempt.id && reply !== undefined
  }

  /** One record that cannot be read must not keep the others from being restored. Faults of Redis are thrown on. */
  function orReport({ job, attempt }: JournalEntry) {
    return (cause: unknown) => {
      if (!(cause instanceof SyntaxError || cause instanceof TypeError)) throw cause
      logger.error({ job, attempt: attempt.id, err: cause }, 'A lost attempt cannot be restored')
      return false
    }
  }

  function reportMissing({ job, attempt, reply }: JournalEntry): void {
    const task = reply !== undefined && 'ticket' in reply ? reply.ticket : undefined
    logger.error(
      { job, attempt: attempt.id, provider: attempt.provider, task },
      'Redis has no record of a purchased job',
    )
  }

  async function restore(entry: JournalEntry): Promise<boolean> {
    for (let tried = 0; tried < tries; tried += 1) {
      const job = await store.read(entry.job)
      if (job === undefined || !isForgotten(entry, job)) return false
      const { next, queue } = await restoredRecord(entry, job)
      // Meanwhile it may have turned out that its call was not made; what is written for that comes after this.
      if (journal.hasDiscarded(entry.attempt.id)) return false
      if (!(await store.takeOver(job, next))) continue
      await queues.bringForward(queue, entry.job)
      return true
    }
    return false
  }

  async function restoredRecord(entry: JournalEntry, job: Job) {
    const { attempt, handed, reply } = entry
    const now = clock.now()
    const own = await isOwn(entry, job)
    const route: ProviderName[] = [
      attempt.provider,
      ...job.work.route.filter((name) => name !== attempt.provider),
    ]
    const work = { attempt, handed, route, attempts: entry.number, misses: 0 }
    const common = { reason: 'restored: Redis had lost the attempt', at: now, now }
    if (!own || reply === undefined)
      return {
        queue: attempt.provider,
        next: change(job, { ...common, view: { state: 'submitting' }, work }),
      }
    const taken = { ...work, takenAt: attempt.at, refusals: 0, polls: 0 }
    if (reply.kind === 'running') {
      const next = change(job, {
        ...common,
        view: { state: reply.stage },
        work: { ...taken, ticket: reply.ticket },
      })
      return { queue: attempt.provider, next }
    }
    const next = change(job, {
      ...common,
      view: { state: 'delivering' },
      work: {
        ...taken,
        results: reply.videos,
        deliveringAt: now,
        ...(reply.ticket === undefined ? {} : { ticket: reply.ticket }),
        ...(reply.costUsd === undefined ? {} : { upstreamCostUsd: reply.costUsd }),
      },
    })
    return { queue: delivery, next }
  }

  /** The claim of the task may be lost too, and has to be made again; without a reply, what keeps identical jobs from taking it. */
  async function isOwn({ attempt, reply }: JournalEntry, job: Job): Promise<boolean> {
    const found = options.offers.find({ id: job.view.model }, attempt.provider)
    if (found === undefined) return true
    const { provider, offer } = found
    const claimant = {
      job: job.view.id,
      fingerprint: fingerprintOf({ upstreams: options.upstreams }, job, provider, offer),
    }
    if (reply?.ticket !== undefined) return store.claimTask(provider, reply.ticket, claimant)
    if (reply === undefined) await store.awaitAttempt(attempt.provider, claimant, attempt.at)
    return true
  }

  async function run(): Promise<void> {
    do {
      again = false
      try {
        await restoreAll()
      } catch (cause) {
        if (stopped) return
        logger.error({ err: cause }, 'Lost attempts could not be restored; trying again')
        again = true
        await sleep(retryMs)
      }
    } while (again && !stopped)
  }

  const look = () => {
    again = true
    running ??= run().finally(() => {
      running = undefined
    })
  }

  return {
    /** Whether this process has given a server all that this machine remembers. */
    hasRestored: (to: string): boolean => server === to,

    /** Resolves when everything that is known has been restored; from then on it happens whenever another server answers. */
    async start(): Promise<void> {
      await restoreAll()
      redis.on('ready', look)
      timer = setInterval(look, lookEveryMs)
      timer.unref()
    },

    async stop(): Promise<void> {
      stopped = true
      redis.off('ready', look)
      clearInterval(timer)
      await running
    },
  }
}
