import { countCharacters } from '../../providers/characters.ts'
import { type Field, operations } from '../../providers/input.ts'
import { allFields, fields } from './fields.ts'
import type { Mode, Model, Rule } from './model.ts'
import { closestChoice } from './validation/closest-choice.ts'
import type { FieldValue } from './validation/parse-value.ts'

export type Problem = {
  /** The name that the client sent; the canonical name if the field is missing. */
  field: string
  message: string
  code: 'missing_required_parameter' | 'invalid_parameter_value' | 'model_not_found' | 'pro_required'
  allowed?: readonly (string | number)[]
}

type Rules = ReadonlyMap<Field, Rule>

/** Cached: models are constant, and every submit needs the rules. */
const rulesCache = new WeakMap<Model, Partial<Record<Mode, Rules>>>()

/** The rules of all fields that a model uses in a mode. */
export function listRules(model: Model, mode: Mode): Rules {
  const cachedRules = rulesCache.get(model) ?? {}
  rulesCache.set(model, cachedRules)
  cachedRules[mode] ??= new Map(
    allFields.flatMap((field) => {
      const rule = findRule(model, field, mode)
      return rule === undefined ? [] : [[field, rule]]
    }),
  )
  return cachedRules[mode]
}

/** The rule of a field in a mode; `undefined`: the mode does not use it. */
export function findRule(model: Model, field: Field, mode: Mode): Rule | undefined {
  const rule = model.fields[field]
  if (rule === undefined || fields[field].isInternal) return undefined
  const modeRule = rule[mode]
  if (modeRule === 'unused') return undefined
  const commonRule = Object.fromEntries(
    Object.entries(rule).filter(([key]) => !operations.some((operation) => operation === key)),
  )
  const { min, max } = fields[field]
  return { ...(min !== undefined && { min }), ...(max !== undefined && { max }), ...commonRule, ...modeRule }
}

/** The union of a field's rules over all modes, for schemas and lists; required only if every mode requires it. */
export function widestRule(model: Model, field: Field): Rule | undefined {
  const rules = model.modes.map((mode) => findRule(model, field, mode))
  const usedRules = rules.filter((rule) => rule !== undefined)
  const [firstRule] = usedRules
  if (firstRule === undefined) return undefined
  const allOrNone = <T>(values: readonly (T | undefined)[]) =>
    values.includes(undefined) ? [] : (values as T[])
  const minima = allOrNone(usedRules.map((rule) => rule.min))
  const maxima = allOrNone(usedRules.map((rule) => rule.max))
  const maxLengths = allOrNone(usedRules.map((rule) => rule.maxLength))
  const choices = new Set(allOrNone(usedRules.map(listRenderableValues)).flat())
  const fixed = usedRules.every((rule) => rule.fixed === firstRule.fixed) ? firstRule.fixed : undefined
  const defaultValue = usedRules.find((rule) => rule.default !== undefined)?.default
  return {
    ...(rules.every((rule) => rule?.required === true) && { required: true as const }),
    ...(minima.length > 0 && { min: Math.min(...minima) }),
    ...(maxima.length > 0 && { max: Math.max(...maxima) }),
    ...(maxLengths.length > 0 && { maxLength: Math.max(...maxLengths) }),
    ...(choices.size > 0 && fixed === undefined && { choices: [...choices] }),
    ...(defaultValue !== undefined && { default: defaultValue }),
    ...(fixed !== undefined && { fixed }),
  }
}

export function listRenderableValues({ fixed, choices }: Rule): readonly (string | number)[] | undefined {
  return fixed === undefined ? choices : [fixed]
}

/**
 * `problem`: completes a sentence that begins with the field's name. `closest`: the value that is rendered instead. `isFinal`: the value must not be
 * replaced.
 */
export type ValueCheck =
  | { value: FieldValue }
  | { problem: string; allowed?: readonly (string | number)[]; closest?: FieldValue; isFinal?: true }

/** Checks a value against a model's rule. */
export function checkValue(field: Field, value: FieldValue, rule: Rule): ValueCheck {
  if (rule.choices !== undefined) return checkChoice(field, value, rule.choices, rule.default)
  if (typeof value === 'number') return checkNumber(field, value, rule)
  if (typeof value === 'string') return checkText(value, rule)
  if (Array.isArray(value) && isOutOfBounds(value.length, rule)) {
    const closest = value.slice(0, rule.max) as readonly string[]
    return { problem: `must have ${describeBounds(rule)} entries; got ${value.length}`, closest }
  }
  return { value }
}

function checkChoice(
  field: Field,
  value: FieldValue,
  choices: readonly (string | number)[],
  defaultValue: Rule['default'],
): ValueCheck {
  const exactChoice =
    choices.find((choice) => choice === value) ?? choices.find((choice) => matchesChoice([choice], value))
  if (exactChoice !== undefined) return { value: exactChoice }
  const closest = closestChoice(fields[field].kind, value, choices, defaultValue)
  if (closest?.isExact) return { value: closest.choice }
  return {
    problem: `must be one of ${choices.join(', ')}; got ${quoteValue(value)}`,
    allowed: choices,
    ...(closest !== undefined && { closest: closest.choice }),
  }
}

function checkNumber(field: Field, value: number, rule: Rule): ValueCheck {
  const { kind, isSourceLength } = fields[field]
  const clamped = Math.min(Math.max(value, rule.min ?? value), rule.max ?? Infinity)
  const closest = field === 'duration' ? Math.ceil(clamped) : clamped
  if (closest === value) return { value }
  const problem = `must be ${isOutOfBounds(value, rule) ? describeBounds(rule) : 'whole seconds'}; got ${value}`
  if (isSourceLength) return value > 0 ? { problem, isFinal: true } : { problem }
  return kind === 'seed' ? { problem, isFinal: true } : { problem, closest }
}

/** A text is never truncated, because that changes its meaning. */
function checkText(value: string, { maxLength = Infinity }: Rule): ValueCheck {
  const length = value.length > maxLength ? countCharacters(value) : value.length
  if (length <= maxLength) return { value }
  return { problem: `must be at most ${maxLength} characters; got ${length}`, isFinal: true }
}

/** Whether a value is one of the choices, ignoring case. */
export function matchesChoice(choices: readonly (string | number)[] | undefined, value: unknown): boolean {
  const normalizedValue = String(value).trim().toLowerCase()
  return choices?.some((choice) => String(choice).toLowerCase() === normalizedValue) ?? false
}

function isOutOfBounds(value: number, { min = -Infinity, max = Infinity }: Rule): boolean {
  return value < min || value > max
}

function describeBounds({ min, max }: Rule): string {
  if (min === undefined) return `at most ${max}`
  return max === undefined ? `at least ${min}` : `from ${min} to ${max}`
}

/** Formats a value for an error message, truncated. */
export function quoteValue(value: unknown): string {
  const quoted = JSON.stringify(typeof value === 'string' ? value.slice(0, 80) : value) ?? String(value)
  return quoted.length > 60 ? `${quoted.slice(0, 57)}…` : quoted
}
