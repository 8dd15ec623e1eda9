import type { Redis } from 'ioredis'
import { ledgerRetentionMs, utcDayOf } from '../../accounts/money.ts'
import type { Keys } from '../../redis/keys.ts'
import { defineScript, loadScript } from '../../redis/script.ts'
import { createRandomId } from '../../text/random-id.ts'
import { type Job, overdueAfterMs } from '../job.ts'
import { attemptMarker } from './codec.ts'
import { shrinkRecord } from './record-size.ts'
import { decideSettlement, type Settlement } from './settlement.ts'
import type { Transition } from './transition.ts'

const transitionScript = loadScript('jobs/transition', {
  keys: 'job open history account ledger usage moneyOnHold webhooks',
  args: 'id guard guardValue state view work attempt entry dueAt keepMs channel settlement chargeMicros model oldestMovement ledgerKeepMs webhookDueAt queue now writeId',
})

/** A job as it was before its last transition, the transition, and what happened to its money. */
export type FinishedJob = { job: Job; transition: Transition; settlement: Settlement }

type TransitionWriterOptions = {
  redis: Redis
  keys: Keys
  keepMs: number
  recordMaxBytes: number
  now: () => number
  /** Called after the last transition of a job. */
  onFinished: ((finished: FinishedJob) => void) | undefined
}

/** When a transition may be written, see `lua/jobs/transition.lua`. */
type Guard = { guard: 'lease' | 'takeover'; guardValue: number } | { guard: 'attempt'; guardValue: string }

/** Writes transitions. Each method returns false where its guard does not hold, or where the job has ended. */
export function createTransitionWriter({
  redis,
  keys,
  keepMs,
  recordMaxBytes,
  now,
  onFinished,
}: TransitionWriterOptions) {
  const writeTransition = defineScript(redis, 'reelgateTransition', transitionScript)

  async function writeGuarded(job: Job, guard: Guard, transition: Transition): Promise<boolean> {
    const { entry, dueAt, queue, ...record } = transition
    const { view, work } = shrinkRecord(record, job.input, recordMaxBytes)
    const { id } = view
    const settlement = decideSettlement(job.view.state, view, work, job.withdrawn)
    const version = await writeTransition<number>({
      keys: {
        job: keys.job(id),
        open: keys.open,
        history: keys.history(id),
        account: keys.account(job.owner),
        ledger: keys.ledger(job.owner),
        usage: keys.usage(job.owner, utcDayOf(view.createdAt)),
        moneyOnHold: keys.moneyOnHold(job.owner),
        webhooks: keys.webhooks,
      },
      args: {
        id,
        ...guard,
        state: view.state,
        view: JSON.stringify({ ...view, version: undefined }),
        work: JSON.stringify(work),
        attempt: attemptMarker(work.attempt),
        entry: entry === undefined ? '' : JSON.stringify(entry),
        dueAt: dueAt ?? '',
        keepMs,
        channel: keys.channel(id),
        settlement: settlement.kind,
        chargeMicros: settlement.micros,
        model: view.model,
        oldestMovement: now() - ledgerRetentionMs,
        ledgerKeepMs: ledgerRetentionMs,
        webhookDueAt: now() + overdueAfterMs,
        queue: queue === undefined ? '' : keys.queuePrefix(queue),
        now: now(),
        writeId: createRandomId(),
      },
    })
    const isWritten = Number(version) > 0
    if (isWritten && dueAt === undefined)
      onFinished?.({ job, transition: { ...transition, view, work }, settlement })
    return isWritten
  }

  return {
    /** Writes the result of a step, unless a later step has been taken. */
    write: (job: Job, transition: Transition): Promise<boolean> =>
      writeGuarded(job, { guard: 'lease', guardValue: job.leaseToken }, transition),

    /** Writes the reply to an attempt, even if another step has been taken: no other reply will come. */
    writeReply: (job: Job, transition: Transition): Promise<boolean> =>
      writeGuarded(job, { guard: 'attempt', guardValue: attemptMarker(job.work.attempt) }, transition),

    /** Writes like `write`, and the step that has this version of the record can write nothing afterwards. */
    takeOver: (job: Job, transition: Transition): Promise<boolean> =>
      writeGuarded(job, { guard: 'takeover', guardValue: job.leaseToken }, transition),
  }
}
