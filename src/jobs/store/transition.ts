import type { Fault, FaultCode } from '../../../providers/faults.ts'
import type { Video } from '../../../providers/provider.ts'
import { shorten } from '../../text/text-limits.ts'
import { faultMaxCharacters } from '../../upstreams/reply-limits.ts'
import {
  type HistoryEntry,
  isTerminal,
  type Job,
  type JobState,
  type JobView,
  type JobWork,
  jobStates,
  overdueAfterMs,
} from '../job.ts'
import { finalCostUsd } from './settlement.ts'

export type Transition = {
  view: JobView
  work: JobWork
  /** Absent: nothing that clients or the audit trail should see. */
  entry?: HistoryEntry
  /** When the next step must have been written, unix ms. Absent: the job has ended. */
  dueAt?: number
  /** Where the next step is queued with the write. Absent: the caller schedules it. */
  queue?: string
}

/** What happens to the queue entry after a step. */
export type NextStep = { kind: 'wait'; at: number } | { kind: 'move'; queue: string } | { kind: 'end' }

type TransitionPatch = {
  view?: Partial<JobView>
  work?: Partial<JobWork>
  /** Recorded in the history only. */
  reason?: string
  /** When the next step is due. */
  at?: number
  now: number
}

const reasonMaxCharacters = 2000

/** The record after a step. State and progress never go back, except for a job that no upstream has accepted. */
export function createTransition(
  job: Job,
  { view = {}, work = {}, reason, at, now: time }: TransitionPatch,
): Transition {
  const now = Math.max(time, job.view.createdAt)
  const previousView = job.view
  const state = laterState(previousView.state, view.state ?? previousView.state)
  const progress = Math.max(previousView.progress, Math.floor(view.progress ?? 0))
  const { completedAt } = view
  const nextView: JobView = {
    ...previousView,
    ...view,
    state,
    progress,
    ...(completedAt !== undefined && { completedAt: Math.max(completedAt, previousView.createdAt) }),
  }
  const nextWork: JobWork = { ...job.work, ...work }
  const isVisible = state !== previousView.state || progress !== previousView.progress || reason !== undefined
  const provider = nextWork.attempt?.provider ?? nextWork.route[0]
  const entry: HistoryEntry = {
    at: now,
    state,
    progress,
    ...(provider === undefined ? {} : { provider }),
    ...(reason === undefined ? {} : { reason: shorten(reason, reasonMaxCharacters) }),
  }
  return {
    view: nextView,
    work: nextWork,
    ...(isVisible ? { entry } : {}),
    ...(isTerminal(state) ? {} : { dueAt: (at ?? now) + overdueAfterMs }),
  }
}

function laterState(from: JobState, to: JobState): JobState {
  if (from === 'submitting' || isTerminal(to)) return to
  return jobStates.indexOf(to) > jobStates.indexOf(from) ? to : from
}

/** Ends a job with a fault. The record holds the upstream's text, except for faults that are for the operator only. */
export function createFailedTransition(job: Job, fault: Fault, now: number): Transition {
  const state = fault.code === 'canceled' ? 'canceled' : 'failed'
  return createTransition(job, {
    view: {
      state,
      completedAt: now,
      error: {
        code: fault.code,
        message: shorten(publicTexts[fault.code] ?? fault.message, faultMaxCharacters),
      },
    },
    reason: `${fault.code}: ${fault.message}`,
    now,
  })
}

/** `seconds`: length of the video, if known. */
export function createSucceededTransition(
  job: Job,
  videos: readonly Video[],
  now: number,
  seconds?: number,
): Transition {
  const costUsd = finalCostUsd(job, seconds)
  return createTransition(job, {
    view: { state: 'succeeded', progress: 100, completedAt: now, videos, costUsd },
    now,
  })
}

/** Texts that replace messages for the operator only. */
const publicTexts: Partial<Record<FaultCode, string>> = {
  bad_credentials: 'This model is not available at the moment',
  no_credit: 'This model is not available at the moment',
  endpoint_gone: 'This model is not available at the moment',
  result_not_stored: 'The finished video could not be stored',
  submission_unknown: 'Submission status unknown; not retried',
}
