import { falSchemas } from '../../../providers/fal/schema.ts'
import { findViolations, type Violation } from '../../../providers/schema.ts'
import type { MockTask } from '../mock-upstream.ts'
import { simulatedEndOf } from '../mock-upstream.ts'

type FalError = {
  loc: readonly string[]
  msg: string
  type: string
  url?: string
  ctx?: object
  input?: unknown
}

const apps = new Set(Object.keys(falSchemas).map(appOf))

/** The error of an endpoint that FAL does not have. */
export function findMissingEndpoint(endpoint: string): string | undefined {
  if (Object.hasOwn(falSchemas, endpoint)) return undefined
  const [, app = '', ...path] = endpoint.split('/')
  return apps.has(appOf(endpoint)) ? `Path /${path.join('/')} not found` : `Application '${app}' not found`
}

/** The first two segments of an endpoint; the others are a path inside of it. */
function appOf(endpoint: string): string {
  return endpoint.split('/').slice(0, 2).join('/')
}

/** The errors in the result of a task. */
export function findFalErrors(task: MockTask): readonly FalError[] {
  const end = simulatedEndOf(task.body)
  if (end === 'refuse') return [createFalError('content_policy_violation', 'prompt')]
  const schema = falSchemas[task.endpoint] ?? {}
  const options = { nullIsAbsent: true, ignoreUnknown: true }
  const errors = findViolations(schema, task.body, options).map(toFalError)
  return end === 'invalid' ? [...errors, createFalError('one_of', 'aspect_ratio')] : errors
}

/** FAL's own error types if it documents them, else those of Pydantic. */
function toFalError({ field, kind, value, schema = { type: 'string' } }: Violation): FalError {
  const loc = ['body', ...field.split('.')]
  const create = (type: string, msg: string, ctx?: object): FalError => ({
    loc,
    msg,
    type,
    url: `https://docs.fal.ai/errors/#${type}`,
    ...(ctx !== undefined && { ctx }),
    input: value,
  })
  if (kind === 'missing') return createFalError('missing', ...field.split('.'))
  if (kind === 'enum') {
    const expected = schema.enum ?? []
    return create('one_of', `Input should be ${expected.map((one) => `'${one}'`).join(' or ')}`, { expected })
  }
  if (kind === 'length') {
    const limit = schema.maxLength ?? schema.maxBytes ?? 0
    return create('sequence_too_long', `String should have at most ${limit} characters`, {
      max_length: limit,
    })
  }
  if (kind === 'range') {
    const { min = -Infinity, max } = schema
    return typeof value === 'number' && value < min
      ? create('greater_than_equal', `Input should be greater than or equal to ${min}`, { ge: min })
      : create('less_than_equal', `Input should be less than or equal to ${max}`, { le: max })
  }
  const [type = 'string'] = [schema.type].flat()
  if (type === 'media' && typeof value === 'string')
    return createFalError('file_download_error', ...field.split('.'))
  const [code, name] = typeNames[type] ?? ['string_type', 'string']
  return create(code, `Input should be a valid ${name}`)
}

const typeNames: Readonly<Record<string, readonly [string, string]>> = {
  integer: ['int_type', 'integer'],
  number: ['float_type', 'number'],
  boolean: ['bool_type', 'boolean'],
  array: ['list_type', 'list'],
}

const messages: Readonly<Record<string, string>> = {
  missing: 'Field required',
  one_of: "Input should be '16:9' or '9:16'",
  file_download_error: 'Failed to download the file. Please check if the URL is accessible and try again.',
  content_policy_violation: 'The content could not be processed because it was flagged by a content checker.',
  downstream_service_unavailable: 'Downstream service unavailable',
}

export function createFalError(type: string, ...field: readonly string[]): FalError {
  return { loc: ['body', ...field], msg: messages[type] ?? type, type }
}
