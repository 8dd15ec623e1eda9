import type { FastifySchema } from 'fastify'
import { type ErrorCode, errors } from '../errors.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The operation in the OpenAPI document, at its canonical path; absent at its other paths, which are not listed. */
    docs?: OperationDocs
  }
}

export type JsonSchema = Readonly<Record<string, unknown>>

/** The documentation of a route that its schema does not contain. */
export type OperationDocs = {
  id: string
  tag: Tag
  summary: string
  description?: string
  query?: Readonly<Record<string, JsonSchema>>
  headers?: Readonly<Record<string, JsonSchema>>
  /** By content type. */
  body?: Readonly<Record<string, JsonSchema>>
  /** By status; in addition to those in the schema of the route. */
  replies?: Readonly<Record<number, JsonSchema>>
  /** Error statuses that not every route has. */
  errorStatuses?: readonly number[]
  isPublic?: true
  /** Errors have the body of the OpenAI API. */
  hasOpenaiErrors?: true
}

export const tags = {
  Videos: 'Submit videos, read their status, find them again.',
  Jobs: 'The jobs of a key, with their history and live events.',
  Webhooks: 'Notifications about finished jobs.',
  'OpenAI Videos': 'The same jobs through the OpenAI Videos API.',
  Files: 'Finished videos and uploaded attachments.',
  Models: 'The available models.',
  Account: 'The balance, limits and usage of a key.',
  Operation: 'For the operator of the gateway.',
} as const

type Tag = keyof typeof tags

export function schemaRef(component: string): JsonSchema {
  return { $ref: `#/components/schemas/${component}` }
}

export function jsonContent(schema: JsonSchema): NonNullable<OperationDocs['body']> {
  return { 'application/json': schema }
}

export function describeResponse(
  description: string,
  content: Readonly<Record<string, JsonSchema>>,
): JsonSchema {
  const media = Object.entries(content).map(([type, schema]) => [type, { schema }])
  return { description, content: Object.fromEntries(media) }
}

/** How the values of a submit are validated. */
export const preferHeader = {
  prefer: {
    type: 'string',
    description:
      '`handling=strict`: a value that the model does not support is rejected. `handling=lenient`: it is replaced by the closest supported value, with an entry in `warnings`.',
  },
}

const commonErrorStatuses = [400, 500, 503]
const bodyErrorStatuses = [408, 413, 415]
/** A path parameter may be too long. */
const paramErrorStatuses = [414]

/** An operation in the format of @fastify/swagger: the schema of the route and its documentation. */
export function describeOperation(operation: OperationDocs, url: string, schema: FastifySchema) {
  // Path parameters are listed after the others, from the URL.
  const { params: _, ...routeSchema } = schema
  const {
    id,
    tag,
    summary,
    description,
    query,
    headers,
    body,
    replies,
    errorStatuses = [],
    isPublic,
  } = operation
  const carriesBody = body !== undefined || routeSchema.body !== undefined
  const statuses = [
    ...commonErrorStatuses,
    ...(isPublic ? [] : [401]),
    ...(carriesBody ? bodyErrorStatuses : []),
    ...(url.includes(':') ? paramErrorStatuses : []),
    ...errorStatuses,
  ]
  const errorSchema = schemaRef(operation.hasOpenaiErrors ? 'OpenAIError' : 'Error')
  return {
    ...routeSchema,
    operationId: id,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    ...(isPublic && { security: [] }),
    ...(query !== undefined && { querystring: { type: 'object', properties: query } }),
    ...(headers !== undefined && { headers: { type: 'object', properties: headers } }),
    ...(body !== undefined && { body: { content: describeResponse('', body).content } }),
    response: {
      ...Object.fromEntries(
        Object.entries(routeSchema.response ?? {}).map(([status, schema]) => [
          status,
          describeResponse('The response.', { 'application/json': schema as JsonSchema }),
        ]),
      ),
      ...replies,
      ...Object.fromEntries(
        statuses
          .toSorted()
          .map((status) => [
            status,
            describeResponse(describeErrorCodes(status), { 'application/json': errorSchema }),
          ]),
      ),
    },
  }
}

function describeErrorCodes(status: number): string {
  const codes = (Object.keys(errors) as ErrorCode[]).filter((code) => errors[code].status === status)
  const shownCodes = codes.length > 0 ? codes : ['invalid_request']
  return `Error: ${shownCodes.map((code) => `\`${code}\``).join(', ')}.`
}
