import type { JsonObject } from '../input.ts'
import { at, list, text } from '../reader.ts'
import { findViolations, schemaOf, type Violation } from '../schema.ts'
import { runwareCommonFields, runwareSchemas } from './schema.ts'
import type { RunwareSchema } from './task-schema.ts'

/** Why Runware would reject a video task. */
export type TaskViolation = {
  code: string
  parameter: string | readonly string[]
  allowedValues?: readonly unknown[]
  /** The violation of the schema, if it is one of a single field. */
  of?: Violation
}

type Options = { media?: boolean }

export function findTaskViolations(task: JsonObject, options: Options = {}): TaskViolation[] {
  const id = text(task, 'model')
  if (id === undefined) return [{ code: 'missingModel', parameter: 'model' }]
  const model = schemaOf(runwareSchemas, id)
  if (model === undefined) return [{ code: 'modelNotFound', parameter: 'model' }]
  return [
    ...findViolations({ ...runwareCommonFields, ...model.fields }, task, options).map(fromSchema),
    ...checkFrames(task, model, options),
    ...checkSize(task, model),
    ...checkSettings(task, model),
  ]
}

function fromSchema(violation: Violation): TaskViolation {
  const { field, kind, schema } = violation
  const name = field.split('.').at(-1) ?? field
  const allowedValues = schema?.enum
  const details = { parameter: field, of: violation, ...(allowedValues !== undefined && { allowedValues }) }
  if (kind === 'unknown') return { code: 'unsupportedParameter', ...details }
  if (kind === 'missing') return { code: `missing${capitalized(name)}`, ...details }
  if (field === 'duration' && kind === 'enum') return { code: 'unsupportedDuration', ...details }
  return { code: `invalid${capitalized(name)}`, ...details }
}

function checkFrames(task: JsonObject, model: RunwareSchema, { media = true }: Options): TaskViolation[] {
  const parameter = 'inputs.frameImages'
  const inputs = at(task, 'inputs')
  if (inputs === undefined) {
    return model.needsFrame ? [{ code: 'missingFrameImages', parameter }] : []
  }
  const { frameImages: _frames, ...files } = inputs as JsonObject
  const wrongFiles = findViolations(model.inputs ?? {}, files, { media }).map((violation) =>
    fromSchema({ ...violation, field: `inputs.${violation.field}` }),
  )
  if (at(inputs, 'frameImages') === undefined && model.inputs !== undefined) return wrongFiles
  const frames = list(inputs, 'frameImages')
  const isReadable = (frame: unknown) =>
    (!media || isPicture(text(frame, 'image'))) && ['first', 'last'].includes(text(frame, 'frame') ?? 'first')
  const fits = frames.length > 0 && frames.every(isReadable)
  return fits ? wrongFiles : [{ code: 'invalidFrameImages', parameter }, ...wrongFiles]
}

function checkSize(task: JsonObject, model: RunwareSchema): TaskViolation[] {
  const [width, height, resolution] = [at(task, 'width'), at(task, 'height'), at(task, 'resolution')]
  const sizingInputs = ['frameImages', 'video', ...(model.isSizedByReferences ? ['referenceImages'] : [])]
  const framed = sizingInputs.some((name) => at(task, 'inputs', name) !== undefined)
  const sized = width !== undefined || height !== undefined
  if (model.sizing === 'frame' && framed && sized) {
    return [incompatible('width', 'height', 'inputs.frameImages')]
  }
  if (sized && resolution !== undefined) return [incompatible('width', 'height', 'resolution')]
  const needed =
    model.sizing === 'always' || (model.sizing === 'frame' && !framed && resolution === undefined)
  const parameter = ['width', 'height']
  if (!sized && needed) return [{ code: 'missingDimensionParameters', parameter }]
  const sizes = model.sizes ?? Object.values(model.sizeTable ?? {}).flatMap((row) => Object.values(row))
  if (sized && !sizes.includes(`${width}x${height}`)) {
    return [{ code: 'unsupportedDimensions', parameter, allowedValues: sizes }]
  }
  return []
}

function checkSettings(task: JsonObject, model: RunwareSchema): TaskViolation[] {
  const isBare = model.settingsBelow === null
  const given = at(task, isBare ? 'settings' : 'providerSettings')
  if (at(task, isBare ? 'providerSettings' : 'settings') !== undefined)
    return [{ code: 'unsupportedParameter', parameter: isBare ? 'providerSettings' : 'settings' }]
  if (given === undefined) return []
  const below = model.settingsBelow ?? text(task, 'model')?.split(':')[0] ?? ''
  const values = isBare ? given : at(given, below)
  const isMisplaced = !isBare && Object.keys(given as object).length !== 1
  if (typeof values !== 'object' || values === null || isMisplaced) {
    return [{ code: 'mismatchProviderSettingsProvider', parameter: 'providerSettings' }]
  }
  const prefix = isBare ? 'settings' : `providerSettings.${below}`
  const wrong = findViolations(model.settings ?? {}, values).map((violation): TaskViolation => {
    const parameter = `${prefix}.${violation.field}`
    if (violation.kind === 'unknown') return { code: 'unsupportedParameter', parameter, of: violation }
    const allowedValues = violation.schema?.enum ?? []
    return { code: 'invalidProviderSettings', parameter, allowedValues, of: violation }
  })
  const rivals = (model.exclusive ?? []).filter((name) => Object.hasOwn(values, name))
  const barred = model.withoutFrame
  const isBarred = barred !== undefined && at(task, 'inputs') !== undefined && Object.hasOwn(values, barred)
  return [
    ...wrong,
    ...(rivals.length > 1 ? [incompatible(...rivals)] : []),
    ...(isBarred ? [incompatible(`${prefix}.${barred}`, 'inputs.frameImages')] : []),
  ]
}

/** A link, a data URL or the id of an upload. */
function isPicture(image: string | undefined): boolean {
  return /^(https?:\/\/\S+|data:image\/[\w.+-]+;base64,\S+|[0-9a-f]{8}-[0-9a-f-]{27})$/i.test(image ?? '')
}

function incompatible(...parameter: readonly string[]): TaskViolation {
  return { code: 'incompatibleParameters', parameter }
}

function capitalized(word: string): string {
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`
}
