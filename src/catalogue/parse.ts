import { countCharacters } from '../../providers/characters.ts'
import type { Field, Json, JsonObject, MediaKind } from '../../providers/input.ts'
import { mediaFields } from '../../providers/input.ts'
import { mapNested, type NestedField, nestedFields } from '../../providers/nested-media.ts'
import { at, text } from '../../providers/reader.ts'
import { commonSeeds, foldSeed, largestSeed } from '../../providers/seed.ts'
import { fields, type Kind } from './fields.ts'
import { readDataUrlHead } from './media-values/data-url.ts'
import { parseStoredReference } from './media-values/stored-reference.ts'
import { isUploadedFile, type UploadedFile, uploadReferenceOf } from './media-values/uploaded-file.ts'

export type Value = string | number | boolean | JsonObject | readonly string[] | readonly Json[]

/** No `value`: as good as missing. `expected`: what would have been right, in words. `closest`: what comes nearest to it. */
export type Reading = { value?: Value } | { expected: string; closest?: Value }

/** Null, an empty text and an empty list are the same as nothing. */
export function isEmpty(value: unknown): boolean {
  if (typeof value === 'string') return value.trim() === ''
  if (Array.isArray(value)) return value.every((item) => item === null || item === '')
  return value === undefined || value === null
}

/** Reads a field's value leniently: a number may come as text, a list as JSON, a switch as 1. */
export function read(field: Field, value: unknown): Reading {
  if (isEmpty(value)) return {}
  const { kind } = fields[field]
  const media = field in mediaFields ? mediaFields[field as keyof typeof mediaFields] : 'image'
  if (kind === 'media') return readMedia(value, media)
  if (kind === 'mediaList') return readMediaList(value, media)
  const reading = readers[kind](value)
  const nested = nestedFields.find((name) => name === field)
  return nested !== undefined && 'value' in reading ? readNested(nested, reading.value) : reading
}

const readers: Readonly<Record<Exclude<Kind, 'media' | 'mediaList'>, (value: unknown) => Reading>> = {
  text: (value) => (typeof value === 'string' ? { value } : { expected: 'a text' }),
  word: (value) => readWord(value, (word) => word),
  ratio: (value) => readWord(value, (word) => ratios.get(word.toLowerCase()) ?? word.toLowerCase()),
  resolution: (value) => readWord(value, (word) => withTimes(word).replace(/^\d+$/, '$&p')),
  size: (value) => readWord(value, withTimes),
  number: (value) => readNumber(value, 'a number'),
  integer: readInteger,
  seed: (value) => (Number(value) === -1 ? {} : readSeed(value)),
  seconds: (value) =>
    readNumber(typeof value === 'string' ? withoutUnit(value) : value, 'a number of seconds'),
  switch: readSwitch,
  object: (value) =>
    typeof value === 'object' && !Array.isArray(value)
      ? { value: value as JsonObject }
      : { expected: 'an object' },
  list: (value) => (Array.isArray(value) ? { value: value as readonly Json[] } : { expected: 'a list' }),
}

const ratios = new Map([
  ['landscape', '16:9'],
  ['portrait', '9:16'],
  ['square', '1:1'],
])

function withTimes(word: string): string {
  return word.toLowerCase().replace(/\s*[×*x]\s*/g, 'x')
}

/** No name of a choice is longer. */
const longestWord = 200

function readWord(value: unknown, spell: (word: string) => string): Reading {
  if (typeof value === 'number') return { value: spell(String(value)) }
  if (typeof value !== 'string') return { expected: 'a text' }
  const word = value.trim()
  if (countCharacters(word) > longestWord) return { expected: `a text of at most ${longestWord} characters` }
  return { value: spell(word) }
}

function withoutUnit(value: string): string {
  const text = value.trim()
  // Of a long text, the search for spaces ahead of the unit would take seconds.
  return text.length > longestWord ? text : text.replace(/\s*(s|secs?|seconds?)$/i, '')
}

function readNumber(value: unknown, expected: string): Reading {
  const number = numberOf(value)
  // A whole number that a double cannot hold would become another one.
  if (number === undefined || Math.abs(number) > Number.MAX_SAFE_INTEGER) return { expected }
  return { value: number === 0 ? 0 : number }
}

function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  const isNumber = typeof value === 'string' && /^[+-]?\d+(\.\d+)?$/.test(value.trim())
  return isNumber ? Number(value) : undefined
}

function readInteger(value: unknown): Reading {
  const reading = readNumber(value, 'a whole number')
  if (!('value' in reading) || Number.isSafeInteger(reading.value)) return reading
  return { expected: 'a whole number', closest: Math.round(Number(reading.value)) }
}

/** Seeds of image tools have 64 bits: one that no number holds is folded into the range that all upstreams take. Else no other seed is close to one. */
function readSeed(value: unknown): Reading {
  const reading = readInteger(value)
  if (!('expected' in reading)) return reading
  const digits = typeof value === 'string' && /^\d{1,20}$/.test(value.trim()) ? BigInt(value) : undefined
  const expected = `a whole number from 0 to ${largestSeed}, or -1`
  if (digits === undefined || digits > largestSeed) return { expected }
  return { expected: `at most ${Number.MAX_SAFE_INTEGER}`, closest: foldSeed(digits, commonSeeds) }
}

function readSwitch(value: unknown): Reading {
  const word = String(value).trim().toLowerCase()
  if (['true', '1', 'on', 'yes'].includes(word)) return { value: true }
  if (['false', '0', 'off', 'no'].includes(word)) return { value: false }
  return { expected: 'true or false' }
}

/** The link or data URL inside one of the forms that clients send: an object, or a list with nothing else in it. */
function unwrap(told: unknown): unknown {
  const value = Array.isArray(told) && told.length === 1 ? told[0] : told
  if (typeof value !== 'object' || isUploadedFile(value)) return value
  const names = [
    'url',
    'dataUrl',
    'imageUrl',
    'imageDataUrl',
    'videoUrl',
    'videoDataUrl',
    'audioUrl',
    'audioDataUrl',
  ]
  const direct = names.map((name) => mediaAt(value, name)).find((found) => found !== undefined)
  return (
    direct ??
    mediaAt(value, 'image_url', 'url') ??
    mediaAt(value, 'video_url', 'url') ??
    at(value, 'image_url')
  )
}

function mediaAt(value: unknown, ...path: readonly string[]): string | UploadedFile | undefined {
  const found = at(value, ...path)
  return isUploadedFile(found) ? found : text(value, ...path)
}

/** An uploaded file, a data URL or bare base64, in any of the forms that hold one. */
export function holdsDataUrl(value: unknown): boolean {
  const found = unwrap(value)
  return isUploadedFile(found) || (typeof found === 'string' && readDataUrlHead(found) !== undefined)
}

function readMedia(value: unknown, kind: MediaKind): Reading {
  if (Array.isArray(value) && value.length > 1) return readFirst(value, kind)
  const found = unwrap(value)
  if (isUploadedFile(found)) return readUpload(found, kind)
  const link = typeof found === 'string' ? found.trim() : ''
  const fits = isDataUrl(link, kind) || isWebLink(link) || isAttachment(link)
  return fits ? { value: link } : { expected: `an http(s) link or a data URL (data:${kind}/…;base64,…)` }
}

/** Of several files where one is taken, the first. */
function readFirst(files: readonly unknown[], kind: MediaKind): Reading {
  const first = readMedia(files[0], kind)
  if ('expected' in first || first.value === undefined) return first
  return { expected: 'one file', closest: first.value }
}

/** A type that says nothing of media is not believed: the bytes are checked where the file is stored. */
function readUpload(file: UploadedFile, kind: MediaKind): Reading {
  const main = /^\s*(image|video|audio)\//i.exec(file.type)?.[1]?.toLowerCase()
  // Sound alone in a video's container is told apart by its bytes only.
  if (main === undefined || main === kind || (main === 'video' && kind === 'audio')) {
    return { value: uploadReferenceOf(file) }
  }
  return { expected: `a file of type ${kind} (data:${kind}/…;base64,…)` }
}

/** An entry of the caller's library. */
function isAttachment(link: string): boolean {
  return /^attachment:[\w-]{1,64}$/.test(link)
}

function isWebLink(link: string): boolean {
  if (!link.isWellFormed() || /\p{Cc}/u.test(link)) return false
  return /^https?:\/\/[^\s/]/i.test(link) && !/\s/.test(link) && URL.canParse(link)
}

/**
 * Looks at the beginning only: the bytes, megabytes of them, are read once, where they are stored. They decide where no kind of media
 * is declared.
 */
function isDataUrl(link: string, kind: MediaKind): boolean {
  const head = readDataUrlHead(link)
  if (head === undefined || link.length === head.length) return false
  const declared = /^(image|video|audio)\//.exec(head.type)?.[1]
  // Containers for video hold sound alone, too.
  return declared === undefined || declared === kind || (declared === 'video' && kind === 'audio')
}

function readMediaList(value: unknown, kind: MediaKind): Reading {
  const items = asList(value).filter((item) => !isEmpty(item))
  const links: string[] = []
  for (const item of items) {
    const reading = readMedia(item, kind)
    if (!('value' in reading) || typeof reading.value !== 'string') {
      return { expected: `a list of http(s) links or data URLs (data:${kind}/…;base64,…)` }
    }
    links.push(reading.value)
  }
  return links.length > 0 ? { value: links } : {}
}

/**
 * Media inside of an object: a link, a data URL or an attachment is checked as in a media field, any other text is a description. Only
 * we write references to files that we hold.
 */
function readNested(field: NestedField, object: unknown): Reading {
  let wrong: string | undefined
  const value = mapNested(field, object, (found, { path, kind }) => {
    if (isUploadedFile(found) && kind === undefined) return uploadReferenceOf(found)
    if (typeof found !== 'string' && !isUploadedFile(found)) return undefined
    const reading = kind === undefined ? {} : readMedia(found, kind)
    if ('value' in reading && typeof reading.value === 'string') return reading.value
    const isMeant =
      typeof found !== 'string' || (kind !== undefined && /^\s*[a-z][a-z\d+.-]*:\S/i.test(found))
    if (isMeant || parseStoredReference(found) !== undefined) {
      const expected = 'expected' in reading ? reading.expected : 'not a reference to a stored file'
      wrong ??= `such that \`${path}\` is ${expected}`
    }
    return undefined
  })
  return wrong === undefined ? { value: value as Value } : { expected: wrong }
}

function asList(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  if (typeof value !== 'string' || !value.trimStart().startsWith('[')) return [value]
  try {
    const parsed: unknown = JSON.parse(value)
    return Array.isArray(parsed) ? parsed : [value]
  } catch {
    return [value]
  }
}
