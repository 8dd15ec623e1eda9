import { falSchemas } from '../../../providers/fal/schema.ts'
import { findViolations, type Violation } from '../../../providers/schema.ts'
import type { SandboxTask } from '../mock-upstream.ts'
import { endingOf } from '../mock-upstream.ts'

type Complaint = {
  loc: readonly string[]
  msg: string
  type: string
  url?: string
  ctx?: object
  input?: unknown
}

const apps = new Set(Object.keys(falSchemas).map(appOf))

/** What FAL says of an endpoint that it does not have; `undefined`: it has it. */
export function missingEndpoint(endpoint: string): string | undefined {
  if (Object.hasOwn(falSchemas, endpoint)) return undefined
  const [, app = '', ...path] = endpoint.split('/')
  return apps.has(appOf(endpoint)) ? `Path /${path.join('/')} not found` : `Application '${app}' not found`
}

/** The first two segments of an endpoint; the others are a path inside of it. */
function appOf(endpoint: string): string {
  return endpoint.split('/').slice(0, 2).join('/')
}

/** What the model says of an input when its turn comes: nothing, what is wrong with it, or that it will not. */
export function complaintsAbout(task: SandboxTask): readonly Complaint[] {
  const ending = endingOf(task.body)
  if (ending === 'refuse') return [refused('content_policy_violation', 'prompt')]
  const schema = falSchemas[task.endpoint] ?? {}
  const options = { nullIsAbsent: true, ignoreUnknown: true }
  const wrong = findViolations(schema, task.body, options).map(complaintOf)
  return ending === 'invalid' ? [...wrong, refused('one_of', 'aspect_ratio')] : wrong
}

/** As FAL words them: its own types where it documents them, else those of Pydantic. */
function complaintOf({ field, kind, value, schema = { type: 'string' } }: Violation): Complaint {
  const loc = ['body', ...field.split('.')]
  const say = (type: string, msg: string, ctx?: object): Complaint => ({
    loc,
    msg,
    type,
    url: `https://docs.fal.ai/errors/#${type}`,
    ...(ctx !== undefined && { ctx }),
    input: value,
  })
  if (kind === 'missing') return refused('missing', ...field.split('.'))
  if (kind === 'enum') {
    const expected = schema.enum ?? []
    return say('one_of', `Input should be ${expected.map((one) => `'${one}'`).join(' or ')}`, { expected })
  }
  if (kind === 'length') {
    const limit = schema.maxLength ?? schema.maxBytes ?? 0
    return say('sequence_too_long', `String should have at most ${limit} characters`, { max_length: limit })
  }
  if (kind === 'range') {
    const { min = -Infinity, max } = schema
    return typeof value === 'number' && value < min
      ? say('greater_than_equal', `Input should be greater than or equal to ${min}`, { ge: min })
      : say('less_than_equal', `Input should be less than or equal to ${max}`, { le: max })
  }
  const [type = 'string'] = [schema.type].flat()
  if (type === 'media' && typeof value === 'string')
    return refused('file_download_error', ...field.split('.'))
  const [code, name] = typeNames[type] ?? ['string_type', 'string']
  return say(code, `Input should be a valid ${name}`)
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

export function refused(type: string, ...field: readonly string[]): Complaint {
  return { loc: ['body', ...field], msg: messages[type] ?? type, type }
}
