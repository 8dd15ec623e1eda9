import type { FastifyRequest, onRequestHookHandler } from 'fastify'
import type { AccessMode, Authenticator } from '../../accounts/access.ts'
import { createKeyCommand, type KeyHelp } from '../../accounts/key-messages.ts'
import { ApiError } from '../errors.ts'
import { isLoopbackName, isPrivateHost, parseHostname } from '../requests/host.ts'

export type OriginPolicy = {
  /** Whether the gateway listens on loopback only, so that any other `Host` is wrong. */
  isLoopback: boolean
  /** Origins of web pages, or `*`. */
  allowedOrigins: readonly string[]
  publicUrl?: string | undefined
}

type Deps = { authenticator: Pick<Authenticator, 'readAccessMode'>; policy: OriginPolicy; help: KeyHelp }

/** A web page may show a file whose link it knows. */
const fileRoutes = ['/files/:name', '/media/*']
/** Routes whose address contains a secret, or whose reply only says that the gateway runs. */
const unguardedRoutes = [...fileRoutes, '/hooks/:id/:secret', '/health', '/ready']

/**
 * A hook for gateways without API keys, which any web page could use through the browser of a legitimate user. It rejects requests of other
 * origins, and hides the replies of unguarded routes from them. With API keys every origin is allowed, as a foreign page has no key.
 */
export function createOriginGuard({ authenticator, policy, help }: Deps): onRequestHookHandler {
  return (request, reply, done) => {
    const { url = '' } = request.routeOptions
    if (fileRoutes.includes(url) || findProblem(request, policy) === undefined) {
      done()
      return
    }
    const hideReply = () => reply.removeHeader('Access-Control-Allow-Origin')
    const decide = (access: AccessMode) => {
      const problem = needsGuard(access) ? findProblem(request, policy, access) : undefined
      if (problem === undefined) return done()
      hideReply()
      const isAllowed = unguardedRoutes.includes(url) || isPageVisit(request, url)
      done(isAllowed ? undefined : originError(problem, access, help))
    }
    const access = authenticator.readAccessMode()
    if (!(access instanceof Promise)) decide(access)
    else {
      access.then(decide, (cause: Error) => {
        hideReply()
        done(unguardedRoutes.includes(url) ? undefined : cause)
      })
    }
  }
}

/** The same check for requests that match no route: whether a web page of another origin may have sent it and must not read the reply. */
export function mustHideReply(
  request: FastifyRequest,
  { authenticator, policy }: Omit<Deps, 'help'>,
): boolean {
  if (findProblem(request, policy) === undefined) return false
  const access = authenticator.readAccessMode()
  if (!(access instanceof Promise)) return needsGuard(access)
  access.catch(() => undefined)
  return true
}

function needsGuard(access: AccessMode): boolean {
  return access === 'off' || access === 'anonymous'
}

type OriginProblem = 'host' | 'origin' | 'site'

/** Why a request may come from a web page of another origin. */
function findProblem(
  { headers, method }: FastifyRequest,
  policy: OriginPolicy,
  access?: AccessMode,
): OriginProblem | undefined {
  const { host, origin, 'sec-fetch-site': site } = headers
  if (policy.allowedOrigins.includes('*')) return undefined
  // HTTP/1.0 has no Host header; browsers do not use it.
  if (policy.isLoopback && host !== undefined && !isAllowedHost(host, policy, access)) return 'host'
  if (origin !== undefined) return isAllowedOrigin(origin, host, policy) ? undefined : 'origin'
  if (site === 'cross-site') return 'site'
  return site === 'same-site' && method !== 'GET' && method !== 'HEAD' ? 'site' : undefined
}

/** The public address is allowed only where the operator turned authentication off. */
function isAllowedHost(
  host: string,
  { allowedOrigins, publicUrl }: OriginPolicy,
  access?: AccessMode,
): boolean {
  const names = allowedOrigins.map((origin) => origin.split('://')[1])
  if (access === 'off' && publicUrl !== undefined) names.push(new URL(publicUrl).host)
  return isLoopbackHost(host) || names.includes(host.toLowerCase())
}

function isLoopbackHost(host: string): boolean {
  const name = parseHostname(host)
  return name !== undefined && isLoopbackName(name)
}

function isAllowedOrigin(origin: string, host: string | undefined, policy: OriginPolicy): boolean {
  const { allowedOrigins, publicUrl, isLoopback } = policy
  const url = URL.canParse(origin) ? new URL(origin) : undefined
  if (url === undefined) return false
  if (allowedOrigins.includes(`${url.protocol}//${url.host}`)) return true
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return false
  if (isLoopbackHost(url.host) || url.origin === toOrigin(publicUrl)) return true
  // An attacker can point a public name here (DNS rebinding), but not a private name or address.
  return !isLoopback && url.host === host?.toLowerCase() && isPrivateHost(url.host)
}

function toOrigin(url: string | undefined): string | undefined {
  return url === undefined ? undefined : new URL(url).origin
}

/** A person opens the documentation, which contains no data of anybody. */
function isPageVisit({ headers, method }: FastifyRequest, url: string): boolean {
  return (
    /^\/docs(\/|$)/.test(url) &&
    method === 'GET' &&
    headers.origin === undefined &&
    headers['sec-fetch-mode'] === 'navigate' &&
    headers['sec-fetch-dest'] === 'document'
  )
}

function originError(problem: OriginProblem, access: AccessMode, keyHelp: KeyHelp): ApiError {
  const reason =
    access === 'off'
      ? 'This gateway requires no API key (AUTH=off)'
      : 'This gateway requires no API key yet, because none exists'
  const effect =
    problem === 'host'
      ? 'rejects requests for hosts other than localhost and 127.0.0.1'
      : 'rejects requests of web pages from other origins'
  const keyAdvice = `${access === 'off' ? 'set AUTH=keys and create' : 'create'} an API key with: ${createKeyCommand(keyHelp)}`
  const message = `${reason}, so it ${effect}. Either ${keyAdvice}. Or name the origin in ALLOWED_ORIGINS`
  return new ApiError('api_key_origin_not_allowed', message)
}
