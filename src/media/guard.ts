import { lookup as lookUpName } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { Agent, type Dispatcher, request } from 'undici'
import { isInward, literalAddress } from './address.ts'

/** Thrown for an address that may not be asked. Asking again would not help, unless it comes of a look-up: a name may lead elsewhere next time. */
export class AddressRefused extends Error {
  override name = 'AddressRefused'
  readonly code = 'ADDRESS_REFUSED'
  readonly isLookedUp: boolean
  constructor(message: string, { isLookedUp = false } = {}) {
    super(message)
    this.isLookedUp = isLookedUp
  }
}

const redirectsFollowed = 5
const connectMs = 10_000
/** How long may pass without a byte. */
const silenceMs = 60_000

export type Ask = {
  method?: 'GET' | 'HEAD' | 'POST'
  headers?: Readonly<Record<string, string>>
  body?: string
  signal?: AbortSignal
  /** How many are followed; one more is an error. */
  redirects?: number
}

export type Guard = ReturnType<typeof createGuard>

/**
 * The one way to ask addresses that come from outside. Refuses what leads inward, after the look-up of the name and after each redirect.
 * `trusted` are the origins that the operator configured. The reader of a body has to count its bytes.
 */
export function createGuard({
  trusted = [],
  inward = false,
  lookup = lookUpName as LookupFunction,
}: {
  trusted?: readonly string[]
  /** Nothing is refused. */
  inward?: boolean
  lookup?: LookupFunction
}) {
  const origins = new Set(trusted.map((url) => new URL(url).origin))
  const limits = { bodyTimeout: silenceMs, headersTimeout: silenceMs }
  const plain = new Agent({ ...limits, connect: { timeout: connectMs } })
  const guarded = new Agent({ ...limits, connect: { timeout: connectMs, lookup: outwardOnly(lookup) } })

  function dispatcherFor(url: URL): Agent {
    if (url.protocol !== 'http:' && url.protocol !== 'https:')
      throw new AddressRefused(`${url.protocol} links are not followed`)
    if (inward || origins.has(url.origin)) return plain
    const literal = literalAddress(url)
    if (literal !== undefined && isInward(literal))
      throw new AddressRefused(`${url.hostname} is no public address`)
    return guarded
  }

  async function ask(address: string, asked: Ask = {}): Promise<Dispatcher.ResponseData> {
    const { method = 'GET', headers = {}, body, signal, redirects = redirectsFollowed } = asked
    if (!URL.canParse(address)) throw new AddressRefused('the link is not a web address')
    const url = new URL(address)
    const answer = await request(url, {
      dispatcher: dispatcherFor(url),
      method,
      headers,
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    })
    const { location } = answer.headers
    if (![301, 302, 303, 307, 308].includes(answer.statusCode) || typeof location !== 'string') return answer
    await answer.body.dump()
    if (redirects === 0) throw new Error('the link redirects too often')
    if (!URL.canParse(location, url.href))
      throw new AddressRefused('the link redirects to what is no web address')
    return ask(new URL(location, url).href, { ...asked, redirects: redirects - 1 })
  }

  return {
    /** Rejects with `AddressRefused` for what may not be asked. */
    ask,
    async close(): Promise<void> {
      await Promise.all([plain.close(), guarded.close()])
    },
  }
}

/** A look-up that fails where any of a name's addresses leads inward. It is the connection's own, so nothing can change in between. */
function outwardOnly(lookup: LookupFunction): LookupFunction {
  return (hostname, options, done) => {
    lookup(hostname, options, (error, found, family) => {
      if (error !== null) return done(error, found, family)
      const addresses = Array.isArray(found) ? found.map(({ address }) => address) : [found]
      if (addresses.length > 0 && !addresses.some(isInward)) return done(null, found, family)
      done(new AddressRefused(`${hostname} has no public address`, { isLookedUp: true }), found, family)
    })
  }
}
