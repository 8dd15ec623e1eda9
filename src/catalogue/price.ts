import type { Field, Input } from '../../providers/input.ts'
import { allFields, fields } from './fields.ts'
import type { Mode, Model, Price, Rate, Rule } from './model.ts'
import { modeOf, ruleOf, widestRule } from './rules.ts'

type Quote = {
  usd: number
  /** Billed seconds, where the price counts them. */
  seconds?: number
}

/** What a job costs. Throws if the entry has no rate for an input that it admits, which a test rules out. */
export function quote(model: Model, input: Input): Quote {
  const usd = rateOf(model, input).usd
  if (model.price.per === 'video') return { usd: money(usd) }
  const seconds = billedSeconds(model, input)
  return { usd: money(usd * seconds), seconds }
}

export function rateOf(model: Model, input: Input): Rate {
  const current = modeOf(model, (field) => input[field] !== undefined)
  const rate = model.price.rates.find(
    ({ when = {}, mode = current }) =>
      mode === current && Object.entries(when).every(([field, value]) => input[field as Field] === value),
  )
  if (rate === undefined) throw new Error(`${model.id} has no rate for this input`)
  return rate
}

function billedSeconds({ price }: Model, input: Input): number {
  const told = (price.secondsFrom ?? ['duration']).map((field) => input[field])
  return roundUp(price, told.find((value) => typeof value === 'number') ?? price.defaultSeconds ?? 0)
}

/** What a length is billed as. */
export function roundUp(
  { minimumSeconds = 0, stepSeconds = 0 }: Pick<Price, 'minimumSeconds' | 'stepSeconds'>,
  seconds: number,
): number {
  const least = Math.max(seconds, minimumSeconds)
  return stepSeconds > 0 ? money(Math.ceil(money(least / stepSeconds)) * stepSeconds) : least
}

/** USD without the noise of binary fractions. */
function money(usd: number): number {
  return Math.round(usd * 1e8) / 1e8
}

type PricingKeys = {
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
 * The price in the keys that clients of the model list read; each figure is for the model's defaults otherwise. `offered`: what a client
 * pays for what costs us this much.
 */
export function pricingKeys(model: Model, offered = (usd: number) => usd): PricingKeys {
  const { per, minimumSeconds } = model.price
  const base = typicalOf(model)
  const usd = offered(rateOf(model, base).usd)
  const usdWith = (told: Input) => {
    const input = { ...base, ...told }
    const needsPro = model.check?.(input)?.code === 'pro_required'
    return offered(rateOf(model, needsPro ? { ...input, pro_mode: true } : input).usd)
  }
  const keyed = (field: Field) => {
    const choices = widestRule(model, field)?.choices ?? []
    return Object.fromEntries(choices.map((value) => [String(value), usdWith({ [field]: value })]))
  }
  const resolutions = dependsOn(model, 'resolution') && keyed('resolution')
  const audible = dependsOn(model, 'generateAudio') && usdWith({ generateAudio: true })
  const silent = dependsOn(model, 'generateAudio') && usdWith({ generateAudio: false })
  return {
    currency: 'USD',
    ...(per === 'second' ? { per_second: usd } : { per_video: usd }),
    ...(resolutions &&
      (per === 'second' ? { per_second_by_resolution: resolutions } : { per_resolution: resolutions })),
    ...(per === 'second' &&
      model.price.rates.some(({ mode }) => mode !== undefined) && {
        text_to_video_per_second: byResolution(model, usdWith),
        image_to_video_per_second: byResolution(model, (told) => usdWith({ ...told, image: '' })),
      }),
    ...(per === 'video' && dependsOn(model, 'duration') && { per_duration: keyed('duration') }),
    ...(audible && silent && { audio_multiplier: money(audible / silent) }),
    ...(per === 'second' && minimumSeconds !== undefined && { minimum: money(usd * minimumSeconds) }),
    ...durations(model),
  }
}

/** Where a model has no resolutions to choose from, its one price stands under `default`. */
function byResolution(model: Model, usdWith: (told: Input) => number): Readonly<Record<string, number>> {
  const choices = widestRule(model, 'resolution')?.choices?.map(String) ?? []
  if (choices.length === 0) return { default: usdWith({}) }
  return Object.fromEntries(choices.map((resolution) => [resolution, usdWith({ resolution })]))
}

function durations(model: Model): Partial<PricingKeys> {
  const rule = widestRule(model, 'duration')
  if (typeof rule?.fixed === 'number') return { fixed_duration_seconds: rule.fixed }
  const choices = rule?.choices?.filter((choice) => typeof choice === 'number')
  return {
    ...(typeof rule?.default === 'number' && { default_duration: rule.default }),
    ...(choices !== undefined && { supported_durations: choices }),
  }
}

function dependsOn({ price }: Model, field: Field): boolean {
  return price.rates.some(({ when }) => when?.[field] !== undefined)
}

/** What a request that tells nothing gets. */
export function defaultsOf(model: Model, mode = model.modes[0]): Input {
  return inputFrom(model, mode, ({ fixed, default: usual }) => fixed ?? usual)
}

/** The same with the first choice where there is no default. A size is another way to give the resolution, so it is left out. */
function typicalOf(model: Model): Input {
  const off = (field: Field) => (fields[field].kind === 'switch' ? false : undefined)
  const isSpare = (field: Field) => field === 'size' && model.fields.resolution !== undefined
  return inputFrom(
    model,
    model.modes[0],
    ({ fixed, default: usual, choices }, field) =>
      fixed ?? usual ?? (isSpare(field) ? undefined : choices?.[0]) ?? off(field),
  )
}

function inputFrom(
  model: Model,
  mode: Mode,
  pick: (rule: Rule, field: Field) => string | number | boolean | undefined,
): Input {
  return Object.fromEntries(
    allFields.flatMap((field) => {
      const rule = ruleOf(model, field, mode)
      const value = rule && pick(rule, field)
      return value === undefined ? [] : [[field, value]]
    }),
  )
}
