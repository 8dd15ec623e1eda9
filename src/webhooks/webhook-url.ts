import { isPrivateAddress, literalAddress } from '../net/private-address.ts'

const maxUrlLength = 2048

/** Explains why a webhook URL is invalid; `undefined`: it is valid. Does not resolve the host name: that is checked at each delivery. */
export function findUrlProblem(
  value: unknown,
  { allowPrivateNetworks }: { allowPrivateNetworks: boolean },
): string | undefined {
  if (typeof value !== 'string' || !URL.canParse(value)) return 'must be an http(s) address'
  const url = new URL(value)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'must be an http(s) address'
  if (value.length > maxUrlLength) return `must not be longer than ${maxUrlLength} characters`
  if (url.username !== '' || url.password !== '') return 'must not hold a user name or a password'
  if (allowPrivateNetworks) return undefined
  const literalIp = literalAddress(url)
  const isLocalhost = /(^|\.)localhost\.?$/i.test(url.hostname)
  return isLocalhost || (literalIp !== undefined && isPrivateAddress(literalIp))
    ? 'must be a public address'
    : undefined
}
