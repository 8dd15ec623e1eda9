import { isPrivateAddress, literalAddress } from '../net/private-address.ts'

const longestUrl = 2048

/** Why a webhook cannot go to an address, as far as the address alone tells; its name is looked up when something is sent. */
export function problemOf(told: unknown, { inward }: { inward: boolean }): string | undefined {
  if (typeof told !== 'string' || !URL.canParse(told)) return 'must be an http(s) address'
  const url = new URL(told)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'must be an http(s) address'
  if (told.length > longestUrl) return `must not be longer than ${longestUrl} characters`
  if (url.username !== '' || url.password !== '') return 'must not hold a user name or a password'
  if (inward) return undefined
  const literal = literalAddress(url)
  const local = /(^|\.)localhost\.?$/i.test(url.hostname)
  return local || (literal !== undefined && isPrivateAddress(literal))
    ? 'must be a public address'
    : undefined
}
