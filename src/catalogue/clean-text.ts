import { fields, meaningOf } from './fields.ts'

type Body = Readonly<Record<string, unknown>>

/**
 * A request without the characters that upstreams reject in a text: NUL, and halves of surrogate pairs. `changed`: the fields that had
 * one. Links and data URLs are left as they are; they are checked as such.
 */
export function cleanTexts(body: Body): { body: Body; changed: readonly string[] } {
  const entries = Object.entries(body).map(([name, value]) => {
    const cleaned = isMedia(name) ? value : clean(value)
    return { name, value: cleaned, isChanged: cleaned !== value }
  })
  const changed = entries.filter(({ isChanged }) => isChanged).map(({ name }) => name)
  if (changed.length === 0) return { body, changed }
  return { body: Object.fromEntries(entries.map(({ name, value }) => [name, value])), changed }
}

/** A text as upstreams can read it. */
export function cleanText(text: string): string {
  if (text.isWellFormed() && !text.includes('\0')) return text
  return text.replaceAll('\0', '').replace(/\p{Surrogate}/gu, '')
}

/** The same value where nothing in it had to change. */
function clean(value: unknown): unknown {
  if (typeof value === 'string') return cleanText(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const items = value.map(clean)
    return items.some((item, at) => item !== value[at]) ? items : value
  }
  const entries = Object.entries(value).map(([key, inner]) => [cleanText(key), clean(inner)] as const)
  const isSame = entries.every(
    ([key, inner]) => Object.hasOwn(value, key) && inner === value[key as keyof typeof value],
  )
  return isSame ? value : Object.fromEntries(entries)
}

function isMedia(name: string): boolean {
  const meaning = meaningOf(name)
  if (meaning === 'metadata' || meaning === undefined) return false
  const { kind } = fields[meaning.field]
  return kind === 'media' || kind === 'mediaList'
}
