import type { Field } from '../../providers/input.ts'
import { allFields, fieldNames, fields, meaningOf } from './fields.ts'
import { framesOf, isFrameList } from './frames.ts'
import { nearest } from './near.ts'
import { holdsDataUrl, isEmpty } from './parse.ts'

/** A field as one caller told it. */
export type Given = { name: string; value: unknown; opposite: boolean }

/** Behind every name of one field alone. */
const lowestRank = 1000

type Placed = { told: Given; field: Field; rank: number }

/** What a request body tells of each field, best spelling first, and what is to be said about its other keys. */
type Folded = { given: ReadonlyMap<Field, readonly [Given, ...Given[]]>; warnings: readonly string[] }

/** Folds the spellings of a request body into fields. */
export function fold(body: Readonly<Record<string, unknown>>): Folded {
  const ranked: Placed[] = []
  const unknown: string[] = []
  for (const [name, told] of Object.entries(body)) {
    const value = isEmpty(told) ? told : withScheme(name, told)
    const meaning = meaningOf(name)
    if (meaning === 'metadata' || isEmpty(value)) continue
    if (isFrameList(name, value)) {
      for (const [field, source] of framesOf(value)) {
        ranked.push({ told: { name, value: source, opposite: false }, field, rank: lowestRank })
      }
    } else if (meaning === undefined) unknown.push(name)
    else ranked.push(place({ name, value, opposite: meaning.opposite }, meaning))
  }
  ranked.sort((a, b) => a.rank - b.rank)
  const given = new Map<Field, [Given, ...Given[]]>()
  for (const { field, told } of ranked) {
    const known = given.get(field)
    if (known === undefined) given.set(field, [told])
    else known.push(told)
  }
  return { given, warnings: tellUnknown(unknown) }
}

/** How a request spells a field. */
export function spellingOf(body: unknown, field: Field): string {
  if (typeof body !== 'object' || body === null) return field
  return fold(body as Readonly<Record<string, unknown>>).given.get(field)?.[0].name ?? field
}

/** An attachment goes by its id, where other media bring a link or their bytes. */
function withScheme(name: string, value: unknown): unknown {
  return /attachment_?id$/i.test(name) && typeof value === 'string' ? `attachment:${value.trim()}` : value
}

/** The canonical spelling comes first; but of a link and a data URL for the same file, the data URL wins. */
function place(told: Given, meaning: { field: Field; rank: number }): Placed {
  const { name, value } = told
  const { kind, objectMeans = meaning.field } = fields[meaning.field]
  const isObject = typeof value === 'object' && !Array.isArray(value)
  const spelling = meaning.rank + (name === meaning.field ? 0 : 0.5)
  return {
    told,
    field: isObject ? objectMeans : meaning.field,
    rank: kind === 'media' && holdsDataUrl(value) ? spelling - 100 : spelling,
  }
}

const knownNames = allFields.flatMap(fieldNames)

/** A body of ten thousand strange keys is not worth ten thousand searches. */
const mostTold = 20

function tellUnknown(names: readonly string[]): readonly string[] {
  const told = names.slice(0, mostTold).map((name) => {
    const meant = nearest(name, knownNames)
    const shown = name.length > 60 ? `${name.slice(0, 57)}…` : name
    const hint = meant === undefined ? '' : `; did you mean \`${meant}\`?`
    return `\`${shown}\` is not a known field and was ignored${hint}`
  })
  const rest = names.length - told.length
  return rest > 0 ? [...told, `${rest} more unknown fields were ignored`] : told
}
