import type { FastifyRequest } from 'fastify'
import { parseAddress } from '../network-address.ts'
import { ApiError } from './errors.ts'
import { clientAddressOf } from './forwarded.ts'

export type FailureLimits = Readonly<Record<'admin' | 'key' | 'callback', number>>

/** Counts the failure and returns the error to reply with: the given one, or 429 after too many. */
type CountFailure = (request: FastifyRequest, error: ApiError) => ApiError

declare module 'fastify' {
  interface FastifyInstance {
    countFailure: Readonly<Record<keyof FailureLimits, CountFailure>>
  }
}

const windowMs = 60_000
/** Addresses beyond these share one counter. */
const mostAddresses = 10_000

/** Failures per minute and client address, each kind for itself, in this process. Valid secrets are not asked for at all. */
export function createFailureCounters(limits: FailureLimits, now = Date.now) {
  return {
    admin: createCounter(limits.admin, now),
    key: createCounter(limits.key, now),
    callback: createCounter(limits.callback, now),
  }
}

function createCounter(perMinute: number, now: () => number): CountFailure {
  let failures = new Map<string, number>()
  let endsAt = 0
  return (request, error) => {
    if (now() >= endsAt) {
      failures = new Map()
      endsAt = now() + windowMs
    }
    const address = networkOf(clientAddressOf(request))
    const counter = failures.has(address) || failures.size < mostAddresses ? address : 'others'
    const count = (failures.get(counter) ?? 0) + 1
    failures.set(counter, count)
    if (count <= perMinute) return error
    const seconds = Math.max(1, Math.ceil((endsAt - now()) / 1000))
    const message = `More than ${perMinute} failed attempts per minute; try again in ${seconds} s`
    return new ApiError('rate_limit_exceeded', message, { headers: { 'Retry-After': String(seconds) } })
  }
}

/** One client has many addresses of IPv6, all of one network. */
function networkOf(text: string): string {
  const address = parseAddress(text)
  if (address?.kind() !== 'ipv6') return text
  return address.toByteArray().slice(0, 8).join('.')
}
