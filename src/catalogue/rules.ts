import { countCharacters } from '../../providers/characters.ts'
import type { Field } from '../../providers/input.ts'
import { closestChoice } from './closest.ts'
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

export function renderable({ fixed, choices }: Rule): readonly (string | number)[] | undefined {
  return fixed === undefined ? choices : [fixed]
}

/**
 * `wrong`: what is wrong with a value, to follow the field's name. `closest`: what the model renders instead. `final`: nothing may stand
 * in for it.
 */
export type Verdict =
  | { value: Value }
  | { wrong: string; allowed?: readonly (string | number)[]; closest?: Value; final?: true }

/** Checks a value against a model's rule. */
export function judge(field: Field, value: Value, rule: Rule): Verdict {
  if (rule.choices !== undefined) return judgeChoice(field, value, rule.choices, rule.default)
  if (typeof value === 'number') return judgeNumber(field, value, rule)
  if (typeof value === 'string') return judgeText(value, rule)
  if (Array.isArray(value) && isOutside(value.length, rule)) {
    const closest = value.slice(0, rule.max) as readonly string[]
    return { wrong: `must have ${bounds(rule)} entries; got ${value.length}`, closest }
  }
  return { value }
}

function judgeChoice(
  field: Field,
  value: Value,
  choices: readonly (string | number)[],
  usual: Rule['default'],
): Verdict {
  const chosen =
    choices.find((choice) => choice === value) ?? choices.find((choice) => isAmong([choice], value))
  if (chosen !== undefined) return { value: chosen }
  const closest = closestChoice(fields[field].kind, value, choices, usual)
  if (closest?.exact) return { value: closest.choice }
  return {
    wrong: `must be one of ${choices.join(', ')}; got ${show(value)}`,
    allowed: choices,
    ...(closest !== undefined && { closest: closest.choice }),
  }
}

function judgeNumber(field: Field, value: number, rule: Rule): Verdict {
  const { kind, fact } = fields[field]
  const bounded = Math.min(Math.max(value, rule.min ?? value), rule.max ?? Infinity)
  const closest = field === 'duration' ? Math.ceil(bounded) : bounded
  if (closest === value) return { value }
  const wrong = `must be ${isOutside(value, rule) ? bounds(rule) : 'whole seconds'}; got ${value}`
  if (fact) return value > 0 ? { wrong, final: true } : { wrong }
  return kind === 'seed' ? { wrong, final: true } : { wrong, closest }
}

/** A text that is cut says something else, so it never is. */
function judgeText(value: string, { maxLength = Infinity }: Rule): Verdict {
  const length = value.length > maxLength ? countCharacters(value) : value.length
  if (length <= maxLength) return { value }
  return { wrong: `must be at most ${maxLength} characters; got ${length}`, final: true }
}

/** Whether a value is one of the choices, whatever its case. */
export function isAmong(choices: readonly (string | number)[] | undefined, value: unknown): boolean {
  const sought = String(value).trim().toLowerCase()
  return choices?.some((choice) => String(choice).toLowerCase() === sought) ?? false
}

function isOutside(value: number, { min = -Infinity, max = Infinity }: Rule): boolean {
  return value < min || value > max
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
