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
  names?: Readonly<Partial<Record<Variant, Readonly<Record<string, Field>>>>>
  /** Our fields that the model implies, and this upstream must be told. */
  implied?: Input
  /** Our fields that may be dropped, because they change no more than the taste of a result. */
  optional?: readonly Field[]
  /** What else this upstream cannot render. */
  unsupported?: EndpointMapping['unsupported']
  note?: string
}

/** `frames`: a first and a last image, where that is an endpoint of its own. */
type Variant = Operation | 'frames'
type Endpoints = Readonly<Partial<Record<Variant, string>>>

/**
 * Maps inputs by the schemas of the endpoints: each field that an endpoint lists gets the value of our field of that name, in the type and
 * spelling that the schema asks for. An input with a field that the endpoint does not list cannot be rendered as requested.
 */
export function createSchemaMapper({ title, schemas, fieldNames }: Dialect) {
  return (endpoints: Endpoints, options: MappingOptions = {}): EndpointMapping => {
    const variants = Object.keys(endpoints) as Variant[]
    const supported = variants.filter((variant) => variant !== 'frames') as [Operation, ...Operation[]]
    const variantOf = (input: Input): Variant => {
      const operation = operationOf(supported, input)
      const hasFrames = operation === 'image' && input.last_image !== undefined
      return hasFrames && endpoints.frames !== undefined ? 'frames' : operation
    }
    const fieldOf = (variant: Variant, name: string) =>
      options.names?.[variant]?.[name] ?? fieldNames[name] ?? (name as Field)
    const schemaFor = (variant: Variant): BodySchema => {
      const endpoint = endpoints[variant] ?? ''
      const schema = schemas[endpoint]
      if (schema === undefined) throw new Error(`${title} has no schema of ${endpoint}`)
      return schema
    }
    for (const variant of variants) schemaFor(variant)
    return {
      endpoints,
      toRequest(input) {
        const variant = variantOf(input)
        const body = Object.entries(schemaFor(variant)).map(([name, schema]) => [
          name,
          toUpstreamValue({ ...options.implied, ...input }[fieldOf(variant, name)], schema),
        ])
        return { endpoint: variant, body: withoutUndefined(Object.fromEntries(body)) }
      },
      unsupported(input) {
        const { operation } = input
        if (operation !== undefined && operationOf(supported, input) !== operation)
          return `${title} does not render the operation ${operation} of this model`
        const variant = variantOf(input)
        const taken = new Set(Object.keys(schemaFor(variant)).map((name) => fieldOf(variant, name)))
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

/** Words for the states of what is a switch elsewhere. */
const switchWords = new Map([
  ['enabled', true],
  ['disabled', false],
  ['balanced', true],
  ['multi', true],
  ['single', false],
  ['origin', true],
  ['auto', false],
])

function findSwitchWord(value: boolean, choices: readonly Json[]): Json | undefined {
  return choices.find((choice) => switchWords.get(String(choice)) === value)
}

/** A value in the type and spelling of the schema; as it is where no spelling fits, so that the check finds it. */
export function toUpstreamValue(value: Input[Field], schema: FieldSchema): Json | undefined {
  if (value === undefined) return undefined
  const types = [schema.type].flat()
  if (typeof value === 'boolean' && schema.enum !== undefined)
    return findSwitchWord(value, schema.enum) ?? value
  if (typeof value === 'string' || typeof value === 'number') {
    if (types.includes('boolean')) return switchWords.get(String(value)) ?? value
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

/** A mapping of inputs that are changed first, where an upstream combines or splits our fields. */
export function adaptInput(change: (input: Input) => Input, mapping: EndpointMapping): EndpointMapping {
  return {
    ...mapping,
    toRequest: (input) => mapping.toRequest(change(input)),
    unsupported: (input) => mapping.unsupported?.(change(input)),
  }
}

/** One of several mappings, by the value of a field; operators may replace the endpoints of each. */
export function selectMapping<Key extends string>(
  select: (input: Input) => Key,
  mappings: Readonly<Record<Key, EndpointMapping>>,
): EndpointMapping {
  const endpoints = Object.entries<EndpointMapping>(mappings).flatMap(([key, mapping]) =>
    Object.entries(mapping.endpoints).map(([variant, endpoint]) => [`${key}-${variant}`, endpoint]),
  )
  return {
    endpoints: Object.fromEntries(endpoints),
    toRequest(input) {
      const key = select(input)
      const { endpoint, body } = mappings[key].toRequest(input)
      return { endpoint: `${key}-${endpoint}`, body }
    },
    unsupported: (input) => mappings[select(input)].unsupported?.(input),
  }
}
