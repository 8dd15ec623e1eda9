import type { FaultCode } from '../../providers/faults.ts'
import type { Input } from '../../providers/input.ts'
import type { ProviderName, TaskReference, Video } from '../../providers/provider.ts'
import type { MeteredPrice } from '../accounts/job-price.ts'
import type { UploadedLinks } from '../media/inputs/upload-inputs.ts'

/** The documented states. `submitting` is internal: clients see `pending`. */
export const jobStates = [
  'pending',
  'submitting',
  'queued',
  'processing',
  'generating',
  'delivering',
  'succeeded',
  'failed',
  'canceled',
] as const

/** The states that clients read: `submitting` is internal. */
export const publicStates = jobStates.filter((state) => state !== 'submitting')

export type JobState = (typeof jobStates)[number]

export function isTerminal(state: JobState): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'canceled'
}

/** The part of a job that clients may see. It is stored as it is read, so that a status request is one read. Times are unix ms. */
export type JobView = {
  id: string
  /** Grows by one with every change. */
  version: number
  model: string
  state: JobState
  /** 0 to 100, never decreases. */
  progress: number
  /** Expected end, from the model's render time. */
  expectedAt?: number
  createdAt: number
  completedAt?: number
  /** Only if succeeded. `url` is absolute, or a path on this gateway. */
  videos?: readonly Video[]
  /** Only if failed or canceled; the message is for the client. */
  error?: { code: FaultCode; message: string }
  conversationUUID?: string
  /** The job whose video this one continues. */
  remixedFrom?: string
  costUsd: number
  /** Rendered by a mock upstream. */
  sandbox?: true
  /** How often an operator has resumed the ended job with a task of its upstream. The job then ends again. */
  adoptions?: number
}

/** The part of a job that only workers read; written by every step. */
export type JobWork = {
  /** The remaining upstreams, the current one first. */
  route: readonly ProviderName[]
  deadlineAt: number
  /** Set before the call that costs money. */
  attempt?: Attempt
  /** Number of attempts; absent: 0. Attempt IDs are derived from it. */
  attempts?: number
  /** The job retries a rejected key instead of waiting for another job to do so. */
  retriesKey?: true
  /** The upstream's reference to the task. */
  ticket?: TaskReference
  /** The links of uploaded inputs, so that every later call uses the same ones. */
  handed?: UploadedLinks
  /** Temporary rejections in a row by the current upstream. */
  refusals: number
  /** Time of the first of these rejections. */
  refusedAt?: number
  /** Calls in a row whose reply said nothing about the job. */
  misses: number
  /** Polls in a row that reported the task unknown. */
  denials?: number
  /** Time of the first of these polls. */
  deniedSince?: number
  /** When the job began its final wait for a lost reply. */
  lastCallAt?: number
  polls: number
  /** When the upstream accepted the job. */
  takenAt?: number
  /** When the cancel was sent to the upstream. */
  cancelSentAt?: number
  /** The upstream's finished videos, during delivery. */
  results?: readonly Video[]
  /** When delivery began. */
  deliveringAt?: number
  /** Our storage does not accept the result at the moment. For operators; `store` is the error message. */
  storeFault?: { since: number; tries: number; store: string }
  /** Total duration of earlier storage faults, ms. */
  storeFaultMs?: number
  /** Time spent waiting for a download slot, ms. */
  slotWaitMs?: number
  /** When the next download attempt is due. */
  fetchDueAt?: number
  /** How long no worker downloaded the result although an attempt was due, ms. */
  lateMs?: number
  /** The cost that the upstream reported. */
  upstreamCostUsd?: number
  /** Why the last step could not call the upstream: its process had no key. For operators. */
  missingKey?: string
  /** Only if the price depends on the length of the video: the rates when the job was accepted. */
  meter?: MeteredPrice
}

/** One purchase. `at`: unix ms. `again`: the same call was sent a second time, because the upstream makes that safe. */
export type Attempt = { id: string; provider: ProviderName; at: number; again?: true }

/** A record as a step has claimed it. */
export type Job = {
  view: JobView
  owner: string
  input: Input
  work: JobWork
  /** A step with an outdated token writes nothing. */
  leaseToken: number
  cancelRequested: boolean
  /** The client received an error for its submit. */
  withdrawn?: true
  /** The secret in the capability URL that an upstream may call. */
  callbackSecret: string
  webhook?: Webhook
}

/** Where the result of a job is delivered. `baseUrl`: the address of this gateway in its links. */
export type Webhook = { url: string; baseUrl: string }

/** A webhook as requested; without a URL, the owner's default webhook is used, if there is one. */
export type RequestedWebhook = { url?: string; baseUrl: string }

/** An idempotency key and a fingerprint of its request. */
export type IdempotencyKey = { key: string; fingerprint: string }

/** One entry of the history. */
export type HistoryEntry = {
  at: number
  state: JobState
  progress: number
  provider?: ProviderName
  /** The cause, if the state alone does not show it. */
  reason?: string
}

/** `version`: of the job after this entry. */
export type VersionedHistoryEntry = { version: number; entry: HistoryEntry }

/** A note on a job that has ended. It changes neither its state nor its version. */
export type JobNote = {
  at: number
  /**
   * `late_result`: the upstream finished after all; `late_reply`: it had accepted the job (`text`: its task). The others are an operator's decisions
   * on the money on hold.
   */
  kind: 'late_result' | 'late_reply' | 'charge' | 'release' | 'adopt'
  provider?: ProviderName
  /** Who decided. */
  by?: string
  /** For the operator's eyes only. */
  text?: string
}

/** The sweep requeues a step that has not run this long after it was due. */
export const overdueAfterMs = 5000
