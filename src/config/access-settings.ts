import { type AddressTest, parseAddressRanges } from '../net/network-address.ts'
import type { Reader } from './reader.ts'

/** Whether an address is a proxy whose forwarding headers are trusted. `hop`: its position, counted from the gateway outwards. */
export type TrustProxy = (address: string, hop: number) => boolean

/** Failures per minute and client address. */
export const defaultFailureLimits = { admin: 120, key: 1200, callback: 120 }

export const defaultKeysCommand = 'npm run keys --'

/** It must not be guessable. */
const minAdminKeyLength = 16

export function readAccessSettings(read: Reader) {
  const adminKey = read.secret('ADMIN_KEY')
  if (adminKey !== undefined && adminKey.length < minAdminKeyLength)
    read.problems.push(`ADMIN_KEY must have at least ${minAdminKeyLength} characters`)
  return {
    auth: read.choice('AUTH', ['keys', 'off'], 'keys'),
    adminKey,
    /** Origins of web pages that may use the gateway without an API key, or `*`. */
    allowedOrigins: readOrigins(read),
    trustProxy: readTrustProxy(read),
    /** Failures per minute and client address, after which further failures get 429. */
    failedAttempts: {
      admin: read.integer('FAILED_ADMIN_KEY_RPM', defaultFailureLimits.admin, 1, 1_000_000),
      key: read.integer('FAILED_API_KEY_RPM', defaultFailureLimits.key, 1, 1_000_000),
      callback: read.integer('FAILED_CALLBACK_RPM', defaultFailureLimits.callback, 1, 1_000_000),
    },
    /** Requests per minute per API key. */
    rateLimits: {
      submit: read.integer('SUBMIT_RPM', 50, 1, 1_000_000),
      recover: read.integer('RECOVER_RPM', 20, 1, 1_000_000),
      extend: read.integer('EXTEND_RPM', 20, 1, 1_000_000),
      library: read.integer('LIBRARY_RPM', 60, 1, 1_000_000),
    },
    /** How the command for API keys is run in this installation; error messages show it. */
    keysCommand: read.text('KEYS_COMMAND') ?? defaultKeysCommand,
  }
}

function readOrigins(read: Reader): readonly string[] {
  return splitList(read.text('ALLOWED_ORIGINS')).map((entry) => {
    const url = URL.canParse(entry) ? new URL(entry) : undefined
    // `URL.origin` is "null" for the schemes of browser extensions.
    const origin = url === undefined ? entry : `${url.protocol}//${url.host}`
    const isOrigin = url !== undefined && url.host !== '' && url.href.replace(/\/$/, '') === origin
    if (entry !== '*' && !isOrigin) {
      read.problems.push(
        `ALLOWED_ORIGINS must be origins such as https://app.example.com separated by commas, or *; it contains "${entry}"`,
      )
    }
    return origin
  })
}

function readTrustProxy(read: Reader): TrustProxy {
  const value = (read.text('TRUST_PROXY') ?? 'loopback').toLowerCase()
  if (['off', 'false', 'no'].includes(value)) return () => false
  if (['all', 'on', 'true', 'yes'].includes(value)) return () => true
  if (/^\d+$/.test(value)) return (_, hop) => hop < Number(value)
  const includes: AddressTest | undefined = parseAddressRanges(splitList(value))
  if (includes !== undefined) return includes
  read.problems.push(
    `TRUST_PROXY must be off, all, a number of proxies, or addresses and ranges separated by commas (10.0.0.0/8, loopback, linklocal, uniquelocal); it is "${value}"`,
  )
  return () => false
}

function splitList(value = ''): string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}
