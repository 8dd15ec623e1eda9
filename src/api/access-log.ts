import type { FastifyReply, FastifyRequest } from 'fastify'
import { redactFor } from './redact.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Asked all the time: its line is for debugging only, unless something is wrong. */
    quiet?: boolean
  }
}

/** The levels of a logger at which a line is written. */
const heard = { debug: ['trace', 'debug'], info: ['trace', 'debug', 'info'] }

/** The one line of a request; worked out only where it is written. */
export function logRequest(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  const quiet = request.routeOptions.config?.quiet === true && reply.statusCode < 400
  const level = quiet ? 'debug' : 'info'
  if (heard[level].includes(request.log.level)) {
    const { method } = request
    const url = redactFor(request)(request.url)
    request.log[level](
      { method, url, status: reply.statusCode, ms: Math.round(reply.elapsedTime) },
      'request',
    )
  }
  done()
}
