import type { Field, Input } from '../../providers/input.ts'
import { operationOf } from '../../providers/operation.ts'
import { allFields, fields } from './fields.ts'
import type { Mode, Model, Price, Rate, Rule } from './model.ts'
import { findRule, widestRule } from './rules.ts'
import { parseShape } from './validation/video-shape.ts'

type PriceQuote = {
  usd: number
  /** Billed seconds, if the price depends on them. */
  seconds?: number
}

/** The price of a job. Throws if the model has no rate for a valid input; a test excludes that. */
export function quotePrice(model: Model, input: Input): PriceQuote {
  const rateUsd = findRate(model, input).usd
  const filesUsd = priceOfFiles(model.price, input) + priceOfSourceSeconds(model.price, input)
  if (model.price.per === 'video') return { usd: roundUsd(rateUsd + filesUsd) }
  const seconds = countBilledSeconds(model, input)
  return { usd: roundUsd(rateUsd * seconds * countUnits(model.price, input) + filesUsd), seconds }
}

/** The files of a list that are billed one by one. */
function priceOfFiles({ perFile }: Price, input: Input): number {
  if (perFile === undefined) return 0
  const count = [input[perFile.field] ?? []].flat().length
  return Math.max(count - (perFile.free ?? 0), 0) * perFile.usd
}

/** Sources with a price of their own. */
function priceOfSourceSeconds(price: Price, input: Input): number {
  return (price.sourceSeconds?.usd ?? 0) * countSourceSeconds(price, input)
}

/** Of a model that is billed by its pixels: they are counted in 16:9. */
function megapixelsPerSecond({ framesPerSecond = 0 }: Price, { resolution = '' }: Input): number {
  const { lines = 0 } = parseShape(resolution)
  return (lines * lines * (16 / 9) * framesPerSecond) / 1e6
}

export function findRate(model: Model, input: Input): Rate {
  const requestMode = operationOf(model.modes, input)
  const rate = model.price.rates.find(
    ({ when = {}, given = [], mode = requestMode }) =>
      mode === requestMode &&
      given.every((field) => input[field] !== undefined) &&
      Object.entries(when).every(([field, value]) => input[field as Field] === value),
  )
  if (rate === undefined) throw new Error(`${model.id} has no rate for this input`)
  return rate
}

function countBilledSeconds({ price }: Model, input: Input): number {
  const lengths = (price.secondsFrom ?? ['duration']).map((field) => input[field])
  const seconds = lengths.find((value) => typeof value === 'number') ?? price.defaultSeconds ?? 0
  const sourceSeconds = price.sourceSeconds?.usd === undefined ? countSourceSeconds(price, input) : 0
  return roundUpSeconds(price, seconds + sourceSeconds)
}

/** The seconds of the sources that are billed. */
export function countSourceSeconds(price: Price, input: Input): number {
  const { sourceSeconds } = price
  if (sourceSeconds === undefined || sourceSeconds.media.every((field) => input[field] === undefined))
    return 0
  const stated = input[sourceSeconds.length]
  return typeof stated === 'number' ? stated : countUnstatedSourceSeconds(price, input)
}

/** The seconds that are billed for sources whose length the caller has not stated. */
export function countUnstatedSourceSeconds({ sourceSeconds }: Price, input: Input): number {
  if (sourceSeconds === undefined || typeof input[sourceSeconds.length] === 'number') return 0
  const files = sourceSeconds.media.flatMap((field) => input[field] ?? [])
  return files.length * sourceSeconds.default
}

/** The billed seconds of a length. */
export function roundUpSeconds(
  { minimumSeconds = 0, stepSeconds = 0 }: Pick<Price, 'minimumSeconds' | 'stepSeconds'>,
  seconds: number,
): number {
  const minimum = Math.max(seconds, minimumSeconds)
  return stepSeconds > 0 ? roundUsd(Math.ceil(roundUsd(minimum / stepSeconds)) * stepSeconds) : minimum
}

/** Rounds USD to remove floating-point noise. */
function roundUsd(usd: number): number {
  return Math.round(usd * 1e8) / 1e8
}

type ModelPricing = {
  currency: 'USD'
  per_second?: number
  per_second_by_resolution?: Readonly<Record<string, number>>
  text_to_video_per_second?: Readonly<Record<string, number>>
  image_to_video_per_second?: Readonly<Record<string, number>>
  per_video?: number
  per_resolution?: Readonly<Record<string, number>>
  per_duration?: Readonly<Record<string, number>>
  audio_multiplier?: number
  minimum?: number
  default_duration?: number
  supported_durations?: readonly number[]
  fixed_duration_seconds?: number
}

/**
 * The price in the format of the model list; other fields have the model's defaults. `offered`: converts our cost to the price for
 * clients.
 */
export function buildPricing(model: Model, toClientUsd = (usd: number) => usd): ModelPricing {
  const { per, minimumSeconds } = model.price
  const typical = buildTypicalInput(model)
  const unitUsd = (input: Input) =>
    roundUsd(toClientUsd(findRate(model, input).usd * countUnits(model.price, input)))
  const usd = unitUsd(typical)
  const isPerSecond = per !== 'video'
  const priceWith = (overrides: Input) => {
    const input = { ...typical, ...overrides }
    const needsPro = model.check?.(input)?.code === 'pro_required'
    return unitUsd(needsPro ? { ...input, pro_mode: true } : input)
  }
  const pricesByChoice = (field: Field) => {
    const choices = widestRule(model, field)?.choices ?? []
    return Object.fromEntries(choices.map((value) => [String(value), priceWith({ [field]: value })]))
  }
  const resolutionPrices = isPricedBy(model, 'resolution') && pricesByChoice('resolution')
  const audioPrice = isPricedBy(model, 'generateAudio') && priceWith({ generateAudio: true })
  const silentPrice = isPricedBy(model, 'generateAudio') && priceWith({ generateAudio: false })
  return {
    currency: 'USD',
    ...(isPerSecond ? { per_second: usd } : { per_video: usd }),
    ...(resolutionPrices &&
      (isPerSecond ? { per_second_by_resolution: resolutionPrices } : { per_resolution: resolutionPrices })),
    ...(isPerSecond &&
      model.price.rates.some(({ mode }) => mode !== undefined) && {
        text_to_video_per_second: pricesByResolution(model, priceWith),
        image_to_video_per_second: pricesByResolution(model, (overrides) =>
          priceWith({ ...overrides, image: '' }),
        ),
      }),
    ...(per === 'video' && isPricedBy(model, 'duration') && { per_duration: pricesByChoice('duration') }),
    ...(audioPrice && silentPrice && { audio_multiplier: roundUsd(audioPrice / silentPrice) }),
    ...(isPerSecond && minimumSeconds !== undefined && { minimum: roundUsd(usd * minimumSeconds) }),
    ...durationPricing(model),
  }
}

/** The units of a rate in a second of the video. */
function countUnits(price: Price, input: Input): number {
  return price.per === 'megapixel' ? megapixelsPerSecond(price, input) : 1
}

/** The price of a model without a choice of resolutions is listed as `default`. */
function pricesByResolution(
  model: Model,
  priceWith: (overrides: Input) => number,
): Readonly<Record<string, number>> {
  const choices = widestRule(model, 'resolution')?.choices?.map(String) ?? []
  if (choices.length === 0) return { default: priceWith({}) }
  return Object.fromEntries(choices.map((resolution) => [resolution, priceWith({ resolution })]))
}

function durationPricing(model: Model): Partial<ModelPricing> {
  const rule = widestRule(model, 'duration')
  if (typeof rule?.fixed === 'number') return { fixed_duration_seconds: rule.fixed }
  const choices = rule?.choices?.filter((choice) => typeof choice === 'number')
  return {
    ...(typeof rule?.default === 'number' && { default_duration: rule.default }),
    ...(choices !== undefined && { supported_durations: choices }),
  }
}

function isPricedBy({ price }: Model, field: Field): boolean {
  if (price.per === 'megapixel' && field === 'resolution') return true
  return price.rates.some(({ when }) => when?.[field] !== undefined)
}

/** The input of a request without optional fields. */
export function buildDefaultInput(model: Model, mode = model.modes[0]): Input {
  return buildInput(model, mode, ({ fixed, default: defaultValue }) => fixed ?? defaultValue)
}

/** The same, with the first choice of fields without a default. `size` is omitted, because it duplicates `resolution`. */
function buildTypicalInput(model: Model): Input {
  const switchedOff = (field: Field) => (fields[field].kind === 'switch' ? false : undefined)
  const isRedundant = (field: Field) => field === 'size' && model.fields.resolution !== undefined
  return buildInput(
    model,
    model.modes[0],
    ({ fixed, default: defaultValue, choices }, field) =>
      fixed ?? defaultValue ?? (isRedundant(field) ? undefined : choices?.[0]) ?? switchedOff(field),
  )
}

function buildInput(
  model: Model,
  mode: Mode,
  pickValue: (rule: Rule, field: Field) => string | number | boolean | undefined,
): Input {
  return Object.fromEntries(
    allFields.flatMap((field) => {
      const rule = findRule(model, field, mode)
      const value = rule && pickValue(rule, field)
      return value === undefined ? [] : [[field, value]]
    }),
  )
}
