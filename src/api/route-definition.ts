import type { Static, TSchema } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ApiDeps } from './deps.ts'
import type { OperationDocs } from './openapi/operation.ts'
import type { RateLimitedOperation } from './plugins/rate-limits.ts'

type Method = 'GET' | 'HEAD' | 'POST' | 'DELETE'

/** One operation. `Query` is the schema of its query string. */
export type RouteDefinition<Query extends TSchema = TSchema> = {
  method: Method | Method[]
  /** Served under each prefix of the API. */
  path: string
  /** For the OpenAPI document; absent for another path of an operation that is documented elsewhere. */
  docs?: OperationDocs
  /** Validates and parses the query string. */
  query?: Query
  /** Returns the body of the reply, or the reply itself if it was sent already. */
  respond(
    deps: ApiDeps,
    request: FastifyRequest<{ Querystring: Static<Query> }>,
    reply: FastifyReply,
  ): Promise<unknown>
  code?: number
  /** The schema of the body of the reply. */
  schema?: TSchema
  /** No API key is needed, and a wrong one is ignored. */
  isPublic?: true
  rateLimit?: RateLimitedOperation
  quiet?: true
}

/** The same operation at another path. The OpenAPI document lists only the first. */
export function aliasRoute<Query extends TSchema>(
  { docs: _, ...route }: RouteDefinition<Query>,
  path: string,
): RouteDefinition<Query> {
  return { ...route, path }
}
