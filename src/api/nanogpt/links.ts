import type { FastifyRequest } from 'fastify'
import { type Forwarded, forwardedOf } from '../forwarded.ts'
import { isHost, isOwnHost } from '../host.ts'

/**
 * Where the caller reaches the gateway, no slash at the end: as configured, else as a trusted proxy says, else as the request itself
 * came, where its `Host` is of our own network. A name that anybody may own stands in no link.
 */
export function addressOf(request: FastifyRequest, publicUrl: string | undefined): string {
  if (publicUrl !== undefined) return publicUrl.replace(/\/+$/, '')
  const forwarded = forwardedOf(request)
  if (forwarded !== undefined) return forwardedAddress(request, forwarded)
  const { host } = request.headers
  if (host !== undefined && isOurs(host, request.socket.localAddress)) return `${request.protocol}://${host}`
  warnOfHost(request)
  return ownAddress(request)
}

/** The same for what is stored and read by others: no header counts but those of trusted proxies. */
export function storedAddressOf(request: FastifyRequest, publicUrl: string | undefined): string {
  const isProxied = publicUrl !== undefined || forwardedOf(request)?.host !== undefined
  return isProxied ? addressOf(request, publicUrl) : ownAddress(request)
}

/** The same string wherever it is told; links of other servers stay as they are. */
export function absolute(address: string, url: string): string {
  return url.startsWith('/') ? address + url : url
}

/** The path below which clients find the gateway; empty: none. */
export function pathPrefixOf(request: FastifyRequest, publicUrl: string | undefined): string {
  if (publicUrl !== undefined) return new URL(publicUrl).pathname.replace(/\/+$/, '')
  return forwardedOf(request)?.prefix ?? ''
}

function forwardedAddress(request: FastifyRequest, { protocol, host, port, prefix }: Forwarded): string {
  const scheme = protocol ?? request.protocol
  const passedOn = request.headers.host ?? ''
  const name = host ?? (isHost(passedOn) ? passedOn : hostOfSocket(request))
  const hasPort = /:\d+$/.test(name)
  // The first proxy of several often tells the protocol, and the second the port.
  const isUsual = port === undefined || port === 80 || port === 443
  return `${scheme}://${name}${hasPort || isUsual ? '' : `:${port}`}${prefix}`
}

/** Where the connection arrived. */
function ownAddress(request: FastifyRequest): string {
  return `${request.protocol}://${hostOfSocket(request)}`
}

function hostOfSocket({ socket }: FastifyRequest): string {
  const { localAddress = 'localhost', localPort = 80 } = socket
  const address = localAddress.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '')
  return `${address.includes(':') ? `[${address}]` : address}:${localPort}`
}

/** Nearly every request names the same host. */
let lastOwn = { host: '', localAddress: '' as string | undefined }

function isOurs(host: string, localAddress: string | undefined): boolean {
  if (host === lastOwn.host && localAddress === lastOwn.localAddress) return true
  if (!isOwnHost(host, localAddress)) return false
  lastOwn = { host, localAddress }
  return true
}

let isWarned = false

function warnOfHost(request: FastifyRequest): void {
  if (isWarned) return
  isWarned = true
  const message =
    'a request came under a public name that the gateway does not know, so links in replies begin with the address of its connection; set PUBLIC_URL (or TRUST_PROXY for a proxy)'
  request.log.warn(message)
}
