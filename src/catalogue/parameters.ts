import type { Field } from '../../providers/input.ts'
import { allFields, fields, type Kind } from './fields.ts'
import type { Model, Rule } from './model.ts'
import { ruleOf, widestRule } from './rules.ts'

const textual: ReadonlySet<Kind> = new Set(['text', 'word', 'ratio', 'resolution', 'size'])
const numeric: ReadonlySet<Kind> = new Set(['number', 'integer', 'seed', 'seconds'])

const settings = allFields.filter((field) => field !== 'prompt')

/** Longer ranges are told by `min` and `max` alone. */
const longestRange = 60

/** The values of a field that a list can name; none where it is free. */
export function valuesOf(model: Model, field: Field): readonly (string | number)[] {
  const { fixed, choices, min, max } = widestRule(model, field) ?? {}
  if (fixed !== undefined) return [fixed]
  if (choices !== undefined) return choices
  if (min === undefined || max === undefined || max - min > longestRange) return []
  return Array.from({ length: Math.floor(max - min) + 1 }, (_, step) => min + step)
}

type Parameter = {
  type: 'select' | 'switch' | 'number' | 'text'
  label: string
  description: string
  default?: string | number | boolean
  options?: readonly { value: string | number; label: string }[]
  min?: number
  max?: number
  step?: number
}

/** The fields that a form can show beside the prompt; files, objects and lists have no place in one. */
export function formOf(model: Model): Readonly<Record<string, Parameter>> {
  return Object.fromEntries(
    settings.flatMap((field) => {
      const rule = widestRule(model, field)
      const parameter = rule && parameterOf(field, { ...rule, ...usualOf(model, field) })
      return parameter === undefined ? [] : [[field, parameter]]
    }),
  )
}

function usualOf(model: Model, field: Field): Pick<Rule, 'default'> {
  const usual = ruleOf(model, field, model.modes[0])?.default
  return usual === undefined ? {} : { default: usual }
}

function parameterOf(
  field: Field,
  { fixed, choices, min, max, default: usual }: Rule,
): Parameter | undefined {
  const { kind, label, description } = fields[field]
  const told = { label, description, ...(usual !== undefined && { default: usual }) }
  const options = fixed === undefined ? choices : [fixed]
  if (options !== undefined) {
    return {
      type: 'select',
      ...told,
      ...(fixed !== undefined && { default: fixed }),
      options: options.map((value) => ({
        value,
        label: field === 'duration' ? `${value} s` : String(value),
      })),
    }
  }
  if (kind === 'switch') return { type: 'switch', ...told }
  if (textual.has(kind)) return { type: 'text', ...told }
  if (!numeric.has(kind)) return undefined
  const bounded = { ...(min !== undefined && { min }), ...(max !== undefined && { max }) }
  return { type: 'number', ...told, ...bounded, ...(kind !== 'number' && { step: 1 }) }
}
