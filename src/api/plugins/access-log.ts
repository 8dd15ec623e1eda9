import type { FastifyReply, FastifyRequest } from 'fastify'
import { redactRedisArguments } from '../../text/redact-text.ts'
import type { ApiError } from '../errors.ts'
import { createRequestRedactor } from './redact-request.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Asked all the time: its line is for debugging only, unless something is wrong. */
    quiet?: boolean
  }
  interface FastifyRequest {
    /** The error that the request was answered with. */
    apiError: ApiError | undefined
  }
}

/** The levels of a logger at which a line is written. */
const levelsThatWrite = {
  debug: ['trace', 'debug'],
  info: ['trace', 'debug', 'info'],
  warn: ['trace', 'debug', 'info', 'warn'],
}

/** Causes of causes are named this deep. */
const maxCauses = 4

/** The one line of a request; worked out only where it is written. */
export function logRequest(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  const isQuiet = request.routeOptions.config?.quiet === true && reply.statusCode < 400
  const level = reply.statusCode > 500 ? 'warn' : isQuiet ? 'debug' : 'info'
  if (levelsThatWrite[level].includes(request.log.level)) {
    const { method, apiError } = request
    const redact = createRequestRedactor(request)
    request.log[level](
      {
        method,
        url: redact(request.url),
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
        ...(apiError !== undefined && describeError(apiError, redact)),
      },
      'request',
    )
  }
  done()
}

/** Why a request was refused. The causes are for the operator: the client may not have read them. */
function describeError({ code, status, log, cause }: ApiError, redact: (text: string) => string) {
  const reasons: string[] = []
  // A client's own mistake needs no reason beside the code.
  for (let error = status > 500 ? cause : undefined; error instanceof Error; error = error.cause) {
    if (reasons.push(redactRedisArguments(error.message)) === maxCauses) break
  }
  return { code, ...log, ...(reasons.length > 0 && { reason: redact(reasons.join(': ')) }) }
}
