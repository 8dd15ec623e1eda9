import type { FastifyRequest } from 'fastify'

/** A name, an IPv4 or a bracketed IPv6 address, with or without a port. */
const hostShape = /^(?:[a-z0-9](?:[\w.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i

/** Where the caller reaches the gateway, no slash at the end: as configured, else as the request itself came. */
export function addressOf(request: FastifyRequest, publicUrl: string | undefined): string {
  if (publicUrl !== undefined) return publicUrl.replace(/\/+$/, '')
  const scheme = firstOf(request.headers['x-forwarded-proto'])?.toLowerCase()
  const host = [firstOf(request.headers['x-forwarded-host']), request.headers.host].find(isHost)
  return `${scheme === 'https' || scheme === 'http' ? scheme : request.protocol}://${host ?? ownHost(request)}`
}

/** The same string wherever it is told; links of other servers stay as they are. */
export function absolute(address: string, url: string): string {
  return url.startsWith('/') ? address + url : url
}

/** Each proxy on the way may have added its own; the first is the one nearest to the caller. */
function firstOf(header: string | string[] | undefined): string | undefined {
  return header === undefined ? undefined : [header].flat()[0]?.split(',')[0]?.trim()
}

/** Nearly every request names the same host. */
let lastHost = ''

function isHost(host: string | undefined): host is string {
  if (host === undefined) return false
  if (host === lastHost) return true
  if (!hostShape.test(host) || !URL.canParse(`http://${host}`)) return false
  lastHost = host
  return true
}

function ownHost({ socket }: FastifyRequest): string {
  return `localhost:${socket.localPort ?? 80}`
}
