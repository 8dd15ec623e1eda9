import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { redactRedisArguments } from '../../text/redact-text.ts'
import type { ApiError } from '../errors.ts'
import { createRequestRedactor } from './redact-request.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Requested often: a successful request is logged at `debug`. */
    quiet?: boolean
  }
  interface FastifyRequest {
    /** The error of the response. */
    apiError: ApiError | undefined
    /** The job that the request is about, for its log line. */
    jobId: string | undefined
    /** The model that the request is about, for its log line. */
    modelId: string | undefined
  }
}

/** The levels of a logger at which a line is written. */
const enabledAt = {
  debug: ['trace', 'debug'],
  info: ['trace', 'debug', 'info'],
  warn: ['trace', 'debug', 'info', 'warn'],
}

/** The longest chain of causes that is logged. */
const maxCauses = 4

/** Writes the one log line of each request. */
export function registerAccessLog(app: FastifyInstance): void {
  app.decorateRequest('apiError', undefined)
  app.decorateRequest('jobId', undefined)
  app.decorateRequest('modelId', undefined)
  app.addHook('onRequest', (request, reply, done) => {
    // Fastify reports no response where the client closes the connection first.
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) logRequest(request, reply, true)
    })
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    if (reply.raw.writableFinished) logRequest(request, reply)
    done()
  })
}

/** The line is built only where it is written. */
export function logRequest(request: FastifyRequest, reply: FastifyReply, isAborted = false): void {
  const { config, url: route } = request.routeOptions
  const isQuiet = config?.quiet === true && reply.statusCode < 400
  const level = reply.statusCode > 500 ? 'warn' : isQuiet ? 'debug' : 'info'
  if (!enabledAt[level].includes(request.log.level)) return
  const { method, apiError, owner, jobId, modelId } = request
  const redact = createRequestRedactor(request)
  request.log[level](
    {
      method,
      ...(route !== undefined && { route }),
      path: redact(request.url.replace(/\?.*/s, '')),
      status: reply.statusCode,
      durationMs: Math.round(reply.elapsedTime),
      ...(owner !== '' && { key: owner }),
      ...(jobId !== undefined && { job: jobId }),
      ...(modelId !== undefined && { model: modelId }),
      ...(isAborted && { aborted: true }),
      ...(apiError !== undefined && describeError(apiError, redact)),
    },
    'request',
  )
}

/** Why a request failed. The causes are for the operator; the client does not get them. */
function describeError({ code, status, log, cause }: ApiError, redact: (text: string) => string) {
  const reasons: string[] = []
  // For a client error the code is enough.
  for (let error = status > 500 ? cause : undefined; error instanceof Error; error = error.cause) {
    const reason = redactRedisArguments(error.message)
    // A message may repeat that of its cause.
    if (!reasons.some((outer) => outer.includes(reason)) && reasons.push(reason) === maxCauses) break
  }
  return { code, ...log, ...(reasons.length > 0 && { reason: redact(reasons.join(': ')) }) }
}
