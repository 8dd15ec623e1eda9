import type { FastifyReply, FastifyRequest } from 'fastify'

/** Response headers that web pages of any origin may read. */
const exposedHeaders = ['retry-after', 'x-request-id', 'idempotent-replayed', 'preference-applied']

/** Headers of every response, including those of plugins and of malformed requests. */
export const defaultHeaders = {
  'Cache-Control': 'no-store',
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': exposedHeaders.join(', '),
}

export function setDefaultHeaders(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  reply.header('X-Request-ID', request.id).headers(defaultHeaders)
  done()
}

const allowedHeaders = ['authorization', 'x-api-key', 'content-type', 'accept']

/** Options of @fastify/cors: every origin, and all headers that a browser requests. */
export function corsOptionsFor(request: FastifyRequest) {
  const requestedHeaders = request.headers['access-control-request-headers']?.match(/[\w-]+/g) ?? []
  return {
    origin: '*',
    methods: ['GET', 'POST', ...(/\/(library|videos|jobs)\//.test(request.url) ? ['DELETE'] : []), 'OPTIONS'],
    allowedHeaders: [...new Set([...requestedHeaders, ...allowedHeaders])],
    exposedHeaders,
    maxAge: 600,
    strictPreflight: false,
  }
}
