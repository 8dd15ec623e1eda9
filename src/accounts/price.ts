import type { Field, Input } from '../../providers/input.ts'
import type { Model } from '../catalogue/model.ts'
import { quote, rateOf } from '../catalogue/price.ts'
import { modeOf, ruleOf } from '../catalogue/rules.ts'
import type { Meter } from '../jobs/job.ts'
import { withMarkup } from './money.ts'

export type Offered = {
  /** What is reserved: the most that the job may cost. */
  usd: number
  /** Billed seconds, where the price counts them. */
  seconds?: number
  /** Absent: the price stays as it is. */
  meter?: Meter
  warnings: readonly string[]
}

/** What a client pays for a job, and how that may still fall. */
export function priceOf(model: Model, input: Input, markupPercent: number): Offered {
  const usual = quote(model, input)
  const sources = model.price.secondsFrom
  if (sources === undefined) return { ...usual, usd: withMarkup(usual.usd, markupPercent), warnings: [] }
  const longest = longestOf(model, input, sources)
  const { usd, seconds } = longest === undefined ? usual : quote(model, { ...input, ...longest.told })
  const { minimumSeconds, stepSeconds } = model.price
  return {
    usd: withMarkup(usd, markupPercent),
    ...(seconds !== undefined && { seconds }),
    meter: {
      usdPerSecond: rateOf(model, input).usd,
      markupPercent,
      usualSeconds: usual.seconds ?? 0,
      ...(minimumSeconds !== undefined && { minimumSeconds }),
      ...(stepSeconds !== undefined && { stepSeconds }),
    },
    warnings: longest === undefined ? [] : [longest.warning],
  }
}

/** The longest source that the model takes, where the caller tells no length and the entry knows one. */
function longestOf(model: Model, input: Input, sources: readonly Field[]) {
  if (sources.some((field) => typeof input[field] === 'number')) return undefined
  const mode = modeOf(model, (field) => input[field] !== undefined)
  const [longest] = sources
    .toReversed()
    .map((field) => ({ field, seconds: ruleOf(model, field, mode)?.max }))
    .filter((one): one is { field: Field; seconds: number } => one.seconds !== undefined)
    .sort((a, b) => b.seconds - a.seconds)
  if (longest === undefined) return undefined
  const { field, seconds } = longest
  const warning = `\`${field}\` was not told, so the price of ${seconds} s is reserved until the real length is known`
  return { told: { [field]: seconds }, warning }
}
