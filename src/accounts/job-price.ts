import type { Field, Input } from '../../providers/input.ts'
import { operationOf } from '../../providers/operation.ts'
import type { Model } from '../catalogue/model.ts'
import { countSourceSeconds, countUnstatedSourceSeconds, findRate, quotePrice } from '../catalogue/price.ts'
import { findRule } from '../catalogue/rules.ts'
import { withMarkup } from './money.ts'

export type JobPrice = {
  /** The maximum price, which is reserved. */
  usd: number
  /** Billed seconds, if the price depends on them. */
  seconds?: number
  /** Absent: the price is fixed. */
  meter?: MeteredPrice
  warnings: readonly string[]
}

/** How the price of a job follows the real length of its video. Stored in the job's record. */
export type MeteredPrice = {
  /** Without the markup. */
  usdPerSecond: number
  markupPercent: number
  minimumSeconds?: number
  stepSeconds?: number
  /** The length that is billed if the real one cannot be measured. */
  usualSeconds: number
}

/** The price that a client pays for a job, and how it may become lower. */
export function priceJob(model: Model, input: Input, markupPercent: number): JobPrice {
  const statedQuote = quotePrice(model, input)
  const sourceFields = model.price.secondsFrom
  // The length of the video says nothing about that of its sources, so the stated length counts.
  if (sourceFields === undefined || countSourceSeconds(model.price, input) > 0) {
    const usd = withMarkup(statedQuote.usd, markupPercent)
    return { ...statedQuote, usd, warnings: describeUnstatedSources(model, input) }
  }
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

function describeUnstatedSources({ price }: Model, input: Input): string[] {
  const seconds = countUnstatedSourceSeconds(price, input)
  if (seconds === 0 || price.sourceSeconds === undefined) return []
  return [
    `\`${price.sourceSeconds.length}\` was not given; ${seconds} s of source are billed beside the video`,
  ]
}

/** The longest source that the model accepts, if the client gave no length and the model has a limit. */
function findLongestSource(model: Model, input: Input, sourceFields: readonly Field[]) {
  if (sourceFields.some((field) => typeof input[field] === 'number')) return undefined
  const mode = operationOf(model.modes, input)
  const [longestSource] = sourceFields
    .toReversed()
    .map((field) => ({ field, seconds: findRule(model, field, mode)?.max }))
    .filter((candidate): candidate is { field: Field; seconds: number } => candidate.seconds !== undefined)
    .sort((left, right) => right.seconds - left.seconds)
  if (longestSource === undefined) return undefined
  const { field, seconds } = longestSource
  const warning = `\`${field}\` was not given; the price of ${seconds} s is reserved until the real length is known`
  return { input: { [field]: seconds }, warning }
}
