import type { Field } from './input.ts'
import { describe, type Violation } from './schema.ts'

/** Why an upstream would reject an input, in the gateway's field names. */
export type Rejection = {
  field?: Field
  /** A sentence for the client: names the field, what it must be, and the upstream. */
  message: string
  /** The seeds that the upstream takes, where the seed is all that is wrong. */
  seeds?: { min: number; max: number }
}

/**
 * Turns what an upstream's schema says of a body into rejections. `fields`: the upstream's name of a field -> ours; a name that is
 * missing there is the same in both.
 */
export function toRejections(
  title: string,
  violations: readonly Violation[],
  fields: Readonly<Record<string, Field>>,
): Rejection[] {
  return violations.map((violation) => {
    const field = fields[violation.field] ?? (violation.field as Field)
    const { schema, value } = violation
    const message = `\`${field}\` ${describe(violation)} for ${title}${describeValue(value)}`
    const isSeed = field === 'seed' && violation.kind === 'range'
    return {
      field,
      message,
      ...(isSeed && {
        seeds: { min: Math.max(schema?.min ?? 0, 0), max: schema?.max ?? Number.MAX_SAFE_INTEGER },
      }),
    }
  })
}

/** Numbers and short words are quoted; a text may be long, so only its length is given. */
function describeValue(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return `; got ${value}`
  if (typeof value !== 'string') return ''
  return value.length <= 40 ? `; got ${JSON.stringify(value)}` : `; got ${value.length} characters`
}
