import { createHash } from 'node:crypto'
import type { EndpointMapping, Order, Provider, ProviderName } from '../../providers/provider.ts'
import type { ProviderConfig } from '../config/provider-settings.ts'
import type { Routing } from '../upstreams/routing.ts'
import type { Attempt, Job } from './job.ts'

type AttemptDeps = {
  routing: Pick<Routing, 'find'>
  upstreams: Readonly<Record<ProviderName, ProviderConfig>>
  /** The capability URL that the upstream may call for a job; absent without a public address. */
  callbackUrl?(id: string, secret: string): string
}

/**
 * The ID of a job's n-th attempt. It is deterministic: if a purchase is repeated because Redis lost the first one, an upstream that accepts our ID
 * recognizes it. Upstreams require the format of a UUID v4.
 */
export function deriveAttemptId(job: string, provider: ProviderName, number: number): string {
  const hash = createHash('sha256').update(`${job}:${provider}:${number}`).digest()
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x40
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80
  const hex = hash.toString('hex', 0, 16)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** A reply may arrive this long after the call's time limit. */
export const replyMarginMs = 2000

/** The number of a job's next attempt, from 1. */
export const nextAttemptNumber = ({ work }: Job): number => (work.attempts ?? 0) + 1

/** The provider's input for a call of this attempt. */
export function buildOrder(
  deps: Pick<AttemptDeps, 'callbackUrl' | 'upstreams'>,
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

/** Equal for jobs that send an upstream the same request. Empty if the upstream identifies our attempts itself, or cannot be searched. */
export function fingerprintRequest(
  deps: Pick<AttemptDeps, 'upstreams'>,
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
  // Mock upstreams and real ones share no tasks.
  const environment = job.view.sandbox === true ? 'sandbox ' : ''
  return createHash('sha256')
    .update(environment + JSON.stringify(call))
    .digest('hex')
}

/** The upstream that has a job. Throws if an operator removed it while the job was running. */
export function requireUpstream(
  { routing, upstreams }: Pick<AttemptDeps, 'routing' | 'upstreams'>,
  model: string,
  name: ProviderName,
) {
  const upstream = routing.find({ id: model }, name)
  if (upstream === undefined) throw new Error(`${name} no longer renders ${model}`)
  return { ...upstream, config: upstreams[name] }
}

/** For whom a task is claimed that an attempt's reply names. */
export function findClaimant(deps: Pick<AttemptDeps, 'routing' | 'upstreams'>, job: Job, attempt: Attempt) {
  const { provider, mapping } = requireUpstream(deps, job.view.model, attempt.provider)
  return {
    provider,
    claimant: { job: job.view.id, fingerprint: fingerprintRequest(deps, job, provider, mapping) },
  }
}
