import type { Static, TSchema } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ApiDeps } from './deps.ts'
import type { OperationDocs } from './openapi/operation.ts'
import type { RateLimitedOperation } from './plugins/rate-limits.ts'

type Method = 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'DELETE'

export type RequestSchemas = {
  /** The path parameters, which are texts. */
  params?: TSchema
  /** Validates and parses the query string; made by `querySchema`. */
  query?: TSchema
  /** Validates the body. Absent: the operation reads the body itself. */
  body?: TSchema
}

/** One operation, with its request schemas and what it depends on. */
export type RouteDefinition<Schemas extends RequestSchemas = RequestSchemas, Deps = ApiDeps> = Schemas & {
  method: Method | Method[]
  /** Served under each prefix of the API. Also the name of the operation in the fingerprint of an `Idempotency-Key`. */
  path: string
  /** For the OpenAPI document; absent for a path that is not listed. */
  docs?: Omit<OperationDocs, 'isPublic'>
  /** Runs before the body is read, after authentication. */
  onRequest?(deps: Deps, request: RequestOf<Schemas>): Promise<void>
  /** Returns the body of the reply, or the reply itself if it was sent already. */
  respond(deps: Deps, request: RequestOf<Schemas>, reply: FastifyReply): Promise<unknown>
  code?: number
  /** Serializes the body of the reply and documents it. Absent: the body is plain JSON, documented in `docs.replies`. */
  response?: TSchema
  /** No API key is needed, and a wrong one is ignored. */
  isPublic?: true
  rateLimit?: RateLimitedOperation
  quiet?: true
  /** NUL characters and unpaired surrogates in the body are removed instead of rejected. */
  cleanBody?: true
  /** `false`: a GET route without a HEAD route. */
  exposeHeadRoute?: false
}

type RequestOf<Schemas extends RequestSchemas> = FastifyRequest<{
  Params: StaticOf<Schemas['params']>
  Querystring: StaticOf<Schemas['query']>
  Body: StaticOf<Schemas['body']>
}>

type StaticOf<Schema> = Schema extends TSchema ? Static<Schema> : unknown

/** The same operation at another path. The OpenAPI document lists only the first. */
export function aliasRoute({ docs: _, ...route }: RouteDefinition, path: string): RouteDefinition {
  return { ...route, path }
}
