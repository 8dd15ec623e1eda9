import type { FaultCode } from '../../providers/faults.ts'
import type { Input } from '../../providers/input.ts'
import type { ProviderName, TaskReference, Video } from '../../providers/provider.ts'
import type { MeteredPrice } from '../accounts/job-price.ts'
import type { UploadedLinks } from '../media/inputs/upload-inputs.ts'

/** In the words of the public page; `submitting` is internal, clients see `pending`. */
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

/** What everybody may read of a job; stored ready-made, so that a status is one read. Times are unix milliseconds. */
export type JobView = {
  id: string
  /** Grows by one with every change. */
  version: number
  model: string
  state: JobState
  /** 0 to 100, never goes back. */
  progress: number
  /** When it is expected to end, from what is known of the model. */
  expectedAt?: number
  createdAt: number
  completedAt?: number
  /** Only when succeeded. `url` is absolute, or begins with a slash below the gateway's own address. */
  videos?: readonly Video[]
  /** Only when failed or canceled; fit for the client's eyes. */
  error?: { code: FaultCode; message: string }
  conversationUUID?: string
  /** The job whose video this one goes on from. */
  remixedFrom?: string
  costUsd: number
  /** Rendered by a stand-in upstream. */
  sandbox?: true
  /** How often an operator has adopted a task for the job after it had ended. Each adoption leads to another end. */
  adoptions?: number
}

/** What only the workers read; written with every step. */
export type JobWork = {
  /** The upstreams still to be tried, the current one first. */
  route: readonly ProviderName[]
  deadlineAt: number
  /** Set from the moment before the call that costs money. */
  attempt?: Attempt
  /** How many attempts have been made; absent: none. Their ids are derived from it. */
  attempts?: number
  /** Accepted to try a rejected key again: it does not wait for another job to do so. */
  retriesKey?: true
  ticket?: TaskReference
  /** Under which links the upstreams were handed our files, so that every later call names the same ones. */
  handed?: UploadedLinks
  /** Refusals in a row that may pass, since the current upstream came first. */
  refusals: number
  /** When the first of them was. */
  refusedAt?: number
  /** Calls in a row that told nothing about the job. */
  misses: number
  /** Polls in a row that were answered with: there is no such task. */
  denials?: number
  /** When the first of them was. */
  deniedSince?: number
  /** When the last look for a lost reply was announced. */
  lastCallAt?: number
  polls: number
  /** When the upstream took the job. */
  takenAt?: number
  /** When the upstream was asked to stop. */
  cancelSentAt?: number
  /** What the upstream has ready, while it is being fetched. */
  results?: readonly Video[]
  /** When the first step to fetch it began. */
  deliveringAt?: number
  /** Our own storage cannot take the result at the moment. For operators; `store` is what failed, as an error message. */
  storeFault?: { since: number; tries: number; store: string }
  /** How long earlier storage faults lasted, in ms. */
  storeFaultMs?: number
  /** How long the job has waited for a download slot of ours, in ms. */
  slotWaitMs?: number
  /** When the next attempt to fetch the result is due. */
  fetchDueAt?: number
  /** How long no worker of ours fetched the result although an attempt was due, in ms. */
  lateMs?: number
  /** What the upstream says that it took for the job. */
  upstreamCostUsd?: number
  /** Why the last step could not call the upstream: the process had no key for it. For operators. */
  missingKey?: string
  /** Where the price follows the real length: how, as it was when the job was accepted. */
  meter?: MeteredPrice
}

/** One purchase. `at`: unix ms. `again`: the same call was sent a second time, where that is safe. */
export type Attempt = { id: string; provider: ProviderName; at: number; again?: true }

/** A record as a step holds it. */
export type Job = {
  view: JobView
  owner: string
  input: Input
  work: JobWork
  /** A step that holds an old one writes nothing. */
  leaseToken: number
  cancelRequested: boolean
  /** The client was told that there is no such job. */
  withdrawn?: true
  /** The secret part of the capability URL that an upstream may call. */
  callbackSecret: string
  webhook?: Webhook
}

/** Where a job's end is told, and under which address its links are told there. */
export type Webhook = { url: string; baseUrl: string }

/** The same as a submit asks for it; without a URL it goes to where its owner's usually go, if there is such a place. */
export type RequestedWebhook = { url?: string; baseUrl: string }

/** An idempotency key, and what tells the request that it came with from others. */
export type IdempotencyKey = { key: string; fingerprint: string }

/** One entry of the audit trail. */
export type HistoryEntry = {
  at: number
  state: JobState
  progress: number
  provider?: ProviderName
  /** Why, where a state alone does not say. */
  reason?: string
}

/** `version`: of the job after this entry. */
export type VersionedHistoryEntry = { version: number; entry: HistoryEntry }

/** What was written down about a job after it had ended. It changes neither its state nor its version. */
export type JobNote = {
  at: number
  /** `late_result`: the upstream finished after all; `late_reply`: it had accepted the job (`text`: its task). The others are an operator's decisions on the money on hold. */
  kind: 'late_result' | 'late_reply' | 'charge' | 'release' | 'adopt'
  provider?: ProviderName
  /** Who decided. */
  by?: string
  /** For the operator's eyes only. */
  text?: string
}

/** A step that has not been taken this long after it was due is looked for by the sweep. */
export const overdueAfterMs = 5000
