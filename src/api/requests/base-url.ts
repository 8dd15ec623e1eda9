import type { FastifyRequest } from 'fastify'
import { type Forwarded, readForwarded } from './forwarded.ts'
import { isHost, isPrivateHost } from './host.ts'

/**
 * Where the caller reaches the gateway, no slash at the end: as configured, else as a trusted proxy says, else as the request itself
 * came, where its `Host` is of our own network. A name that anybody may own stands in no link.
 */
export function resolveBaseUrl(request: FastifyRequest, publicUrl: string | undefined): string {
  if (publicUrl !== undefined) return publicUrl.replace(/\/+$/, '')
  const forwarded = readForwarded(request)
  if (forwarded !== undefined) return forwardedBaseUrl(request, forwarded)
  const { host } = request.headers
  if (host !== undefined && isKnownPrivateHost(host, request.socket.localAddress))
    return `${request.protocol}://${host}`
  warnAboutHost(request)
  return socketBaseUrl(request)
}

/** The same for what is stored and read by others: no header counts but those of trusted proxies. */
export function resolveStoredBaseUrl(request: FastifyRequest, publicUrl: string | undefined): string {
  const isProxied = publicUrl !== undefined || readForwarded(request)?.host !== undefined
  return isProxied ? resolveBaseUrl(request, publicUrl) : socketBaseUrl(request)
}

/** The same link in every response; links to other servers do not change. */
export function toAbsoluteUrl(baseUrl: string, url: string): string {
  return url.startsWith('/') ? baseUrl + url : url
}

/** The path below which clients find the gateway; empty: none. */
export function resolvePathPrefix(request: FastifyRequest, publicUrl: string | undefined): string {
  if (publicUrl !== undefined) return new URL(publicUrl).pathname.replace(/\/+$/, '')
  return readForwarded(request)?.prefix ?? ''
}

function forwardedBaseUrl(request: FastifyRequest, { protocol, host, port, prefix }: Forwarded): string {
  const scheme = protocol ?? request.protocol
  const hostHeader = request.headers.host ?? ''
  const name = host ?? (isHost(hostHeader) ? hostHeader : socketHost(request))
  const hasPort = /:\d+$/.test(name)
  // The first proxy of several often tells the protocol, and the second the port.
  const isDefaultPort = port === undefined || port === 80 || port === 443
  return `${scheme}://${name}${hasPort || isDefaultPort ? '' : `:${port}`}${prefix}`
}

/** Where the connection arrived. */
function socketBaseUrl(request: FastifyRequest): string {
  return `${request.protocol}://${socketHost(request)}`
}

function socketHost({ socket }: FastifyRequest): string {
  const { localAddress = 'localhost', localPort = 80 } = socket
  const address = localAddress.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '')
  return `${address.includes(':') ? `[${address}]` : address}:${localPort}`
}

/** Nearly every request names the same host. */
let lastPrivateHost = { host: '', localAddress: '' as string | undefined }

function isKnownPrivateHost(host: string, localAddress: string | undefined): boolean {
  if (host === lastPrivateHost.host && localAddress === lastPrivateHost.localAddress) return true
  if (!isPrivateHost(host, localAddress)) return false
  lastPrivateHost = { host, localAddress }
  return true
}

let hasWarned = false

function warnAboutHost(request: FastifyRequest): void {
  if (hasWarned) return
  hasWarned = true
  const message =
    'a request came under a public name that the gateway does not know, so links in replies begin with the address of its connection; set PUBLIC_URL (or TRUST_PROXY for a proxy)'
  request.log.warn(message)
}
