import type { Field } from '../../providers/input.ts'
import { allFields, type FieldKind, fields } from './fields.ts'
import { commonRule, listConditionalChoices, listModesTaking, unconditionalRule } from './mode-rules.ts'
import type { Mode, Model, Rule } from './model.ts'
import { findRule, widestRule } from './rules.ts'

const textKinds: ReadonlySet<FieldKind> = new Set(['text', 'word', 'ratio', 'resolution', 'size'])
const numericKinds: ReadonlySet<FieldKind> = new Set(['number', 'integer', 'seed', 'seconds'])

const formFields = allFields.filter((field) => field !== 'prompt')

/** Longer ranges are described by `min` and `max` only. */
const maxListedRange = 60

/** The listed values of a field over all modes; empty if it is unrestricted. */
export function listFieldValues(model: Model, field: Field): readonly (string | number)[] {
  return listRuleValues(widestRule(model, field))
}

/** The values of a rule that can be listed. */
export function listRuleValues({ fixed, choices, min, max }: Rule = {}): readonly (string | number)[] {
  if (fixed !== undefined) return [fixed]
  if (choices !== undefined) return choices
  if (min === undefined || max === undefined || max - min > maxListedRange) return []
  return Array.from({ length: Math.floor(max - min) + 1 }, (_, offset) => min + offset)
}

type FormParameter = {
  type: 'select' | 'switch' | 'number' | 'text'
  label: string
  description: string
  default?: string | number | boolean
  /** `showWhen`: the option requires these values of other fields. */
  options?: readonly { value: string | number; label: string; showWhen?: Readonly<Record<string, boolean>> }[]
  min?: number
  max?: number
  step?: number
  /** The operations that use the parameter, where others ignore it. */
  modes?: readonly string[]
}

export type ParameterForm = Readonly<Record<string, FormParameter>>

/** The fields that a form can show besides the prompt, with the values that every mode supports; without files, objects and lists. */
export function buildCommonForm(model: Model): ParameterForm {
  return buildForm((field) => {
    const rule = commonRule(model, field)
    const parameter =
      rule && createFieldParameter(field, { ...rule, ...pickListedDefault(model, field, rule) })
    const modes = listModesTaking(model, field)
    const isPartial = modes.length < model.modes.length
    return (
      parameter && { ...parameter, ...(isPartial && { modes: modes.map((mode) => operationNames[mode]) }) }
    )
  })
}

/** The same for one mode, including options that require another field. */
export function buildModeForm(model: Model, mode: Mode): ParameterForm {
  return buildForm((field) => {
    if (findRule(model, field, mode) === undefined) return undefined
    const parameter = createFieldParameter(field, unconditionalRule(model, field, mode))
    if (parameter?.options === undefined) return parameter
    const extraChoices = listConditionalChoices(model, field, mode)
    const extraOptions = extraChoices.map(({ value, when }) => ({
      ...createOption(field, value),
      showWhen: when,
    }))
    return { ...parameter, options: [...parameter.options, ...extraOptions] }
  })
}

/** The operation of a model in each mode, as model lists name it. */
export const operationNames: Readonly<Record<Mode, string>> = {
  text: 'text-to-video',
  image: 'image-to-video',
  reference: 'reference-to-video',
  video: 'video-to-video',
  edit: 'video-edit',
  extend: 'video-extend',
}

function buildForm(createParameter: (field: Field) => FormParameter | undefined): ParameterForm {
  return Object.fromEntries(
    formFields.flatMap((field) => {
      const parameter = createParameter(field)
      return parameter === undefined ? [] : [[field, parameter]]
    }),
  )
}

/** The default of the first mode, if it is one of the listed values. */
function pickListedDefault(model: Model, field: Field, { choices }: Rule): Pick<Rule, 'default'> {
  const defaultValue = findRule(model, field, model.modes[0])?.default
  const isListed =
    typeof defaultValue === 'boolean' ||
    defaultValue === undefined ||
    choices === undefined ||
    choices.includes(defaultValue)
  return defaultValue === undefined || !isListed ? {} : { default: defaultValue }
}

function createOption(field: Field, value: string | number) {
  return { value, label: field === 'duration' ? `${value} s` : String(value) }
}

function createFieldParameter(
  field: Field,
  { fixed, choices, min, max, default: defaultValue }: Rule,
): FormParameter | undefined {
  const { kind, label, description } = fields[field]
  const common = { label, description, ...(defaultValue !== undefined && { default: defaultValue }) }
  const options = fixed === undefined ? choices : [fixed]
  if (options?.length === 0) return undefined
  if (options !== undefined) {
    return {
      type: 'select',
      ...common,
      ...(fixed !== undefined && { default: fixed }),
      options: options.map((value) => createOption(field, value)),
    }
  }
  if (kind === 'switch') return { type: 'switch', ...common }
  if (textKinds.has(kind)) return { type: 'text', ...common }
  if (!numericKinds.has(kind)) return undefined
  const bounds = { ...(min !== undefined && { min }), ...(max !== undefined && { max }) }
  return { type: 'number', ...common, ...bounds, ...(kind !== 'number' && { step: 1 }) }
}
