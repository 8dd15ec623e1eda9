import { DelayedError } from 'bullmq'
import type { Clock } from '../../redis/clock.ts'
import { type Queues, type StepPayload, webhookQueue } from '../queues.ts'
import type { StepDeps } from './deps.ts'
import { lateResultQueue, pollForLateResult } from './late-result.ts'
import { runStep } from './run-step.ts'

/** A queue entry may come before its record is visible; it is looked for this long before it is given up. */
const recordGraceMs = 10_000
const recordRetryMs = 300
const errorRetryMs = 2000

/** What a step needs of its queue entry, which is a job of BullMQ. */
export type QueueEntry = {
  data: StepPayload
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
export function createStepRunner(deps: StepDeps, { queues, clock }: Options) {
  async function delayEntry(entry: QueueEntry, at: number, token: string | undefined): Promise<never> {
    await entry.moveToDelayed(clock.toWallClock(at), token)
    // A cancel or a callback during the step found nothing to bring forward.
    if (at > clock.now() && (await deps.store.isStepRequested(entry.data.id))) await entry.promote()
    throw new DelayedError()
  }

  function runQueueEntry(queue: string, id: string) {
    if (queue === lateResultQueue) return pollForLateResult(deps, id)
    return queue === webhookQueue ? deps.deliverWebhook(id) : runStep(deps, id, queue)
  }

  return async function run(queue: string, entry: QueueEntry, token?: string): Promise<void> {
    const { id } = entry.data
    const nextStep = await runQueueEntry(queue, id).catch((cause: unknown) => {
      deps.logger.error({ job: id, err: cause }, 'Job step failed')
      return { kind: 'wait', at: clock.now() + errorRetryMs } as const
    })
    if (nextStep.kind === 'wait') return delayEntry(entry, nextStep.at, token)
    if (nextStep.kind === 'move') return queues.add(nextStep.queue, id)
    if (nextStep.kind === 'absent' && clock.now() - entry.timestamp < recordGraceMs)
      return delayEntry(entry, clock.now() + recordRetryMs, token)
  }
}
