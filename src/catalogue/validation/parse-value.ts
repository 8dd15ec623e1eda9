import { countCharacters } from '../../../providers/characters.ts'
import type { Field, Json, JsonObject, MediaKind } from '../../../providers/input.ts'
import { mediaFields } from '../../../providers/input.ts'
import { mapNested, type NestedField, nestedFields } from '../../../providers/nested-media.ts'
import { at, text } from '../../../providers/reader.ts'
import { commonSeeds, foldSeed, largestSeed } from '../../../providers/seed.ts'
import { type FieldKind, fields } from '../fields.ts'
import { readDataUrlHead } from '../media-values/data-url.ts'
import { parseStoredReference } from '../media-values/stored-reference.ts'
import { isUploadedFile, type UploadedFile, uploadReferenceOf } from '../media-values/uploaded-file.ts'

export type FieldValue = string | number | boolean | JsonObject | readonly string[] | readonly Json[]

/** No `value`: as good as missing. `expected`: what would have been right, in words. `closest`: what comes nearest to it. */
export type ParseResult = { value?: FieldValue } | { expected: string; closest?: FieldValue }

/** Null, an empty text and an empty list are the same as nothing. */
export function isEmpty(value: unknown): boolean {
  if (typeof value === 'string') return value.trim() === ''
  if (Array.isArray(value)) return value.every((item) => item === null || item === '')
  return value === undefined || value === null
}

/** The states of a field of words that others have as a switch. */
const stateNames = new Map([
  ['true', 'enabled'],
  ['false', 'disabled'],
])

/** Reads a field's value leniently: a number may come as text, a list as JSON, a switch as 1. */
export function parseValue(field: Field, value: unknown): ParseResult {
  if (isEmpty(value)) return {}
  const { kind } = fields[field]
  const mediaKind = field in mediaFields ? mediaFields[field as keyof typeof mediaFields] : 'image'
  if (kind === 'media') return parseMedia(value, mediaKind)
  if (kind === 'mediaList') return parseMediaList(value, mediaKind)
  const parsed = parsers[kind](field === 'thinkingMode' ? (stateNames.get(String(value)) ?? value) : value)
  const nestedField = nestedFields.find((name) => name === field)
  return nestedField !== undefined && 'value' in parsed ? parseNested(nestedField, parsed.value) : parsed
}

const parsers: Readonly<Record<Exclude<FieldKind, 'media' | 'mediaList'>, (value: unknown) => ParseResult>> =
  {
    text: (value) => (typeof value === 'string' ? { value } : { expected: 'a text' }),
    word: (value) => parseWord(value, (word) => word),
    ratio: (value) => parseWord(value, (word) => ratioNames.get(word.toLowerCase()) ?? word.toLowerCase()),
    resolution: (value) => parseWord(value, (word) => normalizeTimes(word).replace(/^\d+$/, '$&p')),
    size: (value) => parseWord(value, normalizeTimes),
    number: (value) => parseNumber(value, 'a number'),
    integer: parseInteger,
    seed: (value) => (Number(value) === -1 ? {} : parseSeed(value)),
    seconds: (value) =>
      parseNumber(typeof value === 'string' ? withoutUnit(value) : value, 'a number of seconds'),
    switch: parseSwitch,
    object: (value) =>
      typeof value === 'object' && !Array.isArray(value)
        ? { value: value as JsonObject }
        : { expected: 'an object' },
    list: (value) => (Array.isArray(value) ? { value: value as readonly Json[] } : { expected: 'a list' }),
  }

const ratioNames = new Map([
  ['landscape', '16:9'],
  ['portrait', '9:16'],
  ['square', '1:1'],
])

function normalizeTimes(word: string): string {
  return word.toLowerCase().replace(/\s*[×*x]\s*/g, 'x')
}

/** No name of a choice is longer. */
const maxWordLength = 200

function parseWord(value: unknown, normalize: (word: string) => string): ParseResult {
  if (typeof value === 'number') return { value: normalize(String(value)) }
  if (typeof value !== 'string') return { expected: 'a text' }
  const word = value.trim()
  if (countCharacters(word) > maxWordLength)
    return { expected: `a text of at most ${maxWordLength} characters` }
  return { value: normalize(word) }
}

function withoutUnit(value: string): string {
  const trimmed = value.trim()
  // Of a long text, the search for spaces ahead of the unit would take seconds.
  return trimmed.length > maxWordLength ? trimmed : trimmed.replace(/\s*(s|secs?|seconds?)$/i, '')
}

function parseNumber(value: unknown, expected: string): ParseResult {
  const parsedNumber = toNumber(value)
  // A whole number that a double cannot hold would become another one.
  if (parsedNumber === undefined || Math.abs(parsedNumber) > Number.MAX_SAFE_INTEGER) return { expected }
  return { value: parsedNumber === 0 ? 0 : parsedNumber }
}

function toNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  const isNumeric = typeof value === 'string' && /^[+-]?\d+(\.\d+)?$/.test(value.trim())
  return isNumeric ? Number(value) : undefined
}

function parseInteger(value: unknown): ParseResult {
  const parsed = parseNumber(value, 'a whole number')
  if (!('value' in parsed) || Number.isSafeInteger(parsed.value)) return parsed
  return { expected: 'a whole number', closest: Math.round(Number(parsed.value)) }
}

/** Seeds of image tools have 64 bits: one that no number holds is folded into the range that all upstreams take. Else no other seed is close to one. */
function parseSeed(value: unknown): ParseResult {
  const parsed = parseInteger(value)
  if (!('expected' in parsed)) return parsed
  const digits = typeof value === 'string' && /^\d{1,20}$/.test(value.trim()) ? BigInt(value) : undefined
  const expected = `a whole number from 0 to ${largestSeed}, or -1`
  if (digits === undefined || digits > largestSeed) return { expected }
  return { expected: `at most ${Number.MAX_SAFE_INTEGER}`, closest: foldSeed(digits, commonSeeds) }
}

function parseSwitch(value: unknown): ParseResult {
  const word = String(value).trim().toLowerCase()
  if (['true', '1', 'on', 'yes'].includes(word)) return { value: true }
  if (['false', '0', 'off', 'no'].includes(word)) return { value: false }
  return { expected: 'true or false' }
}

/** The link or data URL inside one of the forms that clients send: an object, or a list with nothing else in it. */
function unwrap(sent: unknown): unknown {
  const value = Array.isArray(sent) && sent.length === 1 ? sent[0] : sent
  if (typeof value !== 'object' || isUploadedFile(value)) return value
  const urlKeys = [
    'url',
    'dataUrl',
    'imageUrl',
    'imageDataUrl',
    'videoUrl',
    'videoDataUrl',
    'audioUrl',
    'audioDataUrl',
  ]
  const mediaUrl = urlKeys.map((name) => mediaAt(value, name)).find((candidate) => candidate !== undefined)
  return (
    mediaUrl ??
    mediaAt(value, 'image_url', 'url') ??
    mediaAt(value, 'video_url', 'url') ??
    at(value, 'image_url')
  )
}

function mediaAt(value: unknown, ...path: readonly string[]): string | UploadedFile | undefined {
  const media = at(value, ...path)
  return isUploadedFile(media) ? media : text(value, ...path)
}

/** An uploaded file, a data URL or bare base64, in any of the forms that hold one. */
export function holdsDataUrl(value: unknown): boolean {
  const media = unwrap(value)
  return isUploadedFile(media) || (typeof media === 'string' && readDataUrlHead(media) !== undefined)
}

function parseMedia(value: unknown, kind: MediaKind): ParseResult {
  if (Array.isArray(value) && value.length > 1) return parseFirstFile(value, kind)
  const media = unwrap(value)
  if (isUploadedFile(media)) return parseUpload(media, kind)
  const url = typeof media === 'string' ? media.trim() : ''
  const isValid = isDataUrl(url, kind) || isWebLink(url) || isAttachmentReference(url)
  return isValid ? { value: url } : { expected: `an http(s) link or a data URL (data:${kind}/…;base64,…)` }
}

/** Of several files where one is taken, the first. */
function parseFirstFile(files: readonly unknown[], kind: MediaKind): ParseResult {
  const firstFile = parseMedia(files[0], kind)
  if ('expected' in firstFile || firstFile.value === undefined) return firstFile
  return { expected: 'one file', closest: firstFile.value }
}

/** A type that says nothing of media is not believed: the bytes are checked where the file is stored. */
function parseUpload(file: UploadedFile, kind: MediaKind): ParseResult {
  const mainType = /^\s*(image|video|audio)\//i.exec(file.type)?.[1]?.toLowerCase()
  // Only the bytes tell audio in a video container from a video.
  if (mainType === undefined || mainType === kind || (mainType === 'video' && kind === 'audio')) {
    return { value: uploadReferenceOf(file) }
  }
  return { expected: `a file of type ${kind} (data:${kind}/…;base64,…)` }
}

/** An entry of the caller's library. */
function isAttachmentReference(link: string): boolean {
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
  const declaredKind = /^(image|video|audio)\//.exec(head.type)?.[1]
  // Containers for video hold sound alone, too.
  return declaredKind === undefined || declaredKind === kind || (declaredKind === 'video' && kind === 'audio')
}

function parseMediaList(value: unknown, kind: MediaKind): ParseResult {
  const items = toList(value).filter((item) => !isEmpty(item))
  const links: string[] = []
  for (const item of items) {
    const parsed = parseMedia(item, kind)
    if (!('value' in parsed) || typeof parsed.value !== 'string') {
      return { expected: `a list of http(s) links or data URLs (data:${kind}/…;base64,…)` }
    }
    links.push(parsed.value)
  }
  return links.length > 0 ? { value: links } : {}
}

/**
 * Media inside of an object: a link, a data URL or an attachment is checked as in a media field, any other text is a description. Only
 * we write references to files that we hold.
 */
function parseNested(field: NestedField, object: unknown): ParseResult {
  let problem: string | undefined
  const value = mapNested(field, object, (nestedMedia, { path, kind }) => {
    if (isUploadedFile(nestedMedia) && kind === undefined) return uploadReferenceOf(nestedMedia)
    if (typeof nestedMedia !== 'string' && !isUploadedFile(nestedMedia)) return undefined
    const parsed = kind === undefined ? {} : parseMedia(nestedMedia, kind)
    if ('value' in parsed && typeof parsed.value === 'string') return parsed.value
    const isMediaAttempt =
      typeof nestedMedia !== 'string' || (kind !== undefined && /^\s*[a-z][a-z\d+.-]*:\S/i.test(nestedMedia))
    if (isMediaAttempt || parseStoredReference(nestedMedia) !== undefined) {
      const expected = 'expected' in parsed ? parsed.expected : 'not a reference to a stored file'
      problem ??= `such that \`${path}\` is ${expected}`
    }
    return undefined
  })
  return problem === undefined ? { value: value as FieldValue } : { expected: problem }
}

function toList(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  if (typeof value !== 'string' || !value.trimStart().startsWith('[')) return [value]
  try {
    const parsed: unknown = JSON.parse(value)
    return Array.isArray(parsed) ? parsed : [value]
  } catch {
    return [value]
  }
}
