import { DelayedError } from 'bullmq'
import type { Clock } from '../../redis/clock.ts'
import { overdueAfterMs } from '../job.ts'
import { type Queues, queueOf, type StepPayload, webhookQueue } from '../queues.ts'
import { createTransition, type NextStep } from '../store/transition.ts'
import { deliverResult } from './deliver.ts'
import { depsForJob, type StepDeps } from './deps.ts'
import { lateResultQueue, pollForLateResult } from './late-result.ts'
import { pollJob } from './poll.ts'
import { reconcileSubmission } from './reconcile.ts'
import { submitJob } from './submit.ts'

/** A queue entry may be read before its record is visible. After this time, the entry is dropped. */
const recordGraceMs = 10_000
const recordRetryMs = 300
const errorRetryMs = 2000

/** The part of a BullMQ job that a step uses. */
export type QueueEntry = {
  data: StepPayload
  /** When the entry was added, unix ms. */
  timestamp: number
  moveToDelayed(at: number, token?: string): Promise<unknown>
  promote(): Promise<void>
}

type Options = {
  queues: Pick<Queues, 'add'>
  clock: Pick<Clock, 'now' | 'toWallClock'>
}

/** Runs one step for a queue entry and schedules the next one. Rejects with BullMQ's `DelayedError` if the same entry waits for the next step. */
export function createStepRunner(deps: StepDeps, { queues, clock }: Options) {
  async function delayEntry(entry: QueueEntry, at: number, token: string | undefined): Promise<never> {
    await entry.moveToDelayed(clock.toWallClock(at), token)
    // A cancel or a callback during the step found no delayed entry to promote.
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

/** Runs one step of a job: claims the record, does what its state requires, writes the result. Returns when and where the next step runs. */
export async function runStep(
  deps: StepDeps,
  id: string,
  queue: string,
): Promise<NextStep | { kind: 'absent' }> {
  const now = deps.now()
  const job = await deps.store.claimStep(id, now + 2 * deps.callTimeoutMs + overdueAfterMs)
  if (job === 'ended') return { kind: 'end' }
  if (job === 'absent') return { kind: 'absent' }
  if (job === 'early') return { kind: 'wait', at: await deps.store.earliestStepAt(id) }

  const jobDeps = depsForJob(deps, job.view)
  const { state } = job.view
  const jobQueue = queueOf(job)
  if (jobQueue !== undefined && jobQueue !== queue) {
    await jobDeps.store.write(job, createTransition(job, { now }))
    return { kind: 'move', queue: jobQueue }
  }
  if (state === 'pending') return submitJob(jobDeps, job)
  if (state === 'submitting') return reconcileSubmission(jobDeps, job)
  if (state === 'delivering') return deliverResult(jobDeps, job)
  return pollJob(jobDeps, job)
}
