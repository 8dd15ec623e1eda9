import type { Field, Input } from '../../../providers/input.ts'
import { operationOf } from '../../../providers/operation.ts'
import { type FieldKind, fields } from '../fields.ts'
import type { Model } from '../model.ts'
import { listRules, quoteValue } from '../rules.ts'
import { closestChoice } from './closest-choice.ts'

/** The settings that may change, in this order. */
const adjustableKinds: readonly FieldKind[] = ['ratio', 'size', 'word', 'number', 'switch', 'resolution']

type RelaxedInput = { input: Input; warnings: readonly string[] }

/**
 * The input with the fewest changed settings that an upstream renders. Settings that determine the price do not change. `undefined`: there is no
 * such input.
 */
export function relaxInput(
  model: Model,
  input: Input,
  isRenderable: (input: Input) => boolean,
): RelaxedInput | undefined {
  const changes = listChanges(model, input)
  let combinedInput: Input = input
  for (const { field, value } of changes) {
    const changedInput = withValue(input, field, value)
    if (isRenderable(changedInput))
      return { input: changedInput, warnings: [describeChange(model, input, field, value)] }
  }
  const appliedChanges: (typeof changes)[number][] = []
  for (const change of changes) {
    if (appliedChanges.some(({ field }) => field === change.field)) continue
    appliedChanges.push(change)
    combinedInput = withValue(combinedInput, change.field, change.value)
    if (isRenderable(combinedInput)) {
      return {
        input: combinedInput,
        warnings: appliedChanges.map(({ field, value }) => describeChange(model, input, field, value)),
      }
    }
  }
  return undefined
}

/** For each setting: first no value, then its other choices, the closest one first. */
function listChanges(model: Model, input: Input) {
  const rules = listRules(model, operationOf(model.modes, input))
  const pricedFields = new Set(model.price.rates.flatMap(({ when = {} }) => Object.keys(when)))
  const adjustableRules = [...rules].filter(
    ([field]) => adjustableKinds.includes(fields[field].kind) && !pricedFields.has(field),
  )
  const rankOf = ([field]: (typeof adjustableRules)[number]) => adjustableKinds.indexOf(fields[field].kind)
  return adjustableRules
    .sort((left, right) => rankOf(left) - rankOf(right))
    .flatMap(([field, { choices = [], required, default: defaultChoice }]) => {
      const current = input[field]
      const otherChoices = choices.filter((choice) => choice !== current)
      const closest = closestChoice(fields[field].kind, current, otherChoices, defaultChoice)?.choice
      const values = [
        ...(closest === undefined ? [] : [closest]),
        ...otherChoices.filter((choice) => choice !== closest),
      ]
      const removal = current !== undefined && required === undefined ? [undefined] : []
      return [...removal, ...values].map((value) => ({ field, value }))
    })
}

function withValue(input: Input, field: Field, value: string | number | undefined): Input {
  const { [field]: _, ...rest } = input
  return value === undefined ? rest : { ...rest, [field]: value }
}

function describeChange(
  model: Model,
  input: Input,
  field: Field,
  value: string | number | undefined,
): string {
  const requested = input[field] === undefined ? 'left out' : quoteValue(input[field])
  const outcome = value === undefined ? 'it was ignored' : `rendered as ${quoteValue(value)}`
  return `\`${field}\` ${requested} is not supported by the upstreams of this gateway for \`${model.id}\`: ${outcome}`
}
