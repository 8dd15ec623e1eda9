import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { Clock } from '../../redis/clock.ts'
import type { Keys } from '../../redis/keys.ts'
import type { Job, JobState } from '../job.ts'
import type { Queues } from '../queues.ts'
import { observeRedisServer } from '../store/epoch.ts'
import type { Journal } from './journal.ts'
import type { JournalEntry } from './journal-files.ts'
import { buildRestoredRecord, type RestoreDeps } from './restored-record.ts'

/** Number of records that are read at once. */
const batchSize = 200
/** How often a record is read again because another process has changed it meanwhile. */
const maxTries = 20
const retryMs = 1000
/** Behind a proxy, the server may change while our connection stays open. */
const checkEveryMs = 1000
/** States of a job whose purchase is not known to have succeeded. */
const unpurchased: ReadonlySet<string> = new Set<JobState>(['pending', 'submitting'])

type Options = RestoreDeps & {
  redis: Redis
  keys: Keys
  queues: Queues
  journal: Pick<Journal, 'listMadeElsewhere' | 'hasDiscarded'>
  clock: Pick<Clock, 'now'>
  graceMs: number
  sleep(ms: number): Promise<void>
  logger: Logger
}

/**
 * Restores attempts that Redis has lost (failover, power loss) from this machine's journal before they can be purchased again: purchases pause for a
 * while after the Redis server has changed (`store/epoch.ts`).
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
    // Without a pause Redis lost nothing: a missing job was deleted or has expired.
    const mayBeLost = observed.pausedMs > 0 || graceMs === 0
    let restored = 0
    for await (const entries of journal.listMadeElsewhere(observed.server)) {
      for (let start = 0; start < entries.length; start += batchSize)
        restored += await restoreSome(entries.slice(start, start + batchSize), mayBeLost)
    }
    server = observed.server
    if (restored > 0) logger.warn({ jobs: restored }, 'Redis had lost attempts: restored')
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

  /** Whether the record lacks the attempt or its reply. A record that counts as many attempts or more has had this one. */
  function isLost({ attempt, number, reply }: JournalEntry, { view, work }: Job): boolean {
    if (!unpurchased.has(view.state)) return false
    if ((work.attempts ?? 0) < number) return true
    return view.state === 'submitting' && work.attempt?.id === attempt.id && reply !== undefined
  }

  /** One unreadable record must not prevent the others from being restored. Errors of Redis are thrown. */
  function reportUnreadable({ job, attempt }: JournalEntry) {
    return (cause: unknown) => {
      if (!(cause instanceof SyntaxError || cause instanceof TypeError)) throw cause
      logger.error({ job, attempt: attempt.id, err: cause }, 'Lost attempt not restored: record not readable')
      return false
    }
  }

  function reportMissing({ job, attempt, reply }: JournalEntry): void {
    const task = reply !== undefined && 'ticket' in reply ? reply.ticket : undefined
    logger.error(
      { job, attempt: attempt.id, provider: attempt.provider, task },
      'Redis has lost the record of a purchased job',
    )
  }

  async function restore(entry: JournalEntry): Promise<boolean> {
    for (let round = 0; round < maxTries; round += 1) {
      const job = await store.read(entry.job)
      if (job === undefined || !isLost(entry, job)) return false
      const { transition, queue } = await buildRestoredRecord(options, entry, job, clock.now())
      // The attempt may have been discarded meanwhile; that write must come last.
      if (journal.hasDiscarded(entry.attempt.id)) return false
      if (!(await store.takeOver(job, transition))) continue
      await queues.bringForward(queue, entry.job)
      return true
    }
    return false
  }

  async function runUntilRestored(): Promise<void> {
    do {
      isRequested = false
      try {
        await restoreAll()
      } catch (cause) {
        if (isStopped) return
        logger.error({ err: cause }, 'Lost attempts not restored yet; retrying')
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
    /** Whether this process has restored all attempts of this machine on a server. */
    hasRestored: (otherServer: string): boolean => server === otherServer,

    /** Resolves when all lost attempts are restored. From then on, restores whenever the server has changed. */
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
