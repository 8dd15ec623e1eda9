import { fields, matchFieldName } from '../fields.ts'

type Body = Readonly<Record<string, unknown>>

/**
 * Removes the characters that upstreams reject in a text: NUL and unpaired surrogates. `changed`: the fields that contained one. Links and data
 * URLs are not changed; they are validated elsewhere.
 */
export function cleanTexts(body: Body): { body: Body; changedNames: readonly string[] } {
  const entries = Object.entries(body).map(([name, value]) => {
    const cleaned = isMediaName(name) ? value : cleanValue(value)
    return { name, value: cleaned, isChanged: cleaned !== value }
  })
  const changedNames = entries.filter(({ isChanged }) => isChanged).map(({ name }) => name)
  if (changedNames.length === 0) return { body, changedNames }
  return { body: Object.fromEntries(entries.map(({ name, value }) => [name, value])), changedNames }
}

/** Removes unsupported characters from a text. */
export function cleanText(text: string): string {
  if (text.isWellFormed() && !text.includes('\0')) return text
  return text.replaceAll('\0', '').replace(/\p{Surrogate}/gu, '')
}

/** Returns the same object if nothing changes. */
function cleanValue(value: unknown): unknown {
  if (typeof value === 'string') return cleanText(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const items = value.map(cleanValue)
    return items.some((item, index) => item !== value[index]) ? items : value
  }
  const entries = Object.entries(value).map(
    ([key, nestedValue]) => [cleanText(key), cleanValue(nestedValue)] as const,
  )
  const isUnchanged = entries.every(
    ([key, nestedValue]) => Object.hasOwn(value, key) && nestedValue === value[key as keyof typeof value],
  )
  return isUnchanged ? value : Object.fromEntries(entries)
}

function isMediaName(name: string): boolean {
  const match = matchFieldName(name)
  if (match === 'metadata' || match === undefined) return false
  const { kind } = fields[match.field]
  return kind === 'media' || kind === 'mediaList'
}
