import type { FastifySchema } from 'fastify'
import { type ErrorCode, errors } from '../errors.ts'

export type JsonSchema = Readonly<Record<string, unknown>>

/** What a route's own schema does not tell of it. */
export type Operation = {
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
  refusals?: readonly number[]
  keyless?: true
  /** The refusals have the body of the OpenAI API. */
  openai?: true
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

export function refer(component: string): JsonSchema {
  return { $ref: `#/components/schemas/${component}` }
}

export function json(schema: JsonSchema): NonNullable<Operation['body']> {
  return { 'application/json': schema }
}

export function reply(description: string, content: Readonly<Record<string, JsonSchema>>): JsonSchema {
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

const always = [400, 500, 503]
const withBody = [408, 413, 415]
/** A part of the path may be too long to be looked at. */
const withParams = [414]

/** An operation in the form that @fastify/swagger takes. `own`: what the route declares; it is what validates and what is sent. */
export function describeOperation(operation: Operation, url: string, own: FastifySchema) {
  const { id, tag, summary, description, query, headers, body, replies, refusals = [], keyless } = operation
  const carriesBody = body !== undefined || own.body !== undefined
  const statuses = [
    ...always,
    ...(keyless ? [] : [401]),
    ...(carriesBody ? withBody : []),
    ...(url.includes(':') ? withParams : []),
    ...refusals,
  ]
  const refusal = refer(operation.openai ? 'OpenAIError' : 'Error')
  return {
    ...own,
    operationId: id,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    ...(keyless && { security: [] }),
    ...(query !== undefined && { querystring: { type: 'object', properties: query } }),
    ...(headers !== undefined && { headers: { type: 'object', properties: headers } }),
    ...(body !== undefined && { body: { content: reply('', body).content } }),
    response: {
      ...Object.fromEntries(
        Object.entries(own.response ?? {}).map(([status, schema]) => [
          status,
          reply('The answer.', { 'application/json': schema as JsonSchema }),
        ]),
      ),
      ...replies,
      ...Object.fromEntries(
        statuses
          .toSorted()
          .map((status) => [status, reply(codesOf(status), { 'application/json': refusal })]),
      ),
    },
  }
}

function codesOf(status: number): string {
  const codes = (Object.keys(errors) as ErrorCode[]).filter((code) => errors[code].status === status)
  const told = codes.length > 0 ? codes : ['invalid_request']
  return `Refused: ${told.map((code) => `\`${code}\``).join(', ')}.`
}
