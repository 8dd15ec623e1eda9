import type { FastifyRequest } from 'fastify'
import type { TrustProxy } from '../config.ts'
import { isLoopbackAddress, parseAddress } from '../network-address.ts'
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

const lists = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port'] as const
const prefixHeader = 'x-forwarded-prefix'
const longestForwarded = 2048
const prefixShape = /^(?:\/[\w.~!$&'()*+;=:@%-]+){1,16}\/?$/

/** `undefined`: no trusted proxy has passed the request on. */
export function forwardedOf({ headers, socket, server }: ForwardedRequest): Forwarded | undefined {
  const hasX = lists.some((name) => headers[name] !== undefined) || headers[prefixHeader] !== undefined
  if (!hasX && headers.forwarded === undefined) return undefined
  const peer = socket.remoteAddress ?? ''
  if (!server.trustProxy(peer, 0)) return undefined
  // A proxy that writes one kind passes on what a client sent of the other.
  const elements = hasX ? [] : parseForwarded(listIn(headers.forwarded).join(','))
  const [clients, protocols, hosts, ports] = hasX
    ? lists.map((name) => listIn(headers[name]))
    : [
        elements.map((one) => one.for ?? ''),
        elements.map((one) => one.proto ?? ''),
        elements.map((one) => one.host ?? ''),
        [],
      ]
  const { client, hops } = findClient(clients ?? [], peer, server.trustProxy)
  // Each proxy may have added an entry; the outermost trusted one has added this.
  const pick = (entries: readonly string[] = []) => entries[Math.max(0, entries.length - hops)] ?? ''
  const protocol = pick(protocols).toLowerCase()
  const host = pick(hosts)
  return {
    client,
    protocol: protocol === 'http' || protocol === 'https' ? protocol : undefined,
    host: isHost(host) ? host : undefined,
    port: portOf(pick(ports)),
    prefix: prefixOf(pick(listIn(headers[prefixHeader]))),
  }
}

/** The address of whoever sent the request, as far as it can be trusted. */
export function clientAddressOf(request: ForwardedRequest): string {
  return forwardedOf(request)?.client ?? request.socket.remoteAddress ?? 'unknown'
}

export function isLocalClient(request: ForwardedRequest): boolean {
  return isLoopbackAddress(clientAddressOf(request))
}

/** Follows the addresses from ours outwards, as long as they are of trusted proxies. */
function findClient(addresses: readonly string[], peer: string, trustProxy: TrustProxy) {
  let client = peer
  let hops = 1
  for (const entry of addresses.toReversed()) {
    client = parseAddress(withoutPort(entry))?.toString() ?? 'unknown'
    if (client === 'unknown' || !trustProxy(client, hops)) break
    hops += 1
  }
  return { client, hops }
}

function listIn(header: string | string[] | undefined): string[] {
  const text = [header ?? []].flat().join(',')
  return text === '' ? [] : text.split(',').map((one) => one.trim())
}

function withoutPort(address: string): string {
  const found = /^(?:\[([^\]]*)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+)$/.exec(address)
  return found?.[1] ?? found?.[2] ?? address
}

function portOf(text: string): number | undefined {
  const port = Number(text)
  return /^\d{1,5}$/.test(text) && port > 0 && port < 65_536 ? port : undefined
}

function prefixOf(text: string): string {
  const isPath =
    prefixShape.test(text) && !/\/(?:\.|%2e){1,2}(?:\/|$)/i.test(text) && !/%(?![0-9a-f]{2})/i.test(text)
  return isPath ? text.replace(/\/$/, '') : ''
}

type Element = Partial<Record<'for' | 'proto' | 'host', string>>

/** RFC 7239. */
function parseForwarded(header: string): Element[] {
  if (header.length > longestForwarded) return []
  const elements = header.match(/(?:[^,"]|"(?:[^"\\]|\\.)*")+/g) ?? []
  return elements.map((element) => {
    const found: Element = {}
    for (const pair of element.match(/(?:[^;"]|"(?:[^"\\]|\\.)*")+/g) ?? []) {
      const [, name = '', value = ''] = /^\s*(for|proto|host)=(.*?)\s*$/is.exec(pair) ?? []
      const text = value.replace(/^"(.*)"$/s, '$1').replace(/\\(.)/gs, '$1')
      if (name !== '') found[name.toLowerCase() as keyof Element] ??= text
    }
    return found
  })
}
