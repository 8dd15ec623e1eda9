import type { Fault, FaultCode } from '../../../providers/fault.ts'
import type { Video } from '../../../providers/provider.ts'
import { shorten } from '../../text-limits.ts'
import { faultMaxCharacters } from '../../upstreams/reply-limits.ts'
import {
  type Event,
  isTerminal,
  type Job,
  overdueMs,
  type State,
  states,
  type View,
  type Work,
} from '../job.ts'
import { finalCostUsd } from './settlement.ts'
import type { Change } from './store.ts'

/** What a step does next with the queue. */
export type Next = { kind: 'wait'; at: number } | { kind: 'move'; queue: string } | { kind: 'end' }

type Patch = {
  view?: Partial<View>
  work?: Partial<Work>
  /** For the audit trail. */
  reason?: string
  /** When the next step is due. */
  at?: number
  now: number
}

/** Of an entry of the audit trail. */
const reasonMaxCharacters = 2000

/** The record after a step. State and progress only go forwards, but for a job that no upstream has taken yet. */
export function change(job: Job, { view = {}, work = {}, reason, at, now: time }: Patch): Change {
  const now = Math.max(time, job.view.createdAt)
  const before = job.view
  const state = later(before.state, view.state ?? before.state)
  const progress = Math.max(before.progress, Math.floor(view.progress ?? 0))
  const { completedAt } = view
  const after: View = {
    ...before,
    ...view,
    state,
    progress,
    ...(completedAt !== undefined && { completedAt: Math.max(completedAt, before.createdAt) }),
  }
  const next: Work = { ...job.work, ...work }
  const visible = state !== before.state || progress !== before.progress || reason !== undefined
  const provider = next.attempt?.provider ?? next.route[0]
  const event: Event = {
    at: now,
    state,
    progress,
    ...(provider === undefined ? {} : { provider }),
    ...(reason === undefined ? {} : { reason: shorten(reason, reasonMaxCharacters) }),
  }
  return {
    view: after,
    work: next,
    ...(visible ? { event } : {}),
    ...(isTerminal(state) ? {} : { dueAt: (at ?? now) + overdueMs }),
  }
}

function later(from: State, to: State): State {
  if (from === 'submitting' || isTerminal(to)) return to
  return states.indexOf(to) > states.indexOf(from) ? to : from
}

/** The end of a job for a reason. The record holds the upstream's text, except for faults that are the operator's business. */
export function failure(job: Job, found: Fault, now: number): Change {
  const state = found.code === 'canceled' ? 'canceled' : 'failed'
  return change(job, {
    view: {
      state,
      completedAt: now,
      error: {
        code: found.code,
        message: shorten(publicTexts[found.code] ?? found.message, faultMaxCharacters),
      },
    },
    reason: `${found.code}: ${found.message}`,
    now,
  })
}

/** `seconds`: how long the video is, where that is known. */
export function success(job: Job, videos: readonly Video[], now: number, seconds?: number): Change {
  const costUsd = finalCostUsd(job, seconds)
  return change(job, { view: { state: 'succeeded', progress: 100, completedAt: now, videos, costUsd }, now })
}

/** In place of texts that only the operator may read. */
const publicTexts: Partial<Record<FaultCode, string>> = {
  bad_credentials: 'This model is not available at the moment',
  no_credit: 'This model is not available at the moment',
  endpoint_gone: 'This model is not available at the moment',
  result_not_stored: 'The finished video could not be stored',
  submission_unknown: 'It cannot be told whether the upstream took the job; it was not sent again',
}
