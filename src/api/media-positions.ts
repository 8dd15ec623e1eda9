import { fields, meaningOf, plainName } from '../catalogue/fields.ts'
import { frameLists } from '../catalogue/frames.ts'

/** Where a value stands in a request body. At `media`, a text may be a whole file. */
export type Position = 'body' | 'media' | 'story' | 'characters' | 'character' | 'other'

/** Keys under which clients wrap a link or a data URL, without case and underscores. */
const wrappers = new Set([
  'inputimage',
  ...['url', 'dataUrl', 'image', 'video', 'audio'].flatMap((kind) => [
    plainName(kind),
    plainName(`${kind}Url`),
    plainName(`${kind}DataUrl`),
  ]),
])

/** The position of a member of an object, or of an item of a list (no `key`), from that of the object or list. */
export function positionOf(parent: Position, key: string | undefined): Position {
  if (key === undefined) return parent === 'media' ? 'media' : parent === 'characters' ? 'character' : 'other'
  if (parent === 'body') return positionInBody(key)
  if (parent === 'media') return wrappers.has(plainName(key)) ? 'media' : 'other'
  if (parent === 'story') return plainName(key) === 'characters' ? 'characters' : 'other'
  if (parent === 'character') return isMedia(key) ? 'media' : 'other'
  return 'other'
}

function positionInBody(key: string): Position {
  if (isMedia(key)) return 'media'
  const plain = plainName(key)
  if (plain === frameLists) return 'media'
  if (plain === 'characters') return 'characters'
  return plain === 'storyconfig' ? 'story' : 'other'
}

/** Whether a field of this name holds media. */
export function isMedia(name: string): boolean {
  const meaning = meaningOf(name)
  return meaning !== undefined && meaning !== 'metadata' && fields[meaning.field].kind.startsWith('media')
}
