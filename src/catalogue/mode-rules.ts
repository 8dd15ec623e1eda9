import type { Field, Input } from '../../providers/input.ts'
import { fields } from './fields.ts'
import type { Mode, Model, Rule } from './model.ts'
import { buildDefaultInput } from './price.ts'
import { findRule, listRenderableValues, listRules } from './rules.ts'

/** The modes of a model that use a field. */
export function listModesTaking(model: Model, field: Field): readonly Mode[] {
  return model.modes.filter((mode) => findRule(model, field, mode) !== undefined)
}

/** The values of a field that every mode supports, independent of other fields. None of them is adjusted. */
export function commonRule(model: Model, field: Field): Rule | undefined {
  const rules = listModesTaking(model, field).map((mode) => unconditionalRule(model, field, mode))
  const [firstRule, ...otherRules] = rules
  return firstRule && otherRules.reduce(intersectRules, firstRule)
}

/** The values of a field in one mode, independent of other fields. */
export function unconditionalRule(model: Model, field: Field, mode: Mode): Rule {
  const rule = findRule(model, field, mode) ?? {}
  if (rule.choices === undefined) return rule
  return { ...rule, choices: rule.choices.filter((choice) => isRenderable(model, mode, { [field]: choice })) }
}

/** The choices of a field that require another field to have a certain value. */
export function listConditionalChoices(model: Model, field: Field, mode: Mode) {
  const { choices = [] } = findRule(model, field, mode) ?? {}
  const switches = [...listRules(model, mode).keys()].filter(
    (switchField) => fields[switchField].kind === 'switch',
  )
  return choices.flatMap((value) => {
    if (isRenderable(model, mode, { [field]: value })) return []
    const neededSwitch = switches.find((name) => isRenderable(model, mode, { [field]: value, [name]: true }))
    return neededSwitch === undefined ? [] : [{ value, when: { [neededSwitch]: true } }]
  })
}

function isRenderable(model: Model, mode: Mode, overrides: Input): boolean {
  return model.check?.({ prompt: model.name, ...buildDefaultInput(model, mode), ...overrides }) === undefined
}

function intersectRules(left: Rule, right: Rule): Rule {
  const [choices, otherChoices] = [listRenderableValues(left), listRenderableValues(right)]
  const commonChoices =
    choices === undefined ? otherChoices : choices.filter((value) => otherChoices?.includes(value) ?? true)
  const minima = [left.min, right.min].filter((min) => min !== undefined)
  const maxima = [left.max, right.max].filter((max) => max !== undefined)
  const defaultValue = left.default ?? right.default
  return {
    ...(commonChoices !== undefined && { choices: commonChoices }),
    ...(minima.length > 0 && { min: Math.max(...minima) }),
    ...(maxima.length > 0 && { max: Math.min(...maxima) }),
    ...(defaultValue !== undefined && { default: defaultValue }),
    ...(left.fixed !== undefined && left.fixed === right.fixed && { fixed: left.fixed }),
  }
}
