import type { FastifyReply, FastifyRequest } from 'fastify'
import { withoutArguments } from '../redact-text.ts'
import type { ApiError } from './errors.ts'
import { redactFor } from './redact.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Asked all the time: its line is for debugging only, unless something is wrong. */
    quiet?: boolean
  }
  interface FastifyRequest {
    /** The error that the request was answered with. */
    refusal: ApiError | undefined
  }
}

/** The levels of a logger at which a line is written. */
const heard = {
  debug: ['trace', 'debug'],
  info: ['trace', 'debug', 'info'],
  warn: ['trace', 'debug', 'info', 'warn'],
}

/** Causes of causes are named this deep. */
const deepestCause = 4

/** The one line of a request; worked out only where it is written. */
export function logRequest(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  const quiet = request.routeOptions.config?.quiet === true && reply.statusCode < 400
  const level = reply.statusCode > 500 ? 'warn' : quiet ? 'debug' : 'info'
  if (heard[level].includes(request.log.level)) {
    const { method, refusal } = request
    const redact = redactFor(request)
    request.log[level](
      {
        method,
        url: redact(request.url),
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
        ...(refusal !== undefined && describeRefusal(refusal, redact)),
      },
      'request',
    )
  }
  done()
}

/** Why a request was refused. The causes are for the operator: the client may not have read them. */
function describeRefusal({ code, status, log, cause }: ApiError, redact: (text: string) => string) {
  const reasons: string[] = []
  // A client's own mistake needs no reason beside the code.
  for (let next = status > 500 ? cause : undefined; next instanceof Error; next = next.cause) {
    if (reasons.push(withoutArguments(next.message)) === deepestCause) break
  }
  return { code, ...log, ...(reasons.length > 0 && { reason: redact(reasons.join(': ')) }) }
}
