import type { Field, Json, JsonObject, MediaKind } from '../../providers/input.ts'
import { mediaFields } from '../../providers/input.ts'
import { at, text } from '../../providers/reader.ts'
import { isUploadedFile, referenceOf, type UploadedFile } from '../media/uploaded-file.ts'
import { fields, type Kind } from './fields.ts'

export type Value = string | number | boolean | JsonObject | readonly string[] | readonly Json[]

/** No `value`: as good as missing. `expected`: what would have been right, in words. */
export type Reading = { value?: Value } | { expected: string }

/** Null, an empty text and an empty list are the same as nothing. */
export function isEmpty(value: unknown): boolean {
  if (typeof value === 'string') return value.trim() === ''
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0)
}

/** Reads a field's value leniently: a number may come as text, a list as JSON, a switch as 1. */
export function read(field: Field, value: unknown): Reading {
  if (isEmpty(value)) return {}
  const { kind } = fields[field]
  const media = field in mediaFields ? mediaFields[field as keyof typeof mediaFields] : 'image'
  if (kind === 'media') return readMedia(value, media)
  if (kind === 'mediaList') return readMediaList(value, media)
  return readers[kind](value)
}

const readers: Readonly<Record<Exclude<Kind, 'media' | 'mediaList'>, (value: unknown) => Reading>> = {
  text: (value) => (typeof value === 'string' ? { value } : { expected: 'a text' }),
  word: (value) => readWord(value, (word) => word),
  ratio: (value) => readWord(value, (word) => ratios.get(word.toLowerCase()) ?? word.toLowerCase()),
  resolution: (value) => readWord(value, (word) => withTimes(word).replace(/^\d+$/, '$&p')),
  size: (value) => readWord(value, withTimes),
  number: (value) => readNumber(value, 'a number'),
  integer: readInteger,
  seed: (value) => (Number(value) === -1 ? {} : readInteger(value)),
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
  if (word.length > longestWord) return { expected: `a text of at most ${longestWord} characters` }
  return { value: spell(word) }
}

function withoutUnit(value: string): string {
  const trimmed = value.trim()
  return /s$/i.test(trimmed) ? trimmed.slice(0, -1) : trimmed
}

function readNumber(value: unknown, expected: string): Reading {
  if (typeof value === 'number' && Number.isFinite(value)) return { value }
  if (typeof value === 'string' && /^[+-]?\d+(\.\d+)?$/.test(value.trim())) return { value: Number(value) }
  return { expected }
}

function readInteger(value: unknown): Reading {
  const reading = readNumber(value, 'a whole number')
  return 'value' in reading && !Number.isSafeInteger(reading.value) ? { expected: 'a whole number' } : reading
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

/** A data URL or an uploaded file, in any of the forms that hold one. */
export function holdsDataUrl(value: unknown): boolean {
  const found = unwrap(value)
  return isUploadedFile(found) || (typeof found === 'string' && /^\s*data:/i.test(found))
}

function readMedia(value: unknown, kind: MediaKind): Reading {
  const found = unwrap(value)
  if (isUploadedFile(found)) return readUpload(found, kind)
  const link = typeof found === 'string' ? found.trim() : ''
  const fits = /^data:/i.test(link) ? isDataUrl(link, kind) : isWebLink(link) || isAttachment(link)
  return fits ? { value: link } : { expected: `an http(s) link or a data URL (data:${kind}/…;base64,…)` }
}

/** A type that says nothing of media is not believed: the bytes are checked where the file is stored. */
function readUpload(file: UploadedFile, kind: MediaKind): Reading {
  const main = /^\s*(image|video|audio)\//i.exec(file.type)?.[1]?.toLowerCase()
  // Sound alone in a video's container is told apart by its bytes only.
  if (main === undefined || main === kind || (main === 'video' && kind === 'audio')) {
    return { value: referenceOf(file) }
  }
  return { expected: `a file of type ${kind} (data:${kind}/…;base64,…)` }
}

/** An entry of the caller's library. */
function isAttachment(link: string): boolean {
  return /^attachment:[\w-]{1,64}$/.test(link)
}

function isWebLink(link: string): boolean {
  return /^https?:\/\/[^\s/]/i.test(link) && !/\s/.test(link) && URL.canParse(link)
}

/** Looks at the declaration only: the bytes, megabytes of them, are read once, where they are stored. */
function isDataUrl(link: string, kind: MediaKind): boolean {
  const head = link.slice(0, 256)
  const declared = /^data:([a-z]+)\/([\w.+-]+)(;[\w-]+=[^;,]*)*;base64,[^\s]/i.exec(head)
  if (declared === null) return false
  const [, main = '', sub = ''] = declared
  return main.toLowerCase() === kind || `${main}/${sub}`.toLowerCase() === 'application/octet-stream'
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
