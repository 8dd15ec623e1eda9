import type { FastifyReply, FastifyRequest } from 'fastify'

/** What any browser program may read of any reply. */
const exposedHeaders = ['retry-after', 'x-request-id', 'idempotent-replayed', 'preference-applied']

/** On every reply, whoever writes it. */
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

/** Options of @fastify/cors: every origin, and whatever headers a browser asks for. */
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
