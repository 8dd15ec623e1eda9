import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { ProviderName } from '../../../providers/provider.ts'
import type { ProviderConfig } from '../../config/provider-settings.ts'
import type { Clock } from '../../redis/clock.ts'
import type { Keys } from '../../redis/keys.ts'
import type { Routing } from '../../upstreams/routing.ts'
import { fingerprintRequest } from '../attempt.ts'
import type { Job, JobState } from '../job.ts'
import { deliveryQueue, type Queues } from '../queues.ts'
import { observeRedisServer } from '../store/epoch.ts'
import type { JobStore } from '../store/store.ts'
import { createTransition } from '../store/transition.ts'
import type { Journal, JournalEntry } from './journal.ts'

/** Records are looked at so many at a time. */
const batchSize = 200
/** How often a record is read anew because somebody else wrote it meanwhile. */
const maxTries = 20
const retryMs = 1000
/** A proxy may keep our connection while the server behind it changes. */
const checkEveryMs = 1000
/** States of a job whose purchase is not known to have succeeded. */
const unpurchased: ReadonlySet<string> = new Set<JobState>(['pending', 'submitting'])

type Options = {
  redis: Redis
  keys: Keys
  store: JobStore
  queues: Queues
  journal: Pick<Journal, 'listMadeElsewhere' | 'hasDiscarded'>
  routing: Pick<Routing, 'find'>
  upstreams: Readonly<Record<ProviderName, ProviderConfig>>
  clock: Pick<Clock, 'now'>
  graceMs: number
  sleep(ms: number): Promise<void>
  logger: Logger
}

/**
 * Gives a Redis that has lost its latest writes the attempts back that this machine remembers, before it can purchase them again: purchases pause
 * for a while when another server answers (`engine/epoch.ts`).
 */
export function createAttemptRestorer(options: Options) {
  const { redis, keys, store, queues, journal, clock, graceMs, sleep, logger } = options
  let server: string | undefined
  let currentRun: Promise<void> | undefined
  let isRequested = false
  let isStopped = false
  let timer: NodeJS.Timeout | undefined

  async function restoreAll(): Promise<void> {
    const observed = await observeRedisServer({ redis, keys, graceMs }, server !== undefined)
    if (observed.server === server) return
    // Without a pause nothing was lost, so the job of an attempt was deleted, or its time is over.
    const mayBeLost = observed.pausedMs > 0 || graceMs === 0
    let restored = 0
    for await (const entries of journal.listMadeElsewhere(observed.server)) {
      for (let start = 0; start < entries.length; start += batchSize)
        restored += await restoreSome(entries.slice(start, start + batchSize), mayBeLost)
    }
    server = observed.server
    if (restored > 0) logger.warn({ jobs: restored }, 'Redis had lost attempts; they are restored')
  }

  async function restoreSome(entries: readonly JournalEntry[], mayBeLost: boolean): Promise<number> {
    const states = await Promise.all(entries.map(({ job }) => redis.hget(keys.job(job), 'state')))
    let restored = 0
    for (const [index, entry] of entries.entries()) {
      const state = states[index] ?? undefined
      if (state === undefined) {
        if (mayBeLost) reportMissing(entry)
      } else if (unpurchased.has(state) && (await restore(entry).catch(reportUnreadable(entry))))
        restored += 1
    }
    return restored
  }

  /** Whether a record does not show what is known of an attempt. One that counts as many attempts or more has seen it. */
  function isLost({ attempt, number, reply }: JournalEntry, { view, work }: Job): boolean {
    if (!unpurchased.has(view.state)) return false
    if ((work.attempts ?? 0) < number) return true
    return view.state === 'submitting' && work.attempt?.id === attempt.id && reply !== undefined
  }

  /** One record that cannot be read must not keep the others from being restored. Faults of Redis are thrown on. */
  function reportUnreadable({ job, attempt }: JournalEntry) {
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
    for (let round = 0; round < maxTries; round += 1) {
      const job = await store.read(entry.job)
      if (job === undefined || !isLost(entry, job)) return false
      const { next: transition, queue } = await buildRestoredRecord(entry, job)
      // Meanwhile it may have turned out that its call was not made; what is written for that comes after this.
      if (journal.hasDiscarded(entry.attempt.id)) return false
      if (!(await store.takeOver(job, transition))) continue
      await queues.bringForward(queue, entry.job)
      return true
    }
    return false
  }

  async function buildRestoredRecord(entry: JournalEntry, job: Job) {
    const { attempt, handed, reply } = entry
    const now = clock.now()
    const isOwnTask = await reclaimTask(entry, job)
    const route: ProviderName[] = [
      attempt.provider,
      ...job.work.route.filter((name) => name !== attempt.provider),
    ]
    const work = { attempt, handed, route, attempts: entry.number, misses: 0 }
    const patch = { reason: 'restored: Redis had lost the attempt', at: now, now }
    if (!isOwnTask || reply === undefined)
      return {
        queue: attempt.provider,
        next: createTransition(job, { ...patch, view: { state: 'submitting' }, work }),
      }
    const purchasedWork = { ...work, takenAt: attempt.at, refusals: 0, polls: 0 }
    if (reply.kind === 'running') {
      const transition = createTransition(job, {
        ...patch,
        view: { state: reply.stage },
        work: { ...purchasedWork, ticket: reply.ticket },
      })
      return { queue: attempt.provider, next: transition }
    }
    const transition = createTransition(job, {
      ...patch,
      view: { state: 'delivering' },
      work: {
        ...purchasedWork,
        results: reply.videos,
        deliveringAt: now,
        ...(reply.ticket === undefined ? {} : { ticket: reply.ticket }),
        ...(reply.costUsd === undefined ? {} : { upstreamCostUsd: reply.costUsd }),
      },
    })
    return { queue: deliveryQueue, next: transition }
  }

  /** The claim of the task may be lost too, and has to be made again; without a reply, what keeps identical jobs from taking it. */
  async function reclaimTask({ attempt, reply }: JournalEntry, job: Job): Promise<boolean> {
    const upstream = options.routing.find({ id: job.view.model }, attempt.provider)
    if (upstream === undefined) return true
    const { provider, mapping } = upstream
    const claimant = {
      job: job.view.id,
      fingerprint: fingerprintRequest({ upstreams: options.upstreams }, job, provider, mapping),
    }
    if (reply?.ticket !== undefined) return store.claimTask(provider, reply.ticket, claimant)
    if (reply === undefined) await store.markReplyAwaited(attempt.provider, claimant, attempt.at)
    return true
  }

  async function runUntilRestored(): Promise<void> {
    do {
      isRequested = false
      try {
        await restoreAll()
      } catch (cause) {
        if (isStopped) return
        logger.error({ err: cause }, 'Lost attempts could not be restored; trying again')
        isRequested = true
        await sleep(retryMs)
      }
    } while (isRequested && !isStopped)
  }

  const requestRestore = () => {
    isRequested = true
    currentRun ??= runUntilRestored().finally(() => {
      currentRun = undefined
    })
  }

  return {
    /** Whether this process has given a server all that this machine remembers. */
    hasRestored: (otherServer: string): boolean => server === otherServer,

    /** Resolves when everything that is known has been restored; from then on it happens whenever another server answers. */
    async start(): Promise<void> {
      await restoreAll()
      redis.on('ready', requestRestore)
      timer = setInterval(requestRestore, checkEveryMs)
      timer.unref()
    },

    async stop(): Promise<void> {
      isStopped = true
      redis.off('ready', requestRestore)
      clearInterval(timer)
      await currentRun
    },
  }
}
