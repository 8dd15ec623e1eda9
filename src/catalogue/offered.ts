import type { Field, Input } from '../../providers/input.ts'
import { fields } from './fields.ts'
import type { Mode, Model, Rule } from './model.ts'
import { defaultsOf } from './price.ts'
import { renderable, ruleOf, rulesOf } from './rules.ts'

/** Which modes of a model take a field. */
export function modesOf(model: Model, field: Field): readonly Mode[] {
  return model.modes.filter((mode) => ruleOf(model, field, mode) !== undefined)
}

/** What a field may hold in every mode that takes it, whatever the other fields hold. Nothing of it is adjusted. */
export function commonRule(model: Model, field: Field): Rule | undefined {
  const rules = modesOf(model, field).map((mode) => unconditionalRule(model, field, mode))
  const [first, ...others] = rules
  return first && others.reduce(intersect, first)
}

/** What a field may hold in one mode, whatever the other fields hold. */
export function unconditionalRule(model: Model, field: Field, mode: Mode): Rule {
  const rule = ruleOf(model, field, mode) ?? {}
  if (rule.choices === undefined) return rule
  return { ...rule, choices: rule.choices.filter((choice) => isRendered(model, mode, { [field]: choice })) }
}

/** The choices of a field that need another field to be set, with that field and its value. */
export function conditionalChoices(model: Model, field: Field, mode: Mode) {
  const { choices = [] } = ruleOf(model, field, mode) ?? {}
  const switches = [...rulesOf(model, mode).keys()].filter((name) => fields[name].kind === 'switch')
  return choices.flatMap((value) => {
    if (isRendered(model, mode, { [field]: value })) return []
    const needed = switches.find((name) => isRendered(model, mode, { [field]: value, [name]: true }))
    return needed === undefined ? [] : [{ value, when: { [needed]: true } }]
  })
}

function isRendered(model: Model, mode: Mode, told: Input): boolean {
  return model.check?.({ prompt: model.name, ...defaultsOf(model, mode), ...told }) === undefined
}

function intersect(a: Rule, b: Rule): Rule {
  const [choices, others] = [renderable(a), renderable(b)]
  const common = choices === undefined ? others : choices.filter((value) => others?.includes(value) ?? true)
  const mins = [a.min, b.min].filter((min) => min !== undefined)
  const maxes = [a.max, b.max].filter((max) => max !== undefined)
  const usual = a.default ?? b.default
  return {
    ...(common !== undefined && { choices: common }),
    ...(mins.length > 0 && { min: Math.max(...mins) }),
    ...(maxes.length > 0 && { max: Math.min(...maxes) }),
    ...(usual !== undefined && { default: usual }),
    ...(a.fixed !== undefined && a.fixed === b.fixed && { fixed: a.fixed }),
  }
}
