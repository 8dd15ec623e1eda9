import type { Field, Input, JsonObject, Operation } from '../input.ts'
import { withoutUndefined } from '../models.ts'
import { operationOf } from '../operation.ts'
import type { EndpointMapping } from '../provider.ts'
import type { BodySchema } from '../schema.ts'
import { findUntakenField, type MappingOptions, toUpstreamValue } from '../schema-mapping.ts'
import { inputNames, runwareFieldNames, settingNames } from './fields.ts'
import type { RunwareSchema } from './task-schema.ts'

type Models = Readonly<Partial<Record<Operation, string>>>

/** Maps models to AIR IDs whose schemas are known; the counterpart of `createSchemaMapper` for Runware's nested tasks. */
export function createRunwareMapper(schemas: Readonly<Record<string, RunwareSchema>>) {
  return (endpoints: Models, options: MappingOptions = {}): EndpointMapping => {
    const supported = Object.keys(endpoints) as [Operation, ...Operation[]]
    const schemaFor = (operation: Operation): RunwareSchema => {
      const schema = schemas[endpoints[operation] ?? '']
      if (schema === undefined) throw new Error(`Runware has no schema of ${endpoints[operation]}`)
      return schema
    }
    for (const operation of supported) schemaFor(operation)
    return {
      endpoints,
      toRequest(input) {
        const operation = operationOf(supported, input)
        const creator = endpoints[operation]?.split(':')[0] ?? ''
        return {
          endpoint: operation,
          body: toTaskBody(schemaFor(operation), creator, { ...options.implied, ...input }),
        }
      },
      unsupported(input) {
        const operation = operationOf(supported, input)
        if (input.operation !== undefined && operation !== input.operation)
          return `Runware does not render the operation ${input.operation} of this model`
        const schema = schemaFor(operation)
        const untaken = findUntakenField(input, listTakenFields(schema), options.optional)
        if (untaken !== undefined) return `Runware takes no ${untaken} for this model`
        if (hasUnlistedSize(schema, input))
          return `Runware does not render this model in ${input.aspect_ratio} and ${input.resolution}`
        return options.unsupported?.(input)
      },
      ...(options.note !== undefined && { note: options.note }),
    }
  }
}

function toTaskBody(schema: RunwareSchema, creator: string, input: Input): JsonObject {
  const { fields, inputs = {}, settings = {}, settingsBelow = creator } = schema
  const { width: _width, height: _height, resolution: _resolution, ...ownFields } = fields
  const frames = toFrames(input)
  const files = fill(inputs, inputNames, input)
  const inputFiles = withoutUndefined({ ...files, frameImages: schema.takesFrames ? frames : undefined })
  const given = fill(settings, settingNames, input)
  const values = Object.keys(given).length === 0 ? undefined : given
  return withoutUndefined({
    ...fill(ownFields, runwareFieldNames, input),
    ...toSize(schema, input),
    inputs: Object.keys(inputFiles).length === 0 ? undefined : inputFiles,
    settings: settingsBelow === null ? values : undefined,
    providerSettings:
      settingsBelow === null || values === undefined ? undefined : { [settingsBelow]: values },
  })
}

function fill(schema: BodySchema, names: Readonly<Record<string, Field>>, input: Input): JsonObject {
  const values = Object.entries(schema).map(([name, rule]) => [
    name,
    toUpstreamValue(input[names[name] ?? (name as Field)], rule),
  ])
  return withoutUndefined(Object.fromEntries(values))
}

/** Each frame is named: a lone last one could be taken for the first. */
function toFrames({ image, last_image }: Input): readonly JsonObject[] | undefined {
  const frames = [
    ...(image === undefined ? [] : [{ image, frame: 'first' }]),
    ...(last_image === undefined ? [] : [{ image: last_image, frame: 'last' }]),
  ]
  return frames.length === 0 ? undefined : frames
}

/** A listed size or, where the frame decides the ratio, a resolution; never both. */
function toSize(schema: RunwareSchema, input: Input): JsonObject {
  const { fields, sizing } = schema
  const resolution = fields.resolution && toUpstreamValue(input.resolution, fields.resolution)
  const isFramed = sizing === 'frame' && hasFrame(schema, input)
  if (sizing === 'never' || isFramed) return { resolution }
  const size = findSize(schema, input)
  if (size === undefined) return { resolution }
  const [width, height] = size.split('x').map(Number)
  return { width, height }
}

function hasFrame({ isSizedByReferences }: RunwareSchema, input: Input): boolean {
  const { image, last_image, video, referenceImages } = input
  return (image ?? last_image ?? video ?? (isSizedByReferences ? referenceImages : undefined)) !== undefined
}

function findSize({ sizeTable = {} }: RunwareSchema, input: Input): string | undefined {
  const rows = Object.entries(sizeTable)
  const [firstRow] = rows
  const row = rows.find(([resolution]) => resolution === input.resolution) ?? firstRow
  return row?.[1][input.aspect_ratio ?? '16:9']
}

function hasUnlistedSize(schema: RunwareSchema, input: Input): boolean {
  const { sizeTable, sizing } = schema
  if (sizeTable === undefined || input.aspect_ratio === undefined) return false
  if (sizing === 'frame' && hasFrame(schema, input)) return false
  return findSize(schema, input) === undefined
}

function listTakenFields(schema: RunwareSchema): ReadonlySet<Field> {
  const { fields, inputs = {}, settings = {}, takesFrames, sizeTable } = schema
  return new Set<Field>([
    ...Object.keys(fields).map((name) => runwareFieldNames[name] ?? (name as Field)),
    ...Object.keys(inputs).map((name) => inputNames[name] ?? (name as Field)),
    ...Object.keys(settings).map((name) => settingNames[name] ?? (name as Field)),
    ...(takesFrames === true ? (['image', 'last_image'] as const) : []),
    ...(sizeTable === undefined ? [] : (['aspect_ratio', 'resolution'] as const)),
  ])
}
