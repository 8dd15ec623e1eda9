import type { Field, Input } from '../../providers/input.ts'
import { closestChoice } from './closest.ts'
import { fields, type Kind } from './fields.ts'
import type { Model } from './model.ts'
import { modeOf, rulesOf, show } from './rules.ts'

/** Settings of a picture, in the order in which they may change. */
const kinds: readonly Kind[] = ['ratio', 'size', 'word', 'switch', 'resolution']

type Relaxed = { input: Input; warnings: readonly string[] }

/**
 * The input with the fewest settings changed that an upstream renders. What decides the price stays as it is. `undefined`: there is
 * none.
 */
export function relax(
  model: Model,
  input: Input,
  isRendered: (input: Input) => boolean,
): Relaxed | undefined {
  const changes = changesOf(model, input)
  let all: Input = input
  for (const { field, value } of changes) {
    const one = withValue(input, field, value)
    if (isRendered(one)) return { input: one, warnings: [warning(model, input, field, value)] }
  }
  const changed: (typeof changes)[number][] = []
  for (const change of changes) {
    if (changed.some(({ field }) => field === change.field)) continue
    changed.push(change)
    all = withValue(all, change.field, change.value)
    if (isRendered(all)) {
      return { input: all, warnings: changed.map(({ field, value }) => warning(model, input, field, value)) }
    }
  }
  return undefined
}

/** For each setting: no value first, then its other choices, the closest one first. */
function changesOf(model: Model, input: Input) {
  const rules = rulesOf(
    model,
    modeOf(model, (field) => input[field] !== undefined),
  )
  const priced = new Set(model.price.rates.flatMap(({ when = {} }) => Object.keys(when)))
  const settings = [...rules].filter(([field]) => kinds.includes(fields[field].kind) && !priced.has(field))
  const rank = ([field]: (typeof settings)[number]) => kinds.indexOf(fields[field].kind)
  return settings
    .sort((a, b) => rank(a) - rank(b))
    .flatMap(([field, { choices = [], required, default: usual }]) => {
      const current = input[field]
      const others = choices.filter((choice) => choice !== current)
      const closest = closestChoice(fields[field].kind, current, others, usual)?.choice
      const values = [...(closest === undefined ? [] : [closest]), ...others.filter((one) => one !== closest)]
      const none = current !== undefined && required === undefined ? [undefined] : []
      return [...none, ...values].map((value) => ({ field, value }))
    })
}

function withValue(input: Input, field: Field, value: string | number | undefined): Input {
  const { [field]: _, ...rest } = input
  return value === undefined ? rest : { ...rest, [field]: value }
}

function warning(model: Model, input: Input, field: Field, value: string | number | undefined): string {
  const asked = input[field] === undefined ? 'left out' : show(input[field])
  const instead = value === undefined ? 'it was ignored' : `rendered as ${show(value)}`
  return `\`${field}\` ${asked} is not supported by the upstreams of this gateway for \`${model.id}\`: ${instead}`
}
