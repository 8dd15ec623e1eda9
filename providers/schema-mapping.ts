import type { Field, Input, Json, Operation } from './input.ts'
import { withoutUndefined } from './models.ts'
import { operationOf } from './operation.ts'
import type { EndpointMapping } from './provider.ts'
import type { BodySchema, FieldSchema } from './schema.ts'

type Dialect = {
  /** The upstream's name for people. */
  title: string
  /** Endpoint -> its fields. */
  schemas: Readonly<Record<string, BodySchema>>
  /** The upstream's name of a field -> ours, where they differ. */
  fieldNames: Readonly<Record<string, Field>>
}

export type MappingOptions = {
  /** Other names than the usual ones in one operation: the upstream's name of a field -> ours. */
  names?: Readonly<Partial<Record<Operation, Readonly<Record<string, Field>>>>>
  /** Our fields that the model implies, and this upstream must be told. */
  implied?: Input
  /** Our fields that may be dropped, because they change no more than the taste of a result. */
  optional?: readonly Field[]
  /** What else this upstream cannot render. */
  unsupported?: EndpointMapping['unsupported']
  note?: string
}

type Endpoints = Readonly<Partial<Record<Operation, string>>>

/**
 * Maps inputs by the schemas of the endpoints: each field that an endpoint lists gets the value of our field of that name, in the type and
 * spelling that the schema asks for. An input with a field that the endpoint does not list cannot be rendered as requested.
 */
export function createSchemaMapper({ title, schemas, fieldNames }: Dialect) {
  return (endpoints: Endpoints, options: MappingOptions = {}): EndpointMapping => {
    const supported = Object.keys(endpoints) as [Operation, ...Operation[]]
    const fieldOf = (operation: Operation, name: string) =>
      options.names?.[operation]?.[name] ?? fieldNames[name] ?? (name as Field)
    const schemaFor = (operation: Operation): BodySchema => {
      const endpoint = endpoints[operation] ?? ''
      const schema = schemas[endpoint]
      if (schema === undefined) throw new Error(`${title} has no schema of ${endpoint}`)
      return schema
    }
    for (const operation of supported) schemaFor(operation)
    return {
      endpoints,
      toRequest(input) {
        const operation = operationOf(supported, input)
        const body = Object.entries(schemaFor(operation)).map(([name, schema]) => [
          name,
          toUpstreamValue({ ...options.implied, ...input }[fieldOf(operation, name)], schema),
        ])
        return { endpoint: operation, body: withoutUndefined(Object.fromEntries(body)) }
      },
      unsupported(input) {
        const operation = operationOf(supported, input)
        if (input.operation !== undefined && operation !== input.operation)
          return `${title} does not render the operation ${input.operation} of this model`
        const taken = new Set(Object.keys(schemaFor(operation)).map((name) => fieldOf(operation, name)))
        const untaken = findUntakenField(input, taken, options.optional)
        if (untaken !== undefined) return `${title} takes no ${untaken} for this model`
        return options.unsupported?.(input)
      },
      ...(options.note !== undefined && { note: options.note }),
    }
  }
}

/** What no endpoint needs to take: the operation selects the endpoint, and lengths of sources are for billing. */
const neutralFields: readonly Field[] = ['operation', 'videoDuration', 'audioDuration', 'billedDuration']

/** A field that is set, but that the upstream does not take. A switch that is off asks for nothing. */
export function findUntakenField(
  input: Input,
  taken: ReadonlySet<Field>,
  optional: readonly Field[] = [],
): Field | undefined {
  return (Object.keys(input) as Field[]).find(
    (field) =>
      !taken.has(field) &&
      !neutralFields.includes(field) &&
      !optional.includes(field) &&
      input[field] !== undefined &&
      input[field] !== false,
  )
}

/** Other names of the same resolution. */
const resolutionNames: Readonly<Record<string, string>> = {
  '1440p': '2k',
  '2160p': '4k',
  '2k': '1440p',
  '4k': '2160p',
}

/** A value in the type and spelling of the schema; as it is where no spelling fits, so that the check finds it. */
export function toUpstreamValue(value: Input[Field], schema: FieldSchema): Json | undefined {
  if (value === undefined) return undefined
  const types = [schema.type].flat()
  if (typeof value === 'string' || typeof value === 'number') {
    if (schema.enum !== undefined) return findSpelling(value, schema.enum) ?? value
    if (types.includes('array')) return [value]
    if (types.includes('string') && typeof value === 'number') return String(value)
    return value
  }
  if (Array.isArray(value) && !types.includes('array') && value.length === 1) return value[0] as Json
  return value as Json
}

/** The listed spelling of a value: other letter case, `8s` or `"8"` for 8, `1280*720` for `1280x720`, `2k` for `1440p`. */
function findSpelling(
  value: string | number,
  choices: readonly (string | number | boolean)[],
): string | number | boolean | undefined {
  const word = String(value).toLowerCase()
  const spellings = [word, `${word}s`, word.replace('x', '*'), resolutionNames[word]]
  return (
    choices.find((choice) => choice === value) ??
    choices.find((choice) => spellings.includes(String(choice).toLowerCase()))
  )
}
