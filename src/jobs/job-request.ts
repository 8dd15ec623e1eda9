import type { Input } from '../../providers/input.ts'
import type { ProviderName } from '../../providers/provider.ts'
import type { MeteredPrice } from '../accounts/job-price.ts'
import { createRandomId } from '../text/random-id.ts'
import {
  type IdempotencyKey,
  type JobView,
  type JobWork,
  overdueAfterMs,
  type RequestedWebhook,
} from './job.ts'
import type { NewJobRecord } from './store/create-job.ts'

export type JobRequest = {
  id: string
  owner: string
  model: string
  input: Input
  /** Upstreams in the order in which they are tried. */
  route: readonly [ProviderName, ...ProviderName[]]
  /** Every upstream rejects its key; this job retries one. */
  retriesKey?: boolean
  deadlineSeconds: number
  /** The maximum cost: reserved now, settled when the job ends. */
  costUsd: number
  meter?: MeteredPrice
  sandbox: boolean
  conversationUUID?: string
  remixedFrom?: string
  /** The first request with this key creates a job; every later one gets the same result. */
  idempotencyKey?: IdempotencyKey
  /** Returned again with a replay, so they are stored only with an idempotency key. */
  warnings?: readonly string[]
  webhook?: RequestedWebhook
}

export function buildNewJobRecord(
  request: JobRequest,
  createdAt: number,
  longestJobSeconds: number,
): NewJobRecord {
  const view: JobView = {
    id: request.id,
    version: 1,
    model: request.model,
    state: 'pending',
    progress: 0,
    createdAt,
    costUsd: request.costUsd,
    ...(request.sandbox ? { sandbox: true } : {}),
    ...(request.conversationUUID === undefined ? {} : { conversationUUID: request.conversationUUID }),
    ...(request.remixedFrom === undefined ? {} : { remixedFrom: request.remixedFrom }),
  }
  const work: JobWork = {
    route: request.route,
    ...(request.retriesKey === true && { retriesKey: true }),
    deadlineAt: createdAt + Math.min(request.deadlineSeconds, longestJobSeconds) * 1000,
    refusals: 0,
    misses: 0,
    polls: 0,
    ...(request.meter === undefined ? {} : { meter: request.meter }),
  }
  return {
    view,
    owner: request.owner,
    input: request.input,
    work,
    callbackSecret: createRandomId(),
    dueAt: createdAt + overdueAfterMs,
    ...(request.idempotencyKey === undefined
      ? {}
      : { idempotencyKey: request.idempotencyKey, warnings: request.warnings ?? [] }),
    ...(request.webhook === undefined ? {} : { webhook: request.webhook }),
    queue: request.route[0],
  }
}
