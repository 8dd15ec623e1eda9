import { countCharacters } from './characters.ts'

/** What an upstream checks in one field. Only limits that the upstream publishes, or that were seen in its refusals. */
export type FieldSchema = {
  /** `url`: an http(s) link; `media`: a data URL too. Several: any of them. */
  type: FieldType | readonly FieldType[]
  required?: true
  enum?: readonly (string | number | boolean)[]
  /** Bounds of a number, or of how many entries a list has. */
  min?: number
  max?: number
  /** Characters, counted as code points; the shortest text without the spaces around it. */
  minLength?: number
  maxLength?: number
  /** UTF-8 bytes. */
  maxBytes?: number
  pattern?: RegExp
  /** Of an object; keys that are not named here are rejected. */
  fields?: BodySchema
  /** Of a list. */
  items?: FieldSchema
}

type FieldType = 'string' | 'url' | 'media' | 'integer' | 'number' | 'boolean' | 'object' | 'array'

export type BodySchema = Readonly<Record<string, FieldSchema>>

export const anyString = { type: 'string' } as const satisfies FieldSchema
export const requiredPrompt = { type: 'string', required: true } as const satisfies FieldSchema
export const anyBoolean = { type: 'boolean' } as const satisfies FieldSchema
export const anyInteger = { type: 'integer' } as const satisfies FieldSchema
export const anyNumber = { type: 'number' } as const satisfies FieldSchema

export function oneOf(...values: readonly string[]) {
  return { type: 'string', enum: values } as const satisfies FieldSchema
}

/** The schema of an endpoint or a model; absent: it has none. */
export function schemaOf<Schema>(schemas: Readonly<Record<string, Schema>>, id: string): Schema | undefined {
  return Object.hasOwn(schemas, id) ? schemas[id] : undefined
}

/** A value that an upstream rejects. `field` is the upstream's name, with dots for nested ones. */
export type Violation = {
  field: string
  kind: 'unknown' | 'missing' | 'type' | 'enum' | 'range' | 'length' | 'pattern'
  value?: unknown
  schema?: FieldSchema
}

type Options = {
  /** Whether `null` stands for a field that is not set. */
  nullIsAbsent?: boolean
  /** For upstreams that ignore fields that they do not list. */
  ignoreUnknown?: boolean
  /** Whether links are checked: before a job exists, a file of ours has none yet. */
  media?: boolean
}

/** All that the upstream would reject in a body. */
export function findViolations(schema: BodySchema, body: unknown, options: Options = {}): Violation[] {
  if (!isObject(body)) return [{ field: '', kind: 'type', value: body }]
  const isGiven = (value: unknown) => value !== undefined && (value !== null || options.nullIsAbsent !== true)
  const given = Object.entries(body).filter(([, value]) => isGiven(value))
  const unlisted = given.filter(([name]) => !Object.hasOwn(schema, name))
  const unknown = unlisted.map(([field, value]): Violation => ({ field, kind: 'unknown', value }))
  const known = Object.entries(schema).flatMap(([field, rule]): Violation[] => {
    const value = Object.hasOwn(body, field) ? body[field] : undefined
    if (isGiven(value)) return checkValue(field, value, rule, options)
    return rule.required === true ? [{ field, kind: 'missing', schema: rule }] : []
  })
  return options.ignoreUnknown === true ? known : [...unknown, ...known]
}

function checkValue(field: string, value: unknown, schema: FieldSchema, options: Options): Violation[] {
  const wrong = (kind: Violation['kind']): Violation[] => [{ field, kind, value, schema }]
  const types = [schema.type].flat()
  if (!types.some((type) => isOfType(value, type, options))) return wrong('type')
  if (schema.enum !== undefined && !schema.enum.some((choice) => choice === value)) return wrong('enum')
  if (typeof value === 'number' && isOutside(value, schema)) return wrong('range')
  if (typeof value === 'string' && !types.some(isLink)) return checkText(value, schema).flatMap(wrong)
  if (Array.isArray(value)) {
    if (isOutside(value.length, schema)) return wrong('range')
    const { items } = schema
    return items === undefined
      ? []
      : value.flatMap((item, at) => checkValue(`${field}.${at}`, item, items, options))
  }
  return schema.fields === undefined ? [] : inside(field, findViolations(schema.fields, value, options))
}

function checkText(value: string, schema: FieldSchema): Violation['kind'][] {
  const { minLength = 0, maxLength = Infinity, maxBytes = Infinity, pattern } = schema
  const tooShort = minLength > 0 && countCharacters(value.trim()) < minLength
  const tooLong = value.length > maxLength && countCharacters(value) > maxLength
  // No character takes more than three bytes for each of its UTF-16 units.
  const tooLarge = value.length * 3 > maxBytes && Buffer.byteLength(value) > maxBytes
  if (tooShort || tooLong || tooLarge) return ['length']
  return pattern === undefined || pattern.test(value) ? [] : ['pattern']
}

function isOfType(value: unknown, type: FieldType, { media = true }: Options): boolean {
  switch (type) {
    case 'integer':
      return Number.isSafeInteger(value)
    case 'number':
      return Number.isFinite(value)
    case 'array':
      return Array.isArray(value)
    case 'object':
      return isObject(value)
    case 'url':
      return typeof value === 'string' && (!media || isUrl(value))
    case 'media':
      return typeof value === 'string' && (!media || isUrl(value) || /^data:/.test(value))
    case 'string':
      // A lone half of a character is no text for anyone who reads UTF-8.
      return typeof value === 'string' && value.isWellFormed() && !value.includes('\0')
    default:
      return typeof value === type
  }
}

function isUrl(value: string): boolean {
  return /^https?:\/\//.test(value) && URL.canParse(value)
}

function isLink(type: FieldType): boolean {
  return type === 'url' || type === 'media'
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isOutside(value: number, { min = -Infinity, max = Infinity }: FieldSchema): boolean {
  return value < min || value > max
}

function inside(field: string, violations: readonly Violation[]): Violation[] {
  return violations.map((one) => ({ ...one, field: one.field === '' ? field : `${field}.${one.field}` }))
}

/** What a field must be, to follow its name: `must be from 2 to 2500 characters`. */
export function describe({ kind, schema }: Violation): string {
  if (kind === 'unknown') return 'is not supported'
  if (kind === 'missing') return 'is required'
  if (schema?.enum !== undefined) return `must be one of ${schema.enum.join(', ')}`
  if (kind === 'range') return `must be ${rangeOf(schema?.min, schema?.max)}`
  if (kind === 'length' && schema?.maxBytes !== undefined)
    return `must be at most ${schema.maxBytes} bytes of UTF-8`
  if (kind === 'length') return `must be ${rangeOf(schema?.minLength, schema?.maxLength)} characters`
  if (kind === 'pattern') return 'has the wrong form'
  return `must be of type ${[schema?.type ?? 'object'].flat().join(' or ')}`
}

function rangeOf(min: number | undefined, max: number | undefined): string {
  if (min === undefined) return `at most ${max}`
  return max === undefined ? `at least ${min}` : `from ${min} to ${max}`
}
