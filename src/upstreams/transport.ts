import { ConsecutiveBreaker, circuitBreaker, handleWhenResult } from 'cockatiel'
import { Agent, type buildConnector, request } from 'undici'
import { type Fault, fault } from '../../providers/faults.ts'
import type { Call, Provider, Reply } from '../../providers/provider.ts'
import type { ProviderConfig } from '../config/provider-settings.ts'
import { uploadTimeLimitMs } from './file-bodies.ts'
import { type CallFiles, prepareRequest, type ToSandboxUrl } from './prepare-request.ts'
import { readReply } from './read-reply.ts'

/** After this many failed purchases in a row, no purchase is sent to an upstream for `breakMs`. */
const failuresBeforeBreak = 8
const breakMs = 10_000

/** Errors of certificates and before there is a connection: no request has been sent yet. Other TLS errors can occur at any time. */
const unsentErrorCodes =
  /^(UND_ERR_CONNECT_TIMEOUT|UND_ERR_INVALID_ARG|ERR_TLS_CERT_ALTNAME_INVALID|ERR_TLS_HANDSHAKE_TIMEOUT|CERT_.*|.*_CERT_.*|UNABLE_TO_.*|DEPTH_ZERO_.*)$/

/** Errors while a connection is made. On an established connection, the same codes do not show whether the request was received. */
const connectErrorCodes = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH)$/

export type CallResult =
  | { kind: 'reply'; reply: Reply }
  /** Certainly never reached the upstream. */
  | { kind: 'unsent'; fault: Fault }
  /** May have reached it; no reply was read. */
  | { kind: 'lost'; fault: Fault }

export type Transport = ReturnType<typeof createTransport>

/** Connects calls of sandbox jobs to the mock upstreams of this process. */
export type SandboxConnection = { connect: buildConnector.connector; toUrl: ToSandboxUrl }

/** Sends every call to an upstream: adds its credentials, limits its time, never follows a redirect, never repeats a call. */
export function createTransport({
  timeoutMs,
  now = () => new Date(),
  sandbox,
}: {
  timeoutMs: number
  now?: () => Date
  /** Absent: this process has no mock upstreams, and sends no call of a sandbox job. */
  sandbox?: SandboxConnection
}) {
  const realAgents = createAgents({ timeout: 10_000 })
  const mockAgents = sandbox === undefined ? undefined : createAgents(sandbox.connect)
  const toSandboxUrl = sandbox?.toUrl ?? (() => undefined)

  const breakers = new Map<string, ReturnType<typeof createBreaker>>()

  /** While the circuit breaker of an upstream is open, a purchase is not sent, and the result says so. */
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
    // Only an open breaker throws here, before the call is made.
    return breaker
      .execute(() => callOnce(provider, config, call, options))
      .catch(() => ({
        kind: 'unsent',
        fault: fault(
          'upstream_unreachable',
          `${provider.title} has failed too often and is not called for ${breakMs / 1000} s`,
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
      const preparedRequest = prepareRequest(provider, config, call, {
        files: { upload, inline },
        at: now(),
        toSandboxUrl,
      })
      const agents = config.sandbox === true ? mockAgents : realAgents
      if (agents === undefined) throw new TypeError('this process has no mock upstreams')
      mayBeSent = true
      const signal = AbortSignal.timeout(callLimitMs)
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
        `${provider.title} could not be called: ${readErrorCode(cause)}`,
      )
      return { kind, fault: callFault }
    }
  }

  return {
    send,
    async close(): Promise<void> {
      await Promise.all(
        [realAgents, mockAgents].flatMap((agents) =>
          agents === undefined ? [] : [agents.pooled.close(), agents.fresh.close()],
        ),
      )
    },
  }
}

function createAgents(connect: NonNullable<Agent.Options['connect']>) {
  // Over HTTP/2, undici shares a connection between purchases and repeats calls that a closing server may not have seen.
  const options = { allowH2: false, connect }
  return {
    pooled: new Agent({ ...options, connections: 256 }),
    /** A new connection for each purchase: if the upstream closed a kept one at that moment, the reply would be lost. */
    fresh: new Agent({ ...options, pipelining: 0 }),
  }
}

type CallOptions = { purchase?: boolean } & Partial<CallFiles>

function createBreaker() {
  const isFailure = handleWhenResult((callResult) => {
    const { kind, reply } = callResult as { kind: CallResult['kind']; reply?: Reply }
    return kind !== 'reply' || (reply !== undefined && reply.status >= 500)
  })
  return circuitBreaker(isFailure, {
    halfOpenAfter: breakMs,
    breaker: new ConsecutiveBreaker(failuresBeforeBreak),
  })
}

/** Whether an error certainly occurred before a request could reach anybody. */
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
