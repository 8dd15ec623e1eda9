import type { Field } from '../../providers/input.ts'
import { allFields, fields, type Kind } from './fields.ts'
import type { Mode, Model, Rule } from './model.ts'
import { commonRule, conditionalChoices, modesOf, unconditionalRule } from './offered.ts'
import { ruleOf, widestRule } from './rules.ts'

const textual: ReadonlySet<Kind> = new Set(['text', 'word', 'ratio', 'resolution', 'size'])
const numeric: ReadonlySet<Kind> = new Set(['number', 'integer', 'seed', 'seconds'])

const settings = allFields.filter((field) => field !== 'prompt')

/** Longer ranges are told by `min` and `max` alone. */
const longestRange = 60

/** The values of a field that a list can name, over all modes; none where it is free. */
export function valuesOf(model: Model, field: Field): readonly (string | number)[] {
  return listValues(widestRule(model, field))
}

/** The values that a list can name. */
export function listValues({ fixed, choices, min, max }: Rule = {}): readonly (string | number)[] {
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
  /** `showWhen`: the option needs these fields to have these values. */
  options?: readonly { value: string | number; label: string; showWhen?: Readonly<Record<string, boolean>> }[]
  min?: number
  max?: number
  step?: number
  /** The operations that use the parameter, where others ignore it. */
  modes?: readonly string[]
}

export type Form = Readonly<Record<string, Parameter>>

/** The fields that a form can show beside the prompt, with what every mode that takes them renders; no files, objects and lists. */
export function formOf(model: Model): Form {
  return formFrom((field) => {
    const rule = commonRule(model, field)
    const parameter = rule && parameterOf(field, { ...rule, ...usualOf(model, field, rule) })
    const modes = modesOf(model, field)
    const some = modes.length < model.modes.length
    return parameter && { ...parameter, ...(some && { modes: modes.map((mode) => operations[mode]) }) }
  })
}

/** The same for one mode, with the options that need another field to be set. */
export function formIn(model: Model, mode: Mode): Form {
  return formFrom((field) => {
    if (ruleOf(model, field, mode) === undefined) return undefined
    const parameter = parameterOf(field, unconditionalRule(model, field, mode))
    if (parameter?.options === undefined) return parameter
    const more = conditionalChoices(model, field, mode)
    const options = more.map(({ value, when }) => ({ ...optionOf(field, value), showWhen: when }))
    return { ...parameter, options: [...parameter.options, ...options] }
  })
}

/** What a model does in each of its modes, as model lists name it. */
export const operations: Readonly<Record<Mode, string>> = {
  text: 'text-to-video',
  image: 'image-to-video',
  video: 'video-to-video',
}

function formFrom(pick: (field: Field) => Parameter | undefined): Form {
  return Object.fromEntries(
    settings.flatMap((field) => {
      const parameter = pick(field)
      return parameter === undefined ? [] : [[field, parameter]]
    }),
  )
}

/** The default of the first mode, as far as the list has it. */
function usualOf(model: Model, field: Field, { choices }: Rule): Pick<Rule, 'default'> {
  const usual = ruleOf(model, field, model.modes[0])?.default
  const isListed =
    typeof usual === 'boolean' || usual === undefined || choices === undefined || choices.includes(usual)
  return usual === undefined || !isListed ? {} : { default: usual }
}

function optionOf(field: Field, value: string | number) {
  return { value, label: field === 'duration' ? `${value} s` : String(value) }
}

function parameterOf(
  field: Field,
  { fixed, choices, min, max, default: usual }: Rule,
): Parameter | undefined {
  const { kind, label, description } = fields[field]
  const told = { label, description, ...(usual !== undefined && { default: usual }) }
  const options = fixed === undefined ? choices : [fixed]
  if (options?.length === 0) return undefined
  if (options !== undefined) {
    return {
      type: 'select',
      ...told,
      ...(fixed !== undefined && { default: fixed }),
      options: options.map((value) => optionOf(field, value)),
    }
  }
  if (kind === 'switch') return { type: 'switch', ...told }
  if (textual.has(kind)) return { type: 'text', ...told }
  if (!numeric.has(kind)) return undefined
  const bounded = { ...(min !== undefined && { min }), ...(max !== undefined && { max }) }
  return { type: 'number', ...told, ...bounded, ...(kind !== 'number' && { step: 1 }) }
}
