import { createHash } from 'node:crypto'
import type { EndpointMapping, Order, Provider, ProviderName } from '../../providers/provider.ts'
import type { Attempt, Job } from './job.ts'
import { requireUpstream, type StepDeps } from './steps/deps.ts'

/**
 * The id of a job's n-th attempt: always the same, so that a purchase that is repeated because Redis forgot the first one is recognized by an upstream
 * that takes our id. In the shape of a UUID v4, which upstreams ask for.
 */
export function deriveAttemptId(job: string, provider: ProviderName, number: number): string {
  const hash = createHash('sha256').update(`${job}:${provider}:${number}`).digest()
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x40
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80
  const hex = hash.toString('hex', 0, 16)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** A reply may come this much later than the call's time limit. */
export const replyMarginMs = 2000

/** The number of a job's next attempt, from 1. */
export const nextAttemptNumber = ({ work }: Job): number => (work.attempts ?? 0) + 1

/** What the provider knows of an attempt when it builds a call. */
export function buildOrder(
  deps: Pick<StepDeps, 'callbackUrl' | 'upstreams'>,
  job: Job,
  attempt: Attempt,
): Order {
  const callbackUrl = deps.callbackUrl?.(job.view.id, job.callbackSecret)
  return {
    jobId: job.view.id,
    attempt: attempt.id,
    input: job.input,
    at: new Date(attempt.at),
    settings: deps.upstreams[attempt.provider].settings,
    ...(callbackUrl === undefined ? {} : { callbackUrl }),
  }
}

const placeholderAttempt = '00000000-0000-4000-8000-000000000000'

/**
 * Equal for jobs that ask an upstream for exactly the same; empty where the upstream tells our attempts apart by itself, or cannot be searched.
 */
export function fingerprintRequest(
  deps: Pick<StepDeps, 'upstreams'>,
  job: Job,
  provider: Provider,
  mapping: EndpointMapping,
): string {
  if (provider.find === undefined || provider.find.safeToResend) return ''
  const call = provider.submit(mapping, {
    jobId: '',
    attempt: placeholderAttempt,
    input: job.input,
    at: new Date(0),
    settings: deps.upstreams[provider.name].settings,
  })
  // Mock upstreams and real ones have no tasks in common.
  const environment = job.view.sandbox === true ? 'sandbox ' : ''
  return createHash('sha256')
    .update(environment + JSON.stringify(call))
    .digest('hex')
}

/** Who a task is claimed for when an attempt's reply names it. */
export function findClaimant(deps: StepDeps, job: Job, attempt: Attempt) {
  const { provider, mapping } = requireUpstream(deps, job.view.model, attempt.provider)
  return {
    provider,
    claimant: { job: job.view.id, fingerprint: fingerprintRequest(deps, job, provider, mapping) },
  }
}
