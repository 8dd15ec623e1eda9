import type { FastifyReply, FastifyRequest } from 'fastify'
import { redactFor } from './redact.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Asked all the time: its line is for debugging only, unless something is wrong. */
    quiet?: boolean
  }
}

/** The one line of a request. */
export function logRequest(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  const line = {
    method: request.method,
    // Worked out only for a line that is written.
    get url() {
      return redactFor(request)(request.url)
    },
    status: reply.statusCode,
    get ms() {
      return Math.round(reply.elapsedTime)
    },
  }
  if (request.routeOptions.config?.quiet === true && reply.statusCode < 400)
    request.log.debug(line, 'request')
  else request.log.info(line, 'request')
  done()
}
