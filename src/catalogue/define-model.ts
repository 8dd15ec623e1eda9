import { type Field, operations } from '../../providers/input.ts'
import type { FieldRule, Mode, Model, Rule } from './model.ts'

type FieldRules = Readonly<Partial<Record<Field, Rule>>>

/** A model with several operations. */
export type ModelDefinition = Omit<Model, 'modes' | 'fields'> & {
  /** The fields of every operation. */
  fields?: FieldRules
  /** The other fields of each operation. */
  operations: Readonly<Partial<Record<Mode, FieldRules>>>
}

/** Builds the model: an operation ignores the fields of the others. Throws if there is no operation. */
export function defineModel({ operations: fieldsOf, fields: shared = {}, ...model }: ModelDefinition): Model {
  const [firstMode, ...otherModes] = operations.filter((operation) => fieldsOf[operation] !== undefined)
  if (firstMode === undefined) throw new Error(`${model.id} has no operation`)
  const modes = [firstMode, ...otherModes] as const
  const names = new Set(modes.flatMap((mode) => Object.keys(fieldsOf[mode] ?? {}) as Field[]))
  const rules = [...names].map((field): [Field, FieldRule] => [
    field,
    Object.fromEntries(modes.map((mode) => [mode, ruleIn(fieldsOf[mode], shared, field)])),
  ])
  return { ...model, modes, fields: { ...shared, ...Object.fromEntries(rules) } }
}

function ruleIn(own: FieldRules | undefined, shared: FieldRules, field: Field): Rule | 'unused' {
  return own?.[field] ?? shared[field] ?? 'unused'
}

/** Every whole number of seconds from one to another. */
export function secondsBetween(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, offset) => first + offset)
}
