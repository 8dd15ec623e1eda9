import type { FastifyRequest, onRequestHookHandler } from 'fastify'
import type { AccessMode, Authenticator } from '../../accounts/access.ts'
import { createKeyCommand, type KeyHelp } from '../../accounts/key-messages.ts'
import { ApiError } from '../errors.ts'
import { isLoopbackName, isPrivateHost, parseHostname } from '../requests/host.ts'

export type OriginPolicy = {
  /** Whether only this machine reaches the gateway, so that no other `Host` can be meant. */
  isLoopback: boolean
  /** Origins of web pages, or `*`. */
  allowedOrigins: readonly string[]
  publicUrl?: string | undefined
}

type Deps = { accounts: Pick<Authenticator, 'readAccessMode'>; policy: OriginPolicy; help: KeyHelp }

/** Any page may show a file whose link it knows. */
const fileRoutes = ['/files/:name', '/media/*']
/** Each call names a secret, or learns no more than that the gateway runs. */
const unguardedRoutes = [...fileRoutes, '/hooks/:id/:secret', '/health', '/ready']

/**
 * While no key is asked for, a web page could use the gateway through the browser of somebody who may. A hook that rejects requests of
 * pages from elsewhere, and keeps the replies of all others from them. With keys, every origin is welcome: a page has no key.
 */
export function createOriginGuard({ accounts, policy, help }: Deps): onRequestHookHandler {
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
    const access = accounts.readAccessMode()
    if (!(access instanceof Promise)) decide(access)
    else {
      access.then(decide, (cause: Error) => {
        hideReply()
        done(unguardedRoutes.includes(url) ? undefined : cause)
      })
    }
  }
}

/** Whether a web page from elsewhere may have sent a request that no route takes, and must not read the reply. */
export function mustHideReply(request: FastifyRequest, { accounts, policy }: Omit<Deps, 'help'>): boolean {
  if (findProblem(request, policy) === undefined) return false
  const access = accounts.readAccessMode()
  if (!(access instanceof Promise)) return needsGuard(access)
  access.catch(() => undefined)
  return true
}

function needsGuard(access: AccessMode): boolean {
  return access === 'off' || access === 'anonymous'
}

type OriginProblem = 'host' | 'origin' | 'site'

/** What makes a request one that a web page from elsewhere may have sent. */
function findProblem(
  { headers, method }: FastifyRequest,
  policy: OriginPolicy,
  access?: AccessMode,
): OriginProblem | undefined {
  const { host, origin, 'sec-fetch-site': site } = headers
  if (policy.allowedOrigins.includes('*')) return undefined
  // HTTP/1.0 has no Host; browsers do not speak it.
  if (policy.isLoopback && host !== undefined && !isAllowedHost(host, policy, access)) return 'host'
  if (origin !== undefined) return isAllowedOrigin(origin, host, policy) ? undefined : 'origin'
  if (site === 'cross-site') return 'site'
  return site === 'same-site' && method !== 'GET' && method !== 'HEAD' ? 'site' : undefined
}

/** Whoever comes under the public address is a stranger, unless the operator says that no key is needed. */
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
  // A stranger's name may be made to lead here; a name of our own network cannot.
  return !isLoopback && url.host === host?.toLowerCase() && isPrivateHost(url.host)
}

function toOrigin(url: string | undefined): string | undefined {
  return url === undefined ? undefined : new URL(url).origin
}

/** Somebody follows a link to the documentation, which holds nothing of anybody. */
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
      ? 'This gateway asks for no API key (AUTH=off)'
      : 'This gateway asks for no API key yet, because none exists'
  const effect =
    problem === 'host'
      ? 'rejects requests for hosts other than localhost and 127.0.0.1'
      : 'rejects requests of web pages from other origins'
  const keyAdvice = `${access === 'off' ? 'set AUTH=keys and create' : 'create'} an API key with: ${createKeyCommand(keyHelp)}`
  const message = `${reason}, so it ${effect}. Either ${keyAdvice}. Or name the origin in ALLOWED_ORIGINS`
  return new ApiError('api_key_origin_not_allowed', message)
}
