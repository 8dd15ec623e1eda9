import { cleanText } from '../catalogue/clean-text.ts'
import { fields, meaningOf } from '../catalogue/fields.ts'
import { isUploadedFile } from '../media/uploaded-file.ts'
import { ApiError } from './errors.ts'
import { invalidJson, type JsonLimits, shorten, tooDeep, tooManyValues } from './json-limits.ts'
import { isMedia } from './media-positions.ts'

type Check = {
  limits: JsonLimits
  /** All texts are cleaned, none is rejected. */
  cleanAll?: boolean
}

type Container = Record<string | number, unknown>
type Place = { depth: number; field: string | undefined; isProse: boolean }

/** Kinds of fields whose texts are prose: what a film shows or says. */
const proseKinds = ['text', 'object', 'list']

/**
 * Checks a body that has been parsed: how much it holds, its keys, and its texts. A NUL or an unpaired surrogate is an error, as Redis, upstreams and
 * webhooks would each read it differently; validation removes it from prose, with a warning. Returns whether every number is the one that was sent.
 */
export function checkBody(body: unknown, { limits, cleanAll = false }: Check): boolean {
  let values = 0
  let isExact = true

  function visit(holder: Container, key: string | number, place: Place): void {
    const value = holder[key]
    values += 1
    if (values > limits.values) throw tooManyValues(limits.values)
    if (typeof value === 'string') {
      if (isClean(value)) return
      if (cleanAll) holder[key] = cleanText(value)
      else if (!place.isProse) throw uncleanText(place.field)
    } else if (typeof value === 'number') {
      if (Math.abs(value) > Number.MAX_SAFE_INTEGER) isExact = false
    } else if (typeof value === 'object' && value !== null && !isUploadedFile(value)) {
      if (place.depth === limits.depth) throw tooDeep(limits.depth)
      if (Array.isArray(value)) visitList(value, place)
      else visitObject(value as Container, place)
    }
  }

  function visitList(list: unknown[], { depth, field, isProse }: Place): void {
    const place = { depth: depth + 1, field, isProse }
    for (let at = 0; at < list.length; at += 1) visit(list as unknown as Container, at, place)
  }

  function visitObject(object: Container, { depth, field, isProse }: Place): void {
    for (const key of Object.keys(object)) {
      if (!isClean(key) && !cleanAll) throw uncleanKey(key, field)
      if (key === '__proto__' || (key === 'constructor' && hasPrototype(object[key]))) throw invalidJson()
      const place = {
        depth: depth + 1,
        field: field ?? key,
        isProse: field === undefined ? isProseField(key) : isProse && !isLink(key),
      }
      visit(object, key, place)
    }
  }

  visit({ body }, 'body', { depth: 0, field: undefined, isProse: false })
  return isExact
}

/** Whether a text has no NUL and no unpaired surrogate. */
export function isClean(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

function isProseField(name: string): boolean {
  const meaning = meaningOf(name)
  return meaning !== undefined && meaning !== 'metadata' && proseKinds.includes(fields[meaning.field].kind)
}

function isLink(key: string): boolean {
  return isMedia(key) || /(url|id)$/i.test(key)
}

function hasPrototype(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype')
}

export function uncleanText(field: string | undefined): ApiError {
  const name = field === undefined ? 'The body' : `\`${shorten(field)}\``
  const message = `${name} must not contain NUL characters or unpaired surrogates`
  return new ApiError(
    'invalid_parameter_value',
    message,
    field === undefined ? {} : { param: shorten(field) },
  )
}

function uncleanKey(key: string, field: string | undefined): ApiError {
  const message = `The key ${JSON.stringify(shorten(key))} must not contain NUL characters or unpaired surrogates`
  return new ApiError('invalid_parameter_value', message, { param: field ?? shorten(key) })
}
