import { lookup as lookUpName } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { Agent, type Dispatcher, request } from 'undici'
import { isPrivateAddress, literalAddress } from './private-address.ts'

/** Thrown for an address that must not be called. A retry does not help, unless the name resolves to another address next time. */
export class AddressRefused extends Error {
  override name = 'AddressRefused'
  readonly code = 'ADDRESS_REFUSED'
  readonly isLookedUp: boolean
  constructor(message: string, { isLookedUp = false } = {}) {
    super(message)
    this.isLookedUp = isLookedUp
  }
}

const maxRedirects = 5
const connectTimeoutMs = 10_000
/** How long may pass without a byte. */
const idleTimeoutMs = 60_000

export type FetchOptions = {
  method?: 'GET' | 'HEAD' | 'POST'
  headers?: Readonly<Record<string, string>>
  body?: string
  signal?: AbortSignal
  /** How many are followed; one more is an error. */
  redirects?: number
}

export type SafeFetch = ReturnType<typeof createSafeFetch>

/**
 * The only client for addresses that come from outside. Rejects private addresses, after name resolution and after each redirect.
 * `trusted` are the origins that the operator configured. The reader of a body has to count its bytes.
 */
export function createSafeFetch({
  trustedUrls = [],
  allowPrivateNetworks = false,
  lookup = lookUpName as LookupFunction,
}: {
  trustedUrls?: readonly string[]
  /** Nothing is refused. */
  allowPrivateNetworks?: boolean
  lookup?: LookupFunction
}) {
  const trustedOrigins = new Set(trustedUrls.map((url) => new URL(url).origin))
  // Over HTTP/2, undici may repeat a call by itself; a webhook would be delivered twice.
  const agentOptions = { allowH2: false, bodyTimeout: idleTimeoutMs, headersTimeout: idleTimeoutMs }
  const directAgent = new Agent({ ...agentOptions, connect: { timeout: connectTimeoutMs } })
  const publicOnlyAgent = new Agent({
    ...agentOptions,
    connect: { timeout: connectTimeoutMs, lookup: rejectPrivateAddresses(lookup) },
  })

  function dispatcherFor(url: URL): Agent {
    if (url.protocol !== 'http:' && url.protocol !== 'https:')
      throw new AddressRefused(`${url.protocol} links are not followed`)
    if (allowPrivateNetworks || trustedOrigins.has(url.origin)) return directAgent
    const ipAddress = literalAddress(url)
    if (ipAddress !== undefined && isPrivateAddress(ipAddress))
      throw new AddressRefused(`${url.hostname} is no public address`)
    return publicOnlyAgent
  }

  async function fetchUrl(link: string, options: FetchOptions = {}): Promise<Dispatcher.ResponseData> {
    const { method = 'GET', headers = {}, body, signal, redirects = maxRedirects } = options
    if (!URL.canParse(link)) throw new AddressRefused('the link is not a web address')
    const url = new URL(link)
    const response = await request(url, {
      dispatcher: dispatcherFor(url),
      method,
      headers,
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    })
    const { location } = response.headers
    if (![301, 302, 303, 307, 308].includes(response.statusCode) || typeof location !== 'string')
      return response
    await response.body.dump()
    if (redirects === 0) throw new Error('the link redirects too often')
    if (!URL.canParse(location, url.href))
      throw new AddressRefused('the link redirects to what is no web address')
    return fetchUrl(new URL(location, url).href, { ...options, redirects: redirects - 1 })
  }

  return {
    /** Rejects with `AddressRefused` for a private address. */
    fetch: fetchUrl,
    async close(): Promise<void> {
      await Promise.all([directAgent.close(), publicOnlyAgent.close()])
    },
  }
}

/** A look-up that fails where any of a name's addresses leads inward. It is the connection's own, so nothing can change in between. */
function rejectPrivateAddresses(lookup: LookupFunction): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, options, (error, result, family) => {
      if (error !== null) return callback(error, result, family)
      const addresses = Array.isArray(result) ? result.map(({ address }) => address) : [result]
      if (addresses.length > 0 && !addresses.some(isPrivateAddress)) return callback(null, result, family)
      callback(new AddressRefused(`${hostname} has no public address`, { isLookedUp: true }), result, family)
    })
  }
}
