import { hostname } from 'node:os'
import type { onRequestHookHandler } from 'fastify'
import { isLoopbackAddress, parseAddress } from '../../net/network-address.ts'
import { ApiError } from '../errors.ts'

/** A name, perhaps with the dot of the root at its end, an IPv4 or a bracketed IPv6 address, with or without a port. */
const hostPattern = /^(?:[a-z0-9](?:[\w.-]*[a-z0-9])?\.?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i

/** No public DNS server gives these names an address, so no stranger can own one. */
const privateSuffixes = ['.localhost', '.local', '.internal', '.lan', '.home.arpa', '.localdomain']

/** How containers call the machine that they run on. */
const containerHostNames = ['host.docker.internal', 'host.containers.internal']

const privateRanges = ['loopback', 'private', 'uniqueLocal', 'linkLocal', 'carrierGradeNat', 'unspecified']

/** Whether a text may stand in a link as its host. */
export function isHost(host: string): boolean {
  return hostPattern.test(host) && URL.canParse(`http://${host}`)
}

/** The name or address in a `Host` header as browsers see it; `undefined`: it is malformed. */
export function parseHostname(host: string): string | undefined {
  if (!isHost(host)) return undefined
  return new URL(`http://${host}`).hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
}

/** Whether a name or address means the machine that it is used on. */
export function isLoopbackName(name: string): boolean {
  if (name === 'localhost' || name.endsWith('.localhost')) return true
  return containerHostNames.includes(name) || isLoopbackAddress(name)
}

/** Whether a `Host` is ours or of our own network, so that a link to it leads to no stranger. */
export function isPrivateHost(host: string, localAddress = ''): boolean {
  const name = parseHostname(host)
  if (name === undefined) return false
  const address = parseAddress(name)
  if (address !== undefined) {
    return (
      privateRanges.includes(address.range()) || address.toString() === parseAddress(localAddress)?.toString()
    )
  }
  const isPrivate = !name.includes('.') || privateSuffixes.some((suffix) => name.endsWith(suffix))
  return isPrivate || name === hostname().toLowerCase()
}

/** HTTP/1.1 requires a `Host`. Node would refuse a request without one, but with an empty reply. */
export const requireHost: onRequestHookHandler = ({ raw }, _reply, done) => {
  if (raw.headers.host !== undefined || raw.httpVersion === '1.0') done()
  else done(new ApiError('invalid_request', 'The `Host` header is missing', { param: 'Host' }))
}
