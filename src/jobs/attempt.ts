import { createHash } from 'node:crypto'
import type { Offer, Order, Provider, ProviderName } from '../../providers/provider.ts'
import type { Attempt, Job } from './job.ts'
import { type Parts, upstreamOf } from './steps/deps.ts'

/**
 * The id of a job's n-th attempt: always the same, so that a purchase that is repeated because Redis forgot the first one is recognized by an upstream
 * that takes our id. In the shape of a UUID v4, which upstreams ask for.
 */
export function attemptId(job: string, provider: ProviderName, number: number): string {
  const hash = createHash('sha256').update(`${job}:${provider}:${number}`).digest()
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x40
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80
  const hex = hash.toString('hex', 0, 16)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** A reply may come this much later than the call's time limit. */
export const replyMarginMs = 2000

/** The number of a job's next attempt, from 1. */
export const nextAttempt = ({ work }: Job): number => (work.attempts ?? 0) + 1

/** What the provider knows of an attempt when it builds a call. */
export function orderOf(parts: Pick<Parts, 'hintUrl' | 'upstreams'>, job: Job, attempt: Attempt): Order {
  const hintUrl = parts.hintUrl?.(job.view.id, job.hint)
  return {
    jobId: job.view.id,
    attempt: attempt.id,
    input: job.input,
    at: new Date(attempt.at),
    settings: parts.upstreams[attempt.provider].settings,
    ...(hintUrl === undefined ? {} : { hintUrl }),
  }
}

const anyAttempt = '00000000-0000-4000-8000-000000000000'

/**
 * Equal for jobs that ask an upstream for exactly the same; empty where the upstream tells our attempts apart by itself, or cannot be searched.
 */
export function fingerprintOf(
  parts: Pick<Parts, 'upstreams'>,
  job: Job,
  provider: Provider,
  offer: Offer,
): string {
  if (provider.find === undefined || provider.find.safeToResend) return ''
  const call = provider.submit(offer, {
    jobId: '',
    attempt: anyAttempt,
    input: job.input,
    at: new Date(0),
    settings: parts.upstreams[provider.name].settings,
  })
  // Mock upstreams and real ones have no tasks in common.
  const where = job.view.sandbox === true ? 'sandbox ' : ''
  return createHash('sha256')
    .update(where + JSON.stringify(call))
    .digest('hex')
}

/** Who a task is claimed for when an attempt's reply names it. */
export function claimantOf(parts: Parts, job: Job, attempt: Attempt) {
  const { provider, offer } = upstreamOf(parts, job.view.model, attempt.provider)
  return { provider, claimant: { job: job.view.id, fingerprint: fingerprintOf(parts, job, provider, offer) } }
}
