import { DelayedError } from 'bullmq'
import type { Clock } from '../../redis/clock.ts'
import { type Queues, type StepData, webhookQueue } from '../queues.ts'
import type { Parts } from './deps.ts'
import { lateQueue, lookLate } from './late-result.ts'
import { step } from './run-step.ts'

/** A queue entry may come before its record is visible; it is looked for this long before it is given up. */
const recordGraceMs = 10_000
const recordRetryMs = 300
const afterErrorMs = 2000

/** What a step needs of its queue entry, which is a job of BullMQ. */
export type QueueEntry = {
  data: StepData
  /** When it was added, unix ms. */
  timestamp: number
  moveToDelayed(at: number, token?: string): Promise<unknown>
  promote(): Promise<void>
}

type Options = {
  queues: Pick<Queues, 'add'>
  clock: Pick<Clock, 'now' | 'toWallClock'>
}

/** Runs one step for a queue entry, and sees to the next one. Rejects with BullMQ's `DelayedError` when the entry waits for it. */
export function createStepRunner(parts: Parts, { queues, clock }: Options) {
  async function delay(entry: QueueEntry, at: number, token: string | undefined): Promise<never> {
    await entry.moveToDelayed(clock.toWallClock(at), token)
    // A cancel or a callback during the step found nothing to bring forward.
    if (at > clock.now() && (await parts.store.isWoken(entry.data.id))) await entry.promote()
    throw new DelayedError()
  }

  function runStep(queue: string, id: string) {
    if (queue === lateQueue) return lookLate(parts, id)
    return queue === webhookQueue ? parts.tellEnd(id) : step(parts, id, queue)
  }

  return async function run(queue: string, entry: QueueEntry, token?: string): Promise<void> {
    const { id } = entry.data
    const next = await runStep(queue, id).catch((cause: unknown) => {
      parts.logger.error({ job: id, err: cause }, 'Job step failed')
      return { kind: 'wait', at: clock.now() + afterErrorMs } as const
    })
    if (next.kind === 'wait') return delay(entry, next.at, token)
    if (next.kind === 'move') return queues.add(next.queue, id)
    if (next.kind === 'absent' && clock.now() - entry.timestamp < recordGraceMs)
      return delay(entry, clock.now() + recordRetryMs, token)
  }
}
