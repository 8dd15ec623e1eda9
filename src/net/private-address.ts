import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** The only IPv6 addresses that are given out on the public internet. */
const globalIpv6 = ipaddr.IPv6.parse('2000::')

/** Whether an IP address leads anywhere but to the public internet: this machine, a private network, or a tunnel into one. */
export function isPrivateAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return true
  const parsed = ipaddr.parse(address)
  if (parsed.range() !== 'unicast') return true
  return parsed instanceof ipaddr.IPv6 && !parsed.match(globalIpv6, 3)
}

/** The IP address that a URL names outright; `undefined`: it names a host that has to be looked up. */
export function literalAddress({ hostname }: URL): string | undefined {
  const host = hostname.replace(/^\[|\]$/g, '')
  return isIP(host) === 0 ? undefined : host
}
