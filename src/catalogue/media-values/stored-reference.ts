import { type Field, type Input, type Json, type MediaKind, mediaFields } from '../../../providers/input.ts'
import { mapNested, type NestedField, nestedIn } from '../../../providers/nested-media.ts'
import type { Media } from '../../../providers/provider.ts'
import { readDataUrlHead } from './data-url.ts'

type MediaField = keyof typeof mediaFields

/** A file that we hold, as a media field of a stored job names it. */
const referencePattern = /^stored:([0-9a-f]{64}):(\d+):([\w./+-]+)$/

export type StoredFile = { hash: string; bytes: number; contentType: string }

export function formatStoredReference({ hash, bytes, contentType }: StoredFile): string {
  return `stored:${hash}:${bytes}:${contentType}`
}

export function parseStoredReference(value: string): StoredFile | undefined {
  const match = referencePattern.exec(value)
  if (match === null) return undefined
  const [, hash = '', bytes = '', contentType = ''] = match
  return { hash, bytes: Number(bytes), contentType }
}

/** Where a held file lies in the store. */
export function storedInputName({ hash }: Pick<StoredFile, 'hash'>): string {
  return `inputs/${hash}`
}

/** A stored file in the form that providers take. */
export function toProviderMedia({ bytes, contentType }: StoredFile, kind: MediaKind): Media {
  return { kind, contentType, bytes, filename: `${kind}.${extensionOf(contentType)}` }
}

const extensionsBySubtype: Readonly<Record<string, string>> = {
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
  return extensionsBySubtype[subtype] ?? (/^[a-z0-9]{1,5}$/.test(subtype) ? subtype : 'bin')
}

const kindsByField = Object.entries(mediaFields) as [MediaField, MediaKind][]

/** One value of a media field, or a text inside an object that is media. `path`: where it stands. */
type MediaValue = { field: MediaField | NestedField; path: string; kind: MediaKind; value: string }

/** Every value of every media field, and all media inside of objects. */
export function listMedia(input: Input): MediaValue[] {
  const values: MediaValue[] = []
  for (const [field, kind] of kindsByField) {
    const fieldValue = input[field]
    if (fieldValue === undefined) continue
    for (const value of typeof fieldValue === 'string' ? [fieldValue] : fieldValue)
      values.push({ field, path: field, kind, value })
  }
  return [...values, ...nestedIn(input).flatMap(([field, value]) => listNestedMedia(field, value))]
}

function listNestedMedia(field: NestedField, object: Json): MediaValue[] {
  const values: MediaValue[] = []
  mapNested(field, object, (value, { path, kind: knownKind }) => {
    const kind = typeof value === 'string' ? (knownKind ?? mediaKindOf(value)) : undefined
    if (kind !== undefined) values.push({ field, path, kind, value: value as string })
    return undefined
  })
  return values
}

/** The kind of a data URL or of a file that we hold, wherever it stands; `undefined` for any other text. */
function mediaKindOf(text: string): MediaKind | undefined {
  const head = /^\s*data:/i.test(text) ? readDataUrlHead(text) : undefined
  const [mainType = ''] = (parseStoredReference(text)?.contentType ?? head?.type ?? '').split('/')
  return isMediaKind(mainType) ? mainType : undefined
}

/** The input with all of its media replaced, one after the other; the same object where there is none. */
export async function replaceMedia(
  input: Input,
  replace: (value: string, kind: MediaKind, position: Pick<MediaValue, 'field' | 'path'>) => Promise<string>,
): Promise<Input> {
  const replacedFields: Partial<Record<Field, Json>> = {}
  for (const [field, kind] of kindsByField) {
    const value = input[field]
    const position = { field, path: field }
    if (typeof value === 'string') replacedFields[field] = await replace(value, kind, position)
    else if (value !== undefined) {
      const replacedItems: string[] = []
      for (const item of value) replacedItems.push(await replace(item, kind, position))
      replacedFields[field] = replacedItems
    }
  }
  for (const [field, object] of nestedIn(input)) {
    const replacedTexts = new Map<string, string>()
    for (const { value, kind, path } of listNestedMedia(field, object))
      replacedTexts.set(path, await replace(value, kind, { field, path }))
    if (replacedTexts.size > 0)
      replacedFields[field] = mapNested(field, object, (_, { path }) => replacedTexts.get(path))
  }
  return Object.keys(replacedFields).length === 0 ? input : ({ ...input, ...replacedFields } as Input)
}

export function isMediaKind(text: string): text is MediaKind {
  return text === 'image' || text === 'video' || text === 'audio'
}
