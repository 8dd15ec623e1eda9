import type { FastifySchema } from 'fastify'
import { type ErrorCode, errors } from '../errors.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The operation in the OpenAPI document, at its canonical path; absent at its other paths, which are not listed. */
    docs?: OperationDocs
  }
}

export type JsonSchema = Readonly<Record<string, unknown>>

/** What a route's own schema does not tell of it. */
export type OperationDocs = {
  id: string
  tag: Tag
  summary: string
  description?: string
  query?: Readonly<Record<string, JsonSchema>>
  headers?: Readonly<Record<string, JsonSchema>>
  /** By content type. */
  body?: Readonly<Record<string, JsonSchema>>
  /** By status; beside what the route itself declares. */
  replies?: Readonly<Record<number, JsonSchema>>
  /** Statuses of refusals that not every route has. */
  errorStatuses?: readonly number[]
  isPublic?: true
  /** The refusals have the body of the OpenAI API. */
  hasOpenaiErrors?: true
}

export const tags = {
  Videos: 'Submit a video, ask how it fares, find it again.',
  Jobs: 'The jobs of a key, with their history and their changes as they happen.',
  Webhooks: 'The ends of jobs, told to whom they concern.',
  'OpenAI Videos': 'The same jobs in the words of the OpenAI Videos API.',
  Files: 'Finished videos, and what callers keep with the gateway.',
  Models: 'What can be asked for.',
  Account: 'What a key has, may and did.',
  Operation: 'For whoever runs the gateway.',
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

/** How the values of a submit are checked. */
export const preferHeader = {
  prefer: {
    type: 'string',
    description:
      '`handling=strict`: a value that the model does not render is refused. `handling=lenient`: the closest one is rendered, named in `warnings`.',
  },
}

const commonErrorStatuses = [400, 500, 503]
const bodyErrorStatuses = [408, 413, 415]
/** A part of the path may be too long to be looked at. */
const paramErrorStatuses = [414]

/** An operation in the form that @fastify/swagger takes. `own`: what the route declares; it is what validates and what is sent. */
export function describeOperation(operation: OperationDocs, url: string, routeSchema: FastifySchema) {
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
          describeResponse('The answer.', { 'application/json': schema as JsonSchema }),
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
  return `Refused: ${shownCodes.map((code) => `\`${code}\``).join(', ')}.`
}
