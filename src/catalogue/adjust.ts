import { type Field, type Input, mediaFields } from '../../providers/input.ts'
import { closestChoice } from './closest.ts'
import { fields } from './fields.ts'
import type { Given } from './fold.ts'
import type { Model, Rule } from './model.ts'
import type { Value } from './parse.ts'
import { show } from './rules.ts'

/** What was asked for and cannot be rendered. `reason`: why, where it is not just that the model has no such value. */
export type Adjusted = { name: string; asked?: unknown; reason?: string }

/** A chain of conditions longer than this would be a mistake in the catalogue. */
const mostConflicts = 8

/** Changes an input until the model's conditions between fields hold. Returns what remains wrong; notes each change in `adjusted`. */
export function resolveConflicts(
  model: Model,
  values: Partial<Record<Field, Value>>,
  adjusted: Map<Field, Adjusted>,
  given: ReadonlyMap<Field, readonly [Given, ...Given[]]>,
): ReturnType<NonNullable<Model['check']>> {
  for (let round = 0; round < mostConflicts; round++) {
    const conflict = model.check?.(values as Input)
    if (conflict?.instead === undefined) return conflict
    const { field, message, instead } = conflict
    const { name, value: asked } = given.get(field)?.[0] ?? { name: field }
    if (!adjusted.has(field))
      adjusted.set(field, { name, asked, reason: describeConflict(name, asked, message) })
    if (instead === null) delete values[field]
    else values[field] = instead
  }
  return model.check?.(values as Input)
}

/** A conflict is told in our words; who asked in other ones is told which. */
function describeConflict(name: string, asked: unknown, message: string): string {
  const isNamed = message.startsWith(`\`${name}\` ${asked} `)
  return asked === undefined || isNamed ? message : `\`${name}\` ${show(asked)}: ${message}`
}

type Overruled = Adjusted & { reason: string }

/** Makes resolution and ratio what the size says, which wins over them. Returns those of them that were asked for otherwise. */
export function alignWithSize(
  values: Partial<Record<Field, Value>>,
  rules: ReadonlyMap<Field, Rule>,
  given: ReadonlyMap<Field, readonly [Given, ...Given[]]>,
): Map<Field, Overruled> {
  const overruled = new Map<Field, Overruled>()
  const { size } = values
  for (const field of ['resolution', 'aspect_ratio'] as const) {
    const { choices = [] } = rules.get(field) ?? {}
    const same = closestChoice(fields[field].kind, size, choices, values[field])
    if (values[field] === undefined || same === undefined || !same.exact || same.choice === values[field])
      continue
    const name = given.get(field)?.[0].name
    if (name !== undefined) {
      const reason = `\`${name}\` ${values[field]} contradicts \`size\` ${size}`
      overruled.set(field, { name, reason })
    }
    values[field] = same.choice
  }
  return overruled
}

/** One warning for each value that is not rendered as asked. */
export function describeAdjusted(
  model: Model,
  values: Readonly<Partial<Record<Field, Value>>>,
  adjusted: ReadonlyMap<Field, Adjusted>,
): string[] {
  return [...adjusted].map(([field, { name, asked, reason }]) => {
    const rendered = values[field]
    const unsupported = `\`${name}\` ${show(asked)} is not supported by \`${model.id}\``
    if (rendered === undefined) return `${reason ?? unsupported}: it was ignored`
    if (field in mediaFields && Array.isArray(asked)) {
      const taken = Array.isArray(rendered) ? rendered.length : 1
      return `\`${model.id}\` takes ${taken} of the ${asked.length} entries of \`${name}\`: the others were ignored`
    }
    return `${reason ?? unsupported}: rendered and billed as ${show(rendered)}`
  })
}
