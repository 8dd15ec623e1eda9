import type { Readable } from 'node:stream'
import { ConsecutiveBreaker, circuitBreaker, handleWhenResult } from 'cockatiel'
import { Agent, type buildConnector, type Dispatcher, request } from 'undici'
import { type Fault, fault } from '../../providers/faults.ts'
import type { Call, Provider, Reply } from '../../providers/provider.ts'
import type { ProviderConfig } from '../config/provider-settings.ts'
import { toSandboxUrl, withoutSandbox } from '../sandbox/address.ts'
import { createInlineBody, type InlineFile } from './inline-body.ts'
import { createUploadBody, type FileUpload, uploadTimeLimitMs } from './upload-body.ts'

/** The largest reply that is read; every real one is a few kilobytes. */
const replyLimitBytes = 4 * 1024 * 1024

/** After this many failed purchases in a row an upstream is left alone for 10 s. */
const failuresBeforeBreak = 8

/** What is said of a certificate, or before there is a connection: no request has left by then. Other errors of TLS come at any time. */
const unsentErrorCodes =
  /^(UND_ERR_CONNECT_TIMEOUT|UND_ERR_INVALID_ARG|ERR_TLS_CERT_ALTNAME_INVALID|ERR_TLS_HANDSHAKE_TIMEOUT|CERT_.*|.*_CERT_.*|UNABLE_TO_.*|DEPTH_ZERO_.*)$/

/** While a connection is made; the same errors of a connection that stands tell nothing. */
const connectErrorCodes = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH)$/

export type CallResult =
  | { kind: 'reply'; reply: Reply }
  /** Certainly never reached the upstream. */
  | { kind: 'unsent'; fault: Fault }
  /** May have reached it; no answer was read. */
  | { kind: 'lost'; fault: Fault }

export type Transport = ReturnType<typeof createTransport>

/** The one place that calls upstreams: holds their keys, bounds their time, never follows a redirect, never repeats a call. */
export function createTransport({
  timeoutMs,
  now = () => new Date(),
  connectToSandbox = withoutSandbox,
}: {
  timeoutMs: number
  now?: () => Date
  /** Connects to the mock upstreams of this process; absent: it has none. */
  connectToSandbox?: buildConnector.connector
}) {
  const realAgents = createAgents({ timeout: 10_000 })
  const mockAgents = createAgents(connectToSandbox)

  const breakers = new Map<string, ReturnType<typeof createBreaker>>()

  /** An upstream that fails again and again is left alone for a while: a purchase that would be sent to it is known to be unsent. */
  async function send(
    provider: Provider,
    config: ProviderConfig,
    call: Call,
    options: CallOptions = {},
  ): Promise<CallResult> {
    if (options.purchase !== true) return callOnce(provider, config, call, options)
    const name = config.sandbox === true ? `${provider.name} sandbox` : provider.name
    const breaker = breakers.get(name) ?? createBreaker()
    breakers.set(name, breaker)
    // Nothing but an open breaker throws here, and that before the call.
    return breaker
      .execute(() => callOnce(provider, config, call, options))
      .catch(() => ({
        kind: 'unsent',
        fault: fault(
          'upstream_unreachable',
          `${provider.title} has failed too often and is left alone for a while`,
        ),
      }))
  }

  async function callOnce(
    provider: Provider,
    config: ProviderConfig,
    call: Call,
    { purchase = false, upload, inline = [] }: CallOptions,
  ): Promise<CallResult> {
    const callLimitMs = Math.ceil(timeoutMs + (upload === undefined ? 0 : uploadTimeLimitMs(upload)))
    let mayBeSent = false
    try {
      const preparedRequest = prepare(provider, config, call, { upload, inline }, now())
      mayBeSent = true
      const signal = AbortSignal.timeout(callLimitMs)
      const agents = config.sandbox === true ? mockAgents : realAgents
      const response = await request(preparedRequest.url, {
        method: call.method,
        headers: preparedRequest.headers,
        body: preparedRequest.body,
        dispatcher: purchase ? agents.fresh : agents.pooled,
        headersTimeout: callLimitMs,
        bodyTimeout: timeoutMs,
        signal,
      })
      return { kind: 'reply', reply: await readReply(response, preparedRequest.baseUrl, config.credentials) }
    } catch (cause) {
      const kind = mayBeSent && !isUnsent(cause) ? 'lost' : 'unsent'
      const callFault = fault(
        'upstream_unreachable',
        `${provider.title} could not be asked: ${readErrorCode(cause)}`,
      )
      return { kind, fault: callFault }
    }
  }

  return {
    send,
    async close(): Promise<void> {
      await Promise.all(
        [realAgents, mockAgents].flatMap(({ pooled, fresh }) => [pooled.close(), fresh.close()]),
      )
    },
  }
}

function createAgents(connect: NonNullable<Agent.Options['connect']>) {
  // Over HTTP/2, undici shares a connection between purchases and repeats calls that a closing server may not have seen.
  const options = { allowH2: false, connect }
  return {
    pooled: new Agent({ ...options, connections: 256 }),
    /** A connection of its own for each purchase: a kept one that the upstream closes just then would lose the answer. */
    fresh: new Agent({ ...options, pipelining: 0 }),
  }
}

type CallFiles = { upload: FileUpload | undefined; inline: readonly InlineFile[] }

type CallOptions = { purchase?: boolean } & Partial<CallFiles>

function createBreaker() {
  const isFailure = handleWhenResult((callResult) => {
    const { kind, reply } = callResult as { kind: CallResult['kind']; reply?: Reply }
    return kind !== 'reply' || (reply !== undefined && reply.status >= 500)
  })
  return circuitBreaker(isFailure, {
    halfOpenAfter: 10_000,
    breaker: new ConsecutiveBreaker(failuresBeforeBreak),
  })
}

type PreparedRequest = {
  url: URL
  headers: Record<string, string>
  body: string | Readable | null
  baseUrl: string
}

/** A call below the host's base URL is signed; a whole URL is foreign and gets no key. */
function prepare(
  provider: Provider,
  config: ProviderConfig,
  call: Call,
  files: CallFiles,
  at: Date,
): PreparedRequest {
  const hostName = call.host ?? Object.keys(provider.hosts)[0] ?? ''
  const host = provider.hosts[hostName]
  const baseUrl = config.baseUrls[hostName]
  if (host === undefined || baseUrl === undefined)
    throw new TypeError(`${provider.title} has no address for ${hostName}`)

  const isForeign = /^https?:\/\//.test(call.path)
  const url = urlOf(isForeign ? call.path : baseUrl + call.path, config)
  if (!isForeign && url.origin !== new URL(baseUrl).origin)
    throw new TypeError('a call may not leave the base URL')
  const { body, type, length } = encodeBody(call, files)
  const headers: Record<string, string> = {
    accept: 'application/json',
    ...(type === undefined ? {} : { 'content-type': type }),
    ...(length === undefined ? {} : { 'content-length': String(length) }),
    ...call.headers,
  }
  if (!isForeign) {
    const text = typeof body === 'string' ? body : ''
    const signingValues = { ...config.settings, ...config.credentials }
    Object.assign(headers, host.sign({ method: call.method, url, headers, body: text }, signingValues, at))
  }
  return { url, headers, body, baseUrl }
}

/** A call for a sandbox job goes to the mock upstreams or nowhere. */
function urlOf(address: string, { sandbox }: ProviderConfig): URL {
  if (sandbox !== true) return new URL(address)
  const url = toSandboxUrl(address)
  if (url === undefined) throw new TypeError('a call for a sandbox job may not leave the sandbox')
  return url
}

function encodeBody(
  call: Call,
  { upload, inline }: CallFiles,
): { body: PreparedRequest['body']; type?: string; length?: number } {
  if (call.json !== undefined) {
    const body = JSON.stringify(call.json)
    return { type: 'application/json', ...(inline.length === 0 ? { body } : createInlineBody(body, inline)) }
  }
  if (call.form !== undefined) {
    return { body: new URLSearchParams(call.form).toString(), type: 'application/x-www-form-urlencoded' }
  }
  return call.media === undefined || upload === undefined
    ? { body: null }
    : createUploadBody(upload, call.media)
}

/** Shorter credentials are no secrets; taking them out would tear up ordinary words. */
const minSecretCharacters = 12

async function readReply(
  response: Dispatcher.ResponseData,
  baseUrl: string,
  credentials: ProviderConfig['credentials'],
): Promise<Reply> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response.body) {
    bytes += (chunk as Buffer).length
    if (bytes > replyLimitBytes)
      throw Object.assign(new Error('the reply is too large'), { code: 'REPLY_TOO_LARGE' })
    chunks.push(chunk as Buffer)
  }
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(response.headers)) {
    if (value !== undefined) headers[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value
  }
  // Some upstreams quote the key that they refuse, and their words end in logs and records.
  const text = Object.values(credentials)
    .filter((secret) => secret.length >= minSecretCharacters)
    .reduce(
      (redacted, secret) => redacted.replaceAll(secret, '[redacted]'),
      Buffer.concat(chunks).toString('utf8'),
    )
  return { status: response.statusCode, headers, body: parse(text), baseUrl }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Whether an error is known to have happened before a request could reach anybody. */
export function isUnsent(cause: unknown): boolean {
  if (cause instanceof AggregateError) return cause.errors.every(isUnsent)
  const code = readErrorCode(cause)
  const syscall = cause instanceof Error && 'syscall' in cause ? cause.syscall : undefined
  const connecting = syscall === 'connect' || syscall === 'getaddrinfo'
  return unsentErrorCodes.test(code) || (connecting && connectErrorCodes.test(code))
}

function readErrorCode(cause: unknown): string {
  if (!(cause instanceof Error)) return 'unknown'
  if ('code' in cause && typeof cause.code === 'string') return cause.code
  return cause.name === 'TimeoutError' ? 'TIMEOUT' : cause.name
}
