import { countCharacters } from '../characters.ts'
import type { JsonObject } from '../input.ts'
import { at, flag, list, number, text } from '../reader.ts'
import { commonFields, type ModelSchema, schema } from './schema.ts'

type Violation = {
  code: string
  parameter: string | readonly string[]
  allowedValues?: readonly unknown[]
}

/** What Runware would refuse in a video task before it makes one. */
export function violationOf(task: JsonObject): Violation | undefined {
  const model = schema[text(task, 'model') ?? '']
  if (text(task, 'model') === undefined) return { code: 'missingModel', parameter: 'model' }
  if (model === undefined) return { code: 'modelNotFound', parameter: 'model' }
  const unknown = Object.keys(task).find(
    (name) => !commonFields.includes(name) && !model.fields.includes(name),
  )
  if (unknown !== undefined) return { code: 'unsupportedParameter', parameter: unknown }
  return ofCommon(task, model) ?? ofFrame(task, model) ?? ofSize(task, model) ?? ofSettings(task, model)
}

function ofCommon(task: JsonObject, model: ModelSchema): Violation | undefined {
  const seconds = number(task, 'duration')
  if (seconds !== undefined && !model.durations.includes(seconds)) {
    return { code: 'unsupportedDuration', parameter: 'duration', allowedValues: model.durations }
  }
  for (const name of ['positivePrompt', 'negativePrompt']) {
    const said = at(task, name)
    const fits =
      typeof said === 'string' &&
      said.length >= 2 &&
      countCharacters(said) <= (model.promptLength ?? Infinity)
    if (said !== undefined && !fits) return invalid(name)
  }
  if (at(task, 'positivePrompt') === undefined) return missing('positivePrompt')
  const [guidance, seed, results] = [at(task, 'CFGScale'), at(task, 'seed'), at(task, 'numberResults')]
  if (guidance !== undefined && !isBetween(guidance, 0, 1)) return invalid('CFGScale')
  if (seed !== undefined && !(isBetween(seed, 1, Infinity) && Number.isSafeInteger(seed)))
    return invalid('seed')
  if (results !== undefined && !isBetween(results, 1, 4)) return invalid('numberResults')
  if (flag(task, 'includeCost') === undefined && at(task, 'includeCost') !== undefined)
    return invalid('includeCost')
  return (
    ofWord(task, 'deliveryMethod', ['async']) ??
    ofWord(task, 'outputType', ['URL']) ??
    ofWord(task, 'outputFormat', ['MP4', 'WEBM', 'MOV'])
  )
}

function ofFrame(task: JsonObject, model: ModelSchema): Violation | undefined {
  const inputs = at(task, 'inputs')
  if (inputs === undefined) return model.needsFrame ? missing('inputs.frameImages') : undefined
  const frames = list(inputs, 'frameImages')
  const readable = frames.every(
    (frame) => isPicture(text(frame, 'image')) && ['first', 'last'].includes(text(frame, 'frame') ?? 'first'),
  )
  return frames.length > 0 && readable ? undefined : invalid('inputs.frameImages')
}

function ofSize(task: JsonObject, model: ModelSchema): Violation | undefined {
  const [width, height, resolution] = [at(task, 'width'), at(task, 'height'), at(task, 'resolution')]
  const framed = at(task, 'inputs') !== undefined
  const told = width !== undefined || height !== undefined
  if (model.sizing === 'frame' && framed && told) return incompatible('width', 'height', 'inputs.frameImages')
  if (told && resolution !== undefined) return incompatible('width', 'height', 'resolution')
  const needed = model.sizing === 'always' || (model.sizing === 'frame' && !framed)
  if (!told && needed) return { code: 'missingDimensionParameters', parameter: ['width', 'height'] }
  if (told && !model.sizes?.includes(`${width}x${height}`)) {
    return { code: 'unsupportedDimensions', parameter: ['width', 'height'], allowedValues: model.sizes ?? [] }
  }
  return ofWord(task, 'resolution', ['360p', '540p', '720p', '1080p'])
}

function ofSettings(task: JsonObject, model: ModelSchema): Violation | undefined {
  const given = at(task, 'providerSettings')
  if (given === undefined) return undefined
  const creator = text(task, 'model')?.split(':')[0] ?? ''
  const values = at(given, creator)
  if (typeof values !== 'object' || values === null || Object.keys(given as object).length !== 1) {
    return { code: 'mismatchProviderSettingsProvider', parameter: 'providerSettings' }
  }
  for (const [name, value] of Object.entries(values)) {
    const parameter = `providerSettings.${creator}.${name}`
    const allowed = model.settings?.[name]
    if (allowed === undefined) return { code: 'unsupportedParameter', parameter }
    const fits =
      allowed.length === 0 ? typeof value === 'string' && value.length >= 2 : allowed.includes(value)
    if (!fits) return { code: 'invalidProviderSettings', parameter, allowedValues: allowed }
  }
  const rivals = (model.exclusive ?? []).filter((name) => Object.hasOwn(values, name))
  if (rivals.length > 1) return incompatible(...rivals)
  const barred = model.withoutFrame
  if (barred === undefined || at(task, 'inputs') === undefined || !Object.hasOwn(values, barred))
    return undefined
  return incompatible(`providerSettings.${creator}.${barred}`, 'inputs.frameImages')
}

function ofWord(task: JsonObject, name: string, allowed: readonly string[]): Violation | undefined {
  const value = at(task, name)
  if (value === undefined || allowed.includes(String(value))) return undefined
  return { ...invalid(name), allowedValues: allowed }
}

/** A link, a data URL or the id of an upload. */
function isPicture(image: string | undefined): boolean {
  return /^(https?:\/\/\S+|data:image\/[\w.+-]+;base64,\S+|[0-9a-f]{8}-[0-9a-f-]{27})$/i.test(image ?? '')
}

function isBetween(value: unknown, min: number, max: number): boolean {
  return typeof value === 'number' && value >= min && value <= max
}

function invalid(parameter: string): Violation {
  const field = parameter.split('.').at(-1) ?? parameter
  return { code: `invalid${field.charAt(0).toUpperCase()}${field.slice(1)}`, parameter }
}

function missing(parameter: string): Violation {
  const field = parameter.split('.').at(-1) ?? parameter
  return { code: `missing${field.charAt(0).toUpperCase()}${field.slice(1)}`, parameter }
}

function incompatible(...parameter: readonly string[]): Violation {
  return { code: 'incompatibleParameters', parameter }
}
