import { type Field, type Input, mediaFields } from '../../../providers/input.ts'
import { fields } from '../fields.ts'
import type { Model, Rule } from '../model.ts'
import { quoteValue } from '../rules.ts'
import { closestChoice } from './closest-choice.ts'
import type { FieldSpelling } from './normalize.ts'
import type { FieldValue } from './parse-value.ts'

/** A requested value that cannot be rendered. `reason`: why, unless the model just does not support the value. */
export type Adjustment = { name: string; requested?: unknown; reason?: string }

/** A chain of conditions longer than this would be a mistake in the catalogue. */
const maxConflictRounds = 8

/** Changes an input until the model's conditions between fields hold. Returns the remaining violation; adds each change to the adjustments. */
export function resolveConflicts(
  model: Model,
  values: Partial<Record<Field, FieldValue>>,
  adjustments: Map<Field, Adjustment>,
  spellings: ReadonlyMap<Field, readonly [FieldSpelling, ...FieldSpelling[]]>,
): ReturnType<NonNullable<Model['check']>> {
  for (let round = 0; round < maxConflictRounds; round++) {
    const conflict = model.check?.(values as Input)
    if (conflict?.instead === undefined) return conflict
    const { field, message, instead } = conflict
    const { name, value: requested } = spellings.get(field)?.[0] ?? { name: field }
    if (!adjustments.has(field))
      adjustments.set(field, { name, requested, reason: describeConflictFor(name, requested, message) })
    if (instead === null) delete values[field]
    else values[field] = instead
  }
  return model.check?.(values as Input)
}

/** Adds the name and value that the client sent, if they differ from the canonical ones. */
function describeConflictFor(name: string, requested: unknown, message: string): string {
  const namesValue = message.startsWith(`\`${name}\` ${requested} `)
  return requested === undefined || namesValue ? message : `\`${name}\` ${quoteValue(requested)}: ${message}`
}

type OverruledValue = Adjustment & { reason: string }

/** Sets resolution and ratio from the size, which takes precedence. Returns those that were requested differently. */
export function alignFieldsWithSize(
  values: Partial<Record<Field, FieldValue>>,
  rules: ReadonlyMap<Field, Rule>,
  spellings: ReadonlyMap<Field, readonly [FieldSpelling, ...FieldSpelling[]]>,
): Map<Field, OverruledValue> {
  const overruledValues = new Map<Field, OverruledValue>()
  const { size } = values
  for (const field of ['resolution', 'aspect_ratio'] as const) {
    const { choices = [] } = rules.get(field) ?? {}
    const match = closestChoice(fields[field].kind, size, choices, values[field])
    if (
      values[field] === undefined ||
      match === undefined ||
      !match.isExact ||
      match.choice === values[field]
    )
      continue
    const name = spellings.get(field)?.[0].name
    if (name !== undefined) {
      const reason = `\`${name}\` ${values[field]} contradicts \`size\` ${size}`
      overruledValues.set(field, { name, reason })
    }
    values[field] = match.choice
  }
  return overruledValues
}

/** One warning for each value that is not rendered as requested. */
export function describeAdjustments(
  model: Model,
  values: Readonly<Partial<Record<Field, FieldValue>>>,
  adjustments: ReadonlyMap<Field, Adjustment>,
): string[] {
  return [...adjustments].map(([field, { name, requested, reason }]) => {
    const renderedValue = values[field]
    const unsupported = `\`${name}\` ${quoteValue(requested)} is not supported by \`${model.id}\``
    if (renderedValue === undefined) return `${reason ?? unsupported}: it was ignored`
    if (field in mediaFields && Array.isArray(requested)) {
      const usedCount = Array.isArray(renderedValue) ? renderedValue.length : 1
      return `\`${model.id}\` takes ${usedCount} of the ${requested.length} entries of \`${name}\`: the others were ignored`
    }
    return `${reason ?? unsupported}: rendered and billed as ${quoteValue(renderedValue)}`
  })
}
