import type { FastifyReply, FastifyRequest } from 'fastify'

/** What any browser program may read of any reply. */
const exposed = ['retry-after', 'x-request-id', 'idempotent-replayed', 'preference-applied']

/** On every reply, whoever writes it. */
export const openHeaders = {
  'Cache-Control': 'no-store',
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': exposed.join(', '),
}

export function stamp(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  reply.header('X-Request-ID', request.id).headers(openHeaders)
  done()
}

const usualHeaders = ['authorization', 'x-api-key', 'content-type', 'accept']

/** Options of @fastify/cors: every origin, and whatever headers a browser asks for. */
export function corsOf(request: FastifyRequest) {
  const asked = request.headers['access-control-request-headers']?.match(/[\w-]+/g) ?? []
  return {
    origin: '*',
    methods: ['GET', 'POST', ...(/\/(library|videos|jobs)\//.test(request.url) ? ['DELETE'] : []), 'OPTIONS'],
    allowedHeaders: [...new Set([...asked, ...usualHeaders])],
    exposedHeaders: exposed,
    maxAge: 600,
    strictPreflight: false,
  }
}
