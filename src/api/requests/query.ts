import { type Static, type TSchema, type TUnsafe, Type } from '@sinclair/typebox'
import { at, list, text } from '../../../providers/reader.ts'
import { ApiError } from '../errors.ts'

/** Reads a parameter, which is an array if it is repeated; throws an `ApiError` for an invalid value. */
type ParseParameter<Value> = (value: unknown, name: string) => Value

/** The same for a parameter that counts as absent if it is repeated. */
type ParseText<Value> = (valueText: string | undefined, name: string) => Value

/** The key of a parameter's parser in its schema. As a symbol, it does not appear in the OpenAPI document. */
const parser = Symbol('parser')

type Annotations = Readonly<Record<string, unknown>>
type IntegerBounds = { minimum: number; maximum: number; default: number }

/** The schema of a query string. Parameters that it does not name, and those without a parser, stay as they were sent. */
export function querySchema<Parameters extends Readonly<Record<string, TSchema>>>(properties: Parameters) {
  return Type.Unsafe<{ [Name in keyof Parameters]: Static<Parameters[Name]> }>({ type: 'object', properties })
}

export function textParameter(annotations: Annotations = {}): TUnsafe<string | undefined> {
  return defineParameter({ type: 'string', ...annotations }, (valueText) => valueText)
}

/** Rejects what is not a whole number within the bounds. `isCapped`: a larger number counts as the maximum. */
export function integerParameter(bounds: IntegerBounds, { isCapped = false } = {}): TUnsafe<number> {
  const { minimum, maximum, default: defaultValue } = bounds
  return defineParameter({ type: 'integer', ...bounds }, (valueText, name) => {
    const value = Number(valueText ?? defaultValue)
    if (Number.isInteger(value) && value >= minimum && (isCapped || value <= maximum))
      return Math.min(value, maximum)
    const message = `\`${name}\` must be a whole number from ${minimum} to ${maximum}`
    throw new ApiError('invalid_parameter_value', message, { param: name })
  })
}

/** The number of entries on a page of a list. */
export const pageLimitParameter = integerParameter(
  { minimum: 1, maximum: 100, default: 20 },
  { isCapped: true },
)

/** Rejects nothing: the closest whole number within the bounds; the default for what is not a number. */
export function lenientIntegerParameter(bounds: IntegerBounds): TUnsafe<number> {
  const { minimum, maximum, default: defaultValue } = bounds
  return defineParameter({ type: 'integer', ...bounds }, (valueText) => {
    const value = Math.trunc(Number(valueText ?? defaultValue))
    return Number.isNaN(value) ? defaultValue : Math.min(Math.max(value, minimum), maximum)
  })
}

/** Rejects nothing: the default for what is neither yes nor no. */
export function lenientBooleanParameter(defaultValue: boolean): TUnsafe<boolean> {
  const schema = { type: 'string', enum: ['true', 'false'], default: String(defaultValue) }
  return defineParameter(schema, (valueText = '') => {
    if (/^(true|1|yes)$/i.test(valueText)) return true
    return /^(false|0|no)$/i.test(valueText) ? false : defaultValue
  })
}

/** One of some lower-case words, in any case. */
export function enumParameter<Value extends string>(
  values: readonly Value[],
  defaultValue: Value,
): TUnsafe<Value> {
  return defineParameter({ type: 'string', enum: values, default: defaultValue }, (valueText, name) => {
    const word = valueText?.trim().toLowerCase() || defaultValue
    return requireOneOf(values, word, name)
  })
}

/** Some of these words, separated by commas or in repeated parameters. */
export function enumListParameter<Value extends string>(
  values: readonly Value[],
  annotations: Annotations = {},
): TUnsafe<readonly Value[]> {
  return defineRawParameter({ type: 'string', enum: values, ...annotations }, (value, name) => {
    const listText = text(value) ?? list(value).map(String).join(',')
    const words = listText
      .split(',')
      .map((word) => word.trim())
      .filter((word) => word !== '')
    return words.map((word) => requireOneOf(values, word, name))
  })
}

function requireOneOf<Value extends string>(values: readonly Value[], word: string, name: string): Value {
  const value = values.find((candidate) => candidate === word)
  if (value !== undefined) return value
  const message = `\`${name}\` must be one of ${values.join(', ')}; got ${JSON.stringify(word.slice(0, 40))}`
  throw new ApiError('invalid_parameter_value', message, { param: name })
}

export function defineParameter<Value>(annotations: Annotations, parse: ParseText<Value>): TUnsafe<Value> {
  return defineRawParameter(annotations, (value, name) => parse(text(value), name))
}

function defineRawParameter<Value>(annotations: Annotations, parse: ParseParameter<Value>): TUnsafe<Value> {
  return Type.Unsafe<Value>({ ...annotations, [parser]: parse })
}

/** The query with its parameters parsed. */
export function parseQuery<Schema extends TSchema>(schema: Schema, query: unknown): Static<Schema> {
  const parsed = Object.entries(schema.properties as Readonly<Record<string, ParsedSchema>>).flatMap(
    ([name, { [parser]: parse }]) => (parse === undefined ? [] : [[name, parse(at(query, name), name)]]),
  )
  return { ...Object(query), ...Object.fromEntries(parsed) }
}

type ParsedSchema = { [parser]?: ParseParameter<unknown> }

/** The `validatorCompiler` of a route that has a schema for its query string and none for its body. */
export function compileQueryValidator({ schema, httpPart }: { schema: unknown; httpPart?: string }) {
  if (httpPart === 'body') throw new Error('A route has a schema for its query string or for its body')
  // Path parameters are texts already.
  if (httpPart === 'params') return () => true
  return (query: unknown) => {
    try {
      return { value: parseQuery(schema as TSchema, query) }
    } catch (error) {
      return { error: error as Error }
    }
  }
}
