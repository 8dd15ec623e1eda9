import { fields, matchFieldName } from '../../catalogue/fields.ts'
import { ApiError } from '../errors.ts'
import { isCleanText, uncleanTextError } from './body-check.ts'
import { shortenQuoted } from './json-limits.ts'
import type { RequestBody } from './request-body.ts'

/** `name`, `name[]` for one of several, `name[member]` for a member of an object. */
export type FieldName = { name: string; member: string | undefined }

export function parseFieldName(formName: string): FieldName {
  const [, name = formName, member] = /^([^[\]]+)\[([^[\]]*)\]$/.exec(formName) ?? []
  if (!isCleanText(formName)) throw uncleanTextError(formName)
  for (const part of [name, member ?? '']) {
    if (part in Object.prototype) throw new ApiError('invalid_request', ...invalidNameArguments(part))
  }
  return { name, member }
}

/** Collects the fields of a form into the JSON body that it stands for. */
export function createFormBody() {
  const values = new Map<string, unknown>()

  function setMember(name: string, member: string, value: unknown): void {
    const members = values.has(name) ? values.get(name) : new Map<string, unknown>()
    if (!(members instanceof Map)) throw duplicateFieldError(name)
    if (members.has(member)) throw duplicateFieldError(`${name}[${member}]`)
    values.set(name, members.set(member, value))
  }

  return {
    add(field: FieldName, given: unknown): void {
      const { name, member } = field
      const value = typeof given === 'string' ? parseStructuredField(field, given) : given
      const earlier = values.get(name)
      if (member !== undefined && member !== '') setMember(name, member, value)
      else if (earlier === undefined) values.set(name, member === '' ? [value] : value)
      else if (!(earlier instanceof Map) && canRepeat(name, member)) values.set(name, [earlier, value].flat())
      else throw duplicateFieldError(name)
    },

    toBody: (): RequestBody =>
      Object.fromEntries(
        [...values].map(([name, value]) => [name, value instanceof Map ? Object.fromEntries(value) : value]),
      ),
  }
}

/** Unknown fields are ignored, however often they come. */
function canRepeat(name: string, member: string | undefined): boolean {
  const meaning = matchFieldName(name)
  if (meaning === undefined || member === '') return true
  return meaning !== 'metadata' && /list/i.test(fields[meaning.field].kind)
}

/** Forms have no objects and lists: where a field takes one, its text may be JSON. Validation reports other texts. */
function parseStructuredField({ name, member }: FieldName, text: string): unknown {
  const meaning = matchFieldName(name)
  const kind = meaning === undefined || meaning === 'metadata' ? undefined : fields[meaning.field].kind
  const isStructured = kind === 'object' || kind === 'list' || (kind === 'media' && /^\s*\{/.test(text))
  if (!isStructured || member !== undefined || !/^\s*[{[]/.test(text)) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

export function isTextField(name: string): boolean {
  const meaning = matchFieldName(name)
  return meaning !== undefined && meaning !== 'metadata' && fields[meaning.field].kind === 'text'
}

export function parseJsonField(field: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ApiError('invalid_json', `\`${shortenQuoted(field)}\` is not valid JSON`, {
      param: shortenQuoted(field),
      cause,
    })
  }
}

function duplicateFieldError(field: string): ApiError {
  const name = shortenQuoted(field)
  return new ApiError('invalid_parameter_value', `\`${name}\` was given twice; it takes one value`, {
    param: name,
  })
}

function invalidNameArguments(name: string): [string, { param: string }] {
  return [`\`${shortenQuoted(name)}\` is not allowed as the name of a field`, { param: shortenQuoted(name) }]
}
