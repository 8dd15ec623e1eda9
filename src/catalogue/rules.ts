import type { Field } from '../../providers/input.ts'
import { allFields, fields } from './fields.ts'
import type { Mode, Model, Rule } from './model.ts'
import type { Value } from './parse.ts'

export type Problem = {
  /** As the caller spelled it; the canonical name where it is missing. */
  field: string
  message: string
  code: 'missing_required_parameter' | 'invalid_parameter_value' | 'model_not_found' | 'pro_required'
  allowed?: readonly (string | number)[]
}

/** What a job is made from, given which fields a request tells. */
export function modeOf(model: Model, given: (field: Field) => boolean): Mode {
  const has = (mode: Mode) => model.modes.includes(mode)
  if (has('video') && (given('video') || given('targetVideo'))) return 'video'
  if (has('image') && given('image')) return 'image'
  return has('text') ? 'text' : model.modes[0]
}

type Rules = ReadonlyMap<Field, Rule>

/** A model never changes, and every submit asks. */
const known = new WeakMap<Model, Partial<Record<Mode, Rules>>>()

/** How a model takes each field that it takes in a mode. */
export function rulesOf(model: Model, mode: Mode): Rules {
  const rules = known.get(model) ?? {}
  known.set(model, rules)
  rules[mode] ??= new Map(
    allFields.flatMap((field) => {
      const rule = ruleOf(model, field, mode)
      return rule === undefined ? [] : [[field, rule]]
    }),
  )
  return rules[mode]
}

/** How a model takes a field in a mode; absent: it does not. */
export function ruleOf(model: Model, field: Field, mode: Mode): Rule | undefined {
  const rule = model.fields[field]
  if (rule === undefined || fields[field].internal) return undefined
  const override = rule[mode]
  if (override === 'unused') return undefined
  const { text: _text, image: _image, video: _video, ...base } = rule
  const { min, max } = fields[field]
  return { ...(min !== undefined && { min }), ...(max !== undefined && { max }), ...base, ...override }
}

/** What a field may hold over all modes of a model, for schemas and lists; required only where every mode requires it. */
export function widestRule(model: Model, field: Field): Rule | undefined {
  const rules = model.modes.map((mode) => ruleOf(model, field, mode))
  const used = rules.filter((rule) => rule !== undefined)
  const [first] = used
  if (first === undefined) return undefined
  const every = <T>(values: readonly (T | undefined)[]) => (values.includes(undefined) ? [] : (values as T[]))
  const mins = every(used.map((rule) => rule.min))
  const maxes = every(used.map((rule) => rule.max))
  const lengths = every(used.map((rule) => rule.maxLength))
  const choices = new Set(every(used.map(renderable)).flat())
  const fixed = used.every((rule) => rule.fixed === first.fixed) ? first.fixed : undefined
  const usual = used.find((rule) => rule.default !== undefined)?.default
  return {
    ...(rules.every((rule) => rule?.required === true) && { required: true as const }),
    ...(mins.length > 0 && { min: Math.min(...mins) }),
    ...(maxes.length > 0 && { max: Math.max(...maxes) }),
    ...(lengths.length > 0 && { maxLength: Math.max(...lengths) }),
    ...(choices.size > 0 && fixed === undefined && { choices: [...choices] }),
    ...(usual !== undefined && { default: usual }),
    ...(fixed !== undefined && { fixed }),
  }
}

function renderable({ fixed, choices }: Rule): readonly (string | number)[] | undefined {
  return fixed === undefined ? choices : [fixed]
}

/** `warning`: the value was moved to one that can be rendered. `wrong`: what is wrong with it, to follow the field's name. */
type Verdict = { value: Value; warning?: string } | { wrong: string; allowed?: readonly (string | number)[] }

/** Holds a value against a model's rule. */
export function judge(field: Field, value: Value, rule: Rule): Verdict {
  if (rule.choices !== undefined) return judgeChoice(field, value, rule.choices)
  if (typeof value === 'number') return judgeNumber(field, value, rule)
  if (typeof value === 'string' && value.length > (rule.maxLength ?? Infinity)) {
    return { wrong: `must be at most ${rule.maxLength} characters; got ${value.length}` }
  }
  if (Array.isArray(value) && isOutside(value.length, rule)) {
    return { wrong: `must have ${bounds(rule)} entries; got ${value.length}` }
  }
  return { value }
}

function judgeChoice(field: Field, value: Value, choices: readonly (string | number)[]): Verdict {
  const chosen =
    choices.find((choice) => choice === value) ?? choices.find((choice) => isAmong([choice], value))
  if (chosen !== undefined) return { value: chosen }
  const numbers = choices.filter((choice) => typeof choice === 'number').sort((a, b) => a - b)
  if (field === 'duration' && typeof value === 'number' && value > (numbers[0] ?? Infinity)) {
    const longer = numbers.find((choice) => choice > value)
    if (longer !== undefined) return { value: longer, warning: rounded(value, longer) }
  }
  return { wrong: `must be one of ${choices.join(', ')}; got ${show(value)}`, allowed: choices }
}

function judgeNumber(field: Field, value: number, rule: Rule): Verdict {
  if (isOutside(value, rule)) return { wrong: `must be ${bounds(rule)}; got ${value}` }
  const whole = Math.ceil(value)
  if (field !== 'duration' || whole === value) return { value }
  return { value: whole, warning: rounded(value, whole) }
}

/** Whether a value is one of the choices, whatever its case. */
export function isAmong(choices: readonly (string | number)[] | undefined, value: unknown): boolean {
  const sought = String(value).trim().toLowerCase()
  return choices?.some((choice) => String(choice).toLowerCase() === sought) ?? false
}

function isOutside(value: number, { min = -Infinity, max = Infinity }: Rule): boolean {
  return value < min || value > max
}

function rounded(from: number, to: number): string {
  return `of ${from} s cannot be rendered: rounded up to ${to} s, and billed as ${to} s`
}

function bounds({ min, max }: Rule): string {
  if (min === undefined) return `at most ${max}`
  return max === undefined ? `at least ${min}` : `from ${min} to ${max}`
}

/** A value as an error text quotes it: short, whatever it is. */
export function show(value: unknown): string {
  const shown = JSON.stringify(typeof value === 'string' ? value.slice(0, 80) : value) ?? String(value)
  return shown.length > 60 ? `${shown.slice(0, 57)}…` : shown
}
