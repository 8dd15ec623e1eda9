import type { Field, Input } from '../../providers/input.ts'
import type { Model } from '../catalogue/model.ts'
import { findRate, quotePrice } from '../catalogue/price.ts'
import { findRule, selectMode } from '../catalogue/rules.ts'
import type { MeteredPrice } from '../jobs/job.ts'
import { withMarkup } from './money.ts'

export type JobPrice = {
  /** What is reserved: the most that the job may cost. */
  usd: number
  /** Billed seconds, where the price counts them. */
  seconds?: number
  /** Absent: the price stays as it is. */
  meter?: MeteredPrice
  warnings: readonly string[]
}

/** What a client pays for a job, and how that may still fall. */
export function priceJob(model: Model, input: Input, markupPercent: number): JobPrice {
  const statedQuote = quotePrice(model, input)
  const sourceFields = model.price.secondsFrom
  if (sourceFields === undefined)
    return { ...statedQuote, usd: withMarkup(statedQuote.usd, markupPercent), warnings: [] }
  const longestSource = findLongestSource(model, input, sourceFields)
  const { usd, seconds } =
    longestSource === undefined ? statedQuote : quotePrice(model, { ...input, ...longestSource.input })
  const { minimumSeconds, stepSeconds } = model.price
  return {
    usd: withMarkup(usd, markupPercent),
    ...(seconds !== undefined && { seconds }),
    meter: {
      usdPerSecond: findRate(model, input).usd,
      markupPercent,
      usualSeconds: statedQuote.seconds ?? 0,
      ...(minimumSeconds !== undefined && { minimumSeconds }),
      ...(stepSeconds !== undefined && { stepSeconds }),
    },
    warnings: longestSource === undefined ? [] : [longestSource.warning],
  }
}

/** The longest source that the model takes, where the caller tells no length and the entry knows one. */
function findLongestSource(model: Model, input: Input, sourceFields: readonly Field[]) {
  if (sourceFields.some((field) => typeof input[field] === 'number')) return undefined
  const mode = selectMode(model, (field) => input[field] !== undefined)
  const [longestSource] = sourceFields
    .toReversed()
    .map((field) => ({ field, seconds: findRule(model, field, mode)?.max }))
    .filter((candidate): candidate is { field: Field; seconds: number } => candidate.seconds !== undefined)
    .sort((left, right) => right.seconds - left.seconds)
  if (longestSource === undefined) return undefined
  const { field, seconds } = longestSource
  const warning = `\`${field}\` was not told, so the price of ${seconds} s is reserved until the real length is known`
  return { input: { [field]: seconds }, warning }
}
