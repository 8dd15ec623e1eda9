import type { FastifyRequest } from 'fastify'
import { parseAddress } from '../../net/network-address.ts'
import { ApiError } from '../errors.ts'
import { clientAddressOf } from '../requests/forwarded.ts'

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
const maxAddresses = 10_000

/** Counts failed attempts per minute and client address in this process, each kind separately. Requests with valid secrets are never limited. */
export function createFailureCounters(limits: FailureLimits, now = Date.now) {
  return {
    admin: createCounter(limits.admin, now),
    key: createCounter(limits.key, now),
    callback: createCounter(limits.callback, now),
  }
}

function createCounter(maxPerMinute: number, now: () => number): CountFailure {
  let failures = new Map<string, number>()
  let endsAt = 0
  return (request, error) => {
    if (now() >= endsAt) {
      failures = new Map()
      endsAt = now() + windowMs
    }
    const clientNetwork = networkOf(clientAddressOf(request))
    const counterName = failures.has(clientNetwork) || failures.size < maxAddresses ? clientNetwork : 'others'
    const count = (failures.get(counterName) ?? 0) + 1
    failures.set(counterName, count)
    if (count <= maxPerMinute) return error
    const retryAfterSeconds = Math.max(1, Math.ceil((endsAt - now()) / 1000))
    const message = `More than ${maxPerMinute} failed attempts per minute; try again in ${retryAfterSeconds} s`
    return new ApiError('rate_limit_exceeded', message, {
      headers: { 'Retry-After': String(retryAfterSeconds) },
    })
  }
}

/** A client may use many IPv6 addresses of one network, so they are counted together. */
function networkOf(address: string): string {
  const parsed = parseAddress(address)
  if (parsed?.kind() !== 'ipv6') return address
  return parsed.toByteArray().slice(0, 8).join('.')
}
