import type { FastifyRequest } from 'fastify'
import type { TrustProxy } from '../../config/access-settings.ts'
import { isLoopbackAddress, parseAddress } from '../../net/network-address.ts'
import { isHost } from './host.ts'

declare module 'fastify' {
  interface FastifyInstance {
    trustProxy: TrustProxy
  }
}

/** A request as the outermost trusted proxy received it. Malformed values are absent. */
export type Forwarded = {
  /** The client's address; `unknown` where the proxy does not tell it. */
  client: string
  protocol: 'http' | 'https' | undefined
  host: string | undefined
  port: number | undefined
  /** The path below which the proxy serves the gateway, without a slash at the end. */
  prefix: string
}

type ForwardedRequest = Pick<FastifyRequest, 'headers' | 'socket'> & {
  server: Pick<FastifyRequest['server'], 'trustProxy'>
}

const forwardedHeaders = [
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
] as const
const prefixHeader = 'x-forwarded-prefix'
const maxForwardedCharacters = 2048
const prefixPattern = /^(?:\/[\w.~!$&'()*+;=:@%-]+){1,16}\/?$/

/** `undefined`: no trusted proxy has passed the request on. */
export function readForwarded({ headers, socket, server }: ForwardedRequest): Forwarded | undefined {
  const hasXForwarded =
    forwardedHeaders.some((name) => headers[name] !== undefined) || headers[prefixHeader] !== undefined
  if (!hasXForwarded && headers.forwarded === undefined) return undefined
  const peer = socket.remoteAddress ?? ''
  if (!server.trustProxy(peer, 0)) return undefined
  // A proxy that writes one kind passes on what a client sent of the other.
  const elements = hasXForwarded ? [] : parseForwarded(splitHeader(headers.forwarded).join(','))
  const [clients, protocols, hosts, ports] = hasXForwarded
    ? forwardedHeaders.map((name) => splitHeader(headers[name]))
    : [
        elements.map((element) => element.for ?? ''),
        elements.map((element) => element.proto ?? ''),
        elements.map((element) => element.host ?? ''),
        [],
      ]
  const { client, hops } = findClient(clients ?? [], peer, server.trustProxy)
  // Each proxy may have added an entry; the outermost trusted one has added this.
  const pickOutermostTrusted = (entries: readonly string[] = []) =>
    entries[Math.max(0, entries.length - hops)] ?? ''
  const protocol = pickOutermostTrusted(protocols).toLowerCase()
  const host = pickOutermostTrusted(hosts)
  return {
    client,
    protocol: protocol === 'http' || protocol === 'https' ? protocol : undefined,
    host: isHost(host) ? host : undefined,
    port: parsePort(pickOutermostTrusted(ports)),
    prefix: parsePrefix(pickOutermostTrusted(splitHeader(headers[prefixHeader]))),
  }
}

/** The address of whoever sent the request, as far as it can be trusted. */
export function clientAddressOf(request: ForwardedRequest): string {
  return readForwarded(request)?.client ?? request.socket.remoteAddress ?? 'unknown'
}

export function isLocalClient(request: ForwardedRequest): boolean {
  return isLoopbackAddress(clientAddressOf(request))
}

/** Follows the addresses from ours outwards, as long as they are of trusted proxies. */
function findClient(addresses: readonly string[], peer: string, trustProxy: TrustProxy) {
  let client = peer
  let hops = 1
  for (const entry of addresses.toReversed()) {
    client = parseAddress(stripPort(entry))?.toString() ?? 'unknown'
    if (client === 'unknown' || !trustProxy(client, hops)) break
    hops += 1
  }
  return { client, hops }
}

function splitHeader(header: string | string[] | undefined): string[] {
  const text = [header ?? []].flat().join(',')
  return text === '' ? [] : text.split(',').map((entry) => entry.trim())
}

function stripPort(address: string): string {
  const match = /^(?:\[([^\]]*)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+)$/.exec(address)
  return match?.[1] ?? match?.[2] ?? address
}

function parsePort(text: string): number | undefined {
  const port = Number(text)
  return /^\d{1,5}$/.test(text) && port > 0 && port < 65_536 ? port : undefined
}

function parsePrefix(text: string): string {
  const isPath =
    prefixPattern.test(text) && !/\/(?:\.|%2e){1,2}(?:\/|$)/i.test(text) && !/%(?![0-9a-f]{2})/i.test(text)
  return isPath ? text.replace(/\/$/, '') : ''
}

type ForwardedElement = Partial<Record<'for' | 'proto' | 'host', string>>

/** RFC 7239. */
function parseForwarded(header: string): ForwardedElement[] {
  if (header.length > maxForwardedCharacters) return []
  const elements = header.match(/(?:[^,"]|"(?:[^"\\]|\\.)*")+/g) ?? []
  return elements.map((element) => {
    const parsed: ForwardedElement = {}
    for (const pair of element.match(/(?:[^;"]|"(?:[^"\\]|\\.)*")+/g) ?? []) {
      const [, name = '', value = ''] = /^\s*(for|proto|host)=(.*?)\s*$/is.exec(pair) ?? []
      const text = value.replace(/^"(.*)"$/s, '$1').replace(/\\(.)/gs, '$1')
      if (name !== '') parsed[name.toLowerCase() as keyof ForwardedElement] ??= text
    }
    return parsed
  })
}
