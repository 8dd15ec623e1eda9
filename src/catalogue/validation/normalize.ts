import type { Field } from '../../../providers/input.ts'
import { findNearestWord } from '../../text/nearest-word.ts'
import { acceptedNames, allFields, fields, matchFieldName } from '../fields.ts'
import { isFrameList, readFrameList } from './frame-list.ts'
import { holdsDataUrl, isEmpty } from './parse-value.ts'

/** A field as the client sent it. */
export type FieldSpelling = { name: string; value: unknown; isOpposite: boolean }

/** Lower precedence than every name of a single field. */
const frameListRank = 1000

type RankedSpelling = { spelling: FieldSpelling; field: Field; rank: number }

/** Groups the keys of a request body by field, best spelling first, and returns warnings about the other keys. */
type NormalizedBody = {
  spellings: ReadonlyMap<Field, readonly [FieldSpelling, ...FieldSpelling[]]>
  warnings: readonly string[]
}

/** Folds the spellings of a request body into fields. */
export function normalizeFields(body: Readonly<Record<string, unknown>>): NormalizedBody {
  const rankedSpellings: RankedSpelling[] = []
  const unknownNames: string[] = []
  for (const [name, sentValue] of Object.entries(body)) {
    const value = isEmpty(sentValue) ? sentValue : withAttachmentScheme(name, sentValue)
    const match = matchFieldName(name)
    if (match === 'metadata' || isEmpty(value)) continue
    if (isFrameList(name, value)) {
      for (const [field, source] of readFrameList(value)) {
        rankedSpellings.push({
          spelling: { name, value: source, isOpposite: false },
          field,
          rank: frameListRank,
        })
      }
    } else if (match === undefined) unknownNames.push(name)
    else rankedSpellings.push(rankSpelling({ name, value, isOpposite: match.isOpposite }, match))
  }
  rankedSpellings.sort((left, right) => left.rank - right.rank)
  const spellings = new Map<Field, [FieldSpelling, ...FieldSpelling[]]>()
  for (const { field, spelling } of rankedSpellings) {
    const fieldSpellings = spellings.get(field)
    if (fieldSpellings === undefined) spellings.set(field, [spelling])
    else fieldSpellings.push(spelling)
  }
  return { spellings, warnings: describeUnknownNames(unknownNames) }
}

/** How a request spells a field. */
export function sentNameOf(body: unknown, field: Field): string {
  if (typeof body !== 'object' || body === null) return field
  return normalizeFields(body as Readonly<Record<string, unknown>>).spellings.get(field)?.[0].name ?? field
}

/** An attachment goes by its id, where other media bring a link or their bytes. */
function withAttachmentScheme(name: string, value: unknown): unknown {
  return /attachment_?id$/i.test(name) && typeof value === 'string' ? `attachment:${value.trim()}` : value
}

/** The canonical spelling comes first; but of a link and a data URL for the same file, the data URL wins. */
function rankSpelling(spelling: FieldSpelling, match: { field: Field; rank: number }): RankedSpelling {
  const { name, value } = spelling
  const { kind, objectField = match.field } = fields[match.field]
  const isObject = typeof value === 'object' && !Array.isArray(value)
  const spellingRank = match.rank + (name === match.field ? 0 : 0.5)
  return {
    spelling,
    field: isObject ? objectField : match.field,
    rank: kind === 'media' && holdsDataUrl(value) ? spellingRank - 100 : spellingRank,
  }
}

const allFieldNames = allFields.flatMap(acceptedNames)

/** A body of ten thousand strange keys is not worth ten thousand searches. */
const maxReportedNames = 20

function describeUnknownNames(names: readonly string[]): readonly string[] {
  const messages = names.slice(0, maxReportedNames).map((name) => {
    const suggestion = findNearestWord(name, allFieldNames)
    const shownName = name.length > 60 ? `${name.slice(0, 57)}…` : name
    const hint = suggestion === undefined ? '' : `; did you mean \`${suggestion}\`?`
    return `\`${shownName}\` is not a known field and was ignored${hint}`
  })
  const restCount = names.length - messages.length
  return restCount > 0 ? [...messages, `${restCount} more unknown fields were ignored`] : messages
}
