import { type Field, type Input, type Json, type MediaKind, mediaFields } from '../../providers/input.ts'
import { mapNested, type NestedField, nestedIn } from '../../providers/nested-media.ts'
import type { Media } from '../../providers/provider.ts'
import { readDataUrlHead } from './data-url.ts'
import { isKind } from './limits.ts'

type MediaField = keyof typeof mediaFields

/** A file that we hold, as a media field of a stored job names it. */
const shape = /^stored:([0-9a-f]{64}):(\d+):([\w./+-]+)$/

export type Held = { hash: string; bytes: number; contentType: string }

export function refer({ hash, bytes, contentType }: Held): string {
  return `stored:${hash}:${bytes}:${contentType}`
}

export function heldBy(value: string): Held | undefined {
  const found = shape.exec(value)
  if (found === null) return undefined
  const [, hash = '', bytes = '', contentType = ''] = found
  return { hash, bytes: Number(bytes), contentType }
}

/** Where a held file lies in the store. */
export function nameOf({ hash }: Pick<Held, 'hash'>): string {
  return `inputs/${hash}`
}

/** A held file as an upstream is told of it. */
export function mediaOf({ bytes, contentType }: Held, kind: MediaKind): Media {
  return { kind, contentType, bytes, filename: `${kind}.${extensionOf(contentType)}` }
}

const usualExtensions: Readonly<Record<string, string>> = {
  jpeg: 'jpg',
  mpeg: 'mp3',
  quicktime: 'mov',
  'x-wav': 'wav',
  matroska: 'mkv',
}

export function extensionOf(contentType: string): string {
  const subtype = contentType.split('/')[1] ?? ''
  if (contentType === 'video/mpeg') return 'mpg'
  if (contentType === 'audio/mp4') return 'm4a'
  return usualExtensions[subtype] ?? (/^[a-z0-9]{1,5}$/.test(subtype) ? subtype : 'bin')
}

const kinds = Object.entries(mediaFields) as [MediaField, MediaKind][]

/** One value of a media field, or a text inside an object that is media. `path`: where it stands. */
type MediaValue = { field: MediaField | NestedField; path: string; kind: MediaKind; value: string }

/** Every value of every media field, and all media inside of objects. */
export function mediaIn(input: Input): MediaValue[] {
  const found: MediaValue[] = []
  for (const [field, kind] of kinds) {
    const told = input[field]
    if (told === undefined) continue
    for (const value of typeof told === 'string' ? [told] : told)
      found.push({ field, path: field, kind, value })
  }
  return [...found, ...nestedIn(input).flatMap(([field, value]) => nestedMedia(field, value))]
}

function nestedMedia(field: NestedField, object: Json): MediaValue[] {
  const found: MediaValue[] = []
  mapNested(field, object, (value, { path, kind: named }) => {
    const kind = typeof value === 'string' ? (named ?? kindOf(value)) : undefined
    if (kind !== undefined) found.push({ field, path, kind, value: value as string })
    return undefined
  })
  return found
}

/** The kind of a data URL or of a file that we hold, wherever it stands; `undefined` for any other text. */
function kindOf(text: string): MediaKind | undefined {
  const head = /^\s*data:/i.test(text) ? readDataUrlHead(text) : undefined
  const [main = ''] = (heldBy(text)?.contentType ?? head?.type ?? '').split('/')
  return isKind(main) ? main : undefined
}

/** The input with all of its media replaced, one after the other; the same object where there is none. */
export async function mapMedia(
  input: Input,
  map: (value: string, kind: MediaKind, place: Pick<MediaValue, 'field' | 'path'>) => Promise<string>,
): Promise<Input> {
  const changed: Partial<Record<Field, Json>> = {}
  for (const [field, kind] of kinds) {
    const value = input[field]
    const place = { field, path: field }
    if (typeof value === 'string') changed[field] = await map(value, kind, place)
    else if (value !== undefined) {
      const mapped: string[] = []
      for (const item of value) mapped.push(await map(item, kind, place))
      changed[field] = mapped
    }
  }
  for (const [field, object] of nestedIn(input)) {
    const replaced = new Map<string, string>()
    for (const { value, kind, path } of nestedMedia(field, object))
      replaced.set(path, await map(value, kind, { field, path }))
    if (replaced.size > 0) changed[field] = mapNested(field, object, (_, { path }) => replaced.get(path))
  }
  return Object.keys(changed).length === 0 ? input : ({ ...input, ...changed } as Input)
}
