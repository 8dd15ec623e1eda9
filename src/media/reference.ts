import { type Field, type Input, type MediaKind, mediaFields } from '../../providers/input.ts'
import type { Media } from '../../providers/provider.ts'

export type MediaField = keyof typeof mediaFields

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

/** Every value of every media field. */
export function mediaIn(input: Input): { field: MediaField; kind: MediaKind; value: string }[] {
  const found: { field: MediaField; kind: MediaKind; value: string }[] = []
  for (const [field, kind] of kinds) {
    const told = input[field]
    if (told === undefined) continue
    for (const value of typeof told === 'string' ? [told] : told) found.push({ field, kind, value })
  }
  return found
}

/** The input with every value of its media fields replaced, one after the other; the same object where there is none. */
export async function mapMedia(
  input: Input,
  map: (value: string, kind: MediaKind, field: MediaField) => Promise<string>,
): Promise<Input> {
  const changed: Partial<Record<Field, string | string[]>> = {}
  for (const [field, kind] of kinds) {
    const value = input[field]
    if (typeof value === 'string') changed[field] = await map(value, kind, field)
    else if (value !== undefined) {
      const mapped: string[] = []
      for (const item of value) mapped.push(await map(item, kind, field))
      changed[field] = mapped
    }
  }
  return Object.keys(changed).length === 0 ? input : ({ ...input, ...changed } as Input)
}
