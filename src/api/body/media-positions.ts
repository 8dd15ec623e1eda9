import { fields, matchFieldName, normalizeName } from '../../catalogue/fields.ts'
import { frameListName } from '../../catalogue/validation/frame-list.ts'

/** The position of a value in a request body. At `media`, a text may be a whole file. */
export type BodyPosition = 'body' | 'media' | 'story' | 'characters' | 'character' | 'other'

/** Normalized keys under which clients wrap a link or a data URL. */
const wrapperKeys = new Set([
  'inputimage',
  ...['url', 'dataUrl', 'image', 'video', 'audio'].flatMap((kind) => [
    normalizeName(kind),
    normalizeName(`${kind}Url`),
    normalizeName(`${kind}DataUrl`),
  ]),
])

/** The position of a member of an object, or of an item of a list (no `key`), from that of the object or list. */
export function positionOf(parent: BodyPosition, key: string | undefined): BodyPosition {
  if (key === undefined) return parent === 'media' ? 'media' : parent === 'characters' ? 'character' : 'other'
  if (parent === 'body') return positionInBody(key)
  if (parent === 'media') return wrapperKeys.has(normalizeName(key)) ? 'media' : 'other'
  if (parent === 'story') return normalizeName(key) === 'characters' ? 'characters' : 'other'
  if (parent === 'character') return isMediaField(key) ? 'media' : 'other'
  return 'other'
}

function positionInBody(key: string): BodyPosition {
  if (isMediaField(key)) return 'media'
  const plainKey = normalizeName(key)
  if (plainKey === frameListName) return 'media'
  if (plainKey === 'characters') return 'characters'
  return plainKey === 'storyconfig' ? 'story' : 'other'
}

/** Whether a field of this name holds media. */
export function isMediaField(name: string): boolean {
  const meaning = matchFieldName(name)
  return meaning !== undefined && meaning !== 'metadata' && fields[meaning.field].kind.startsWith('media')
}
