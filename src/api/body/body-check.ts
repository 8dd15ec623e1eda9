import { fields, matchFieldName } from '../../catalogue/fields.ts'
import { isUploadedFile } from '../../catalogue/media-values/uploaded-file.ts'
import { cleanText } from '../../catalogue/validation/clean-text.ts'
import type { JsonLimits } from '../../config/request-limits.ts'
import { ApiError } from '../errors.ts'
import { invalidJsonError, shortenQuoted, tooDeepError, tooManyValuesError } from './json-limits.ts'
import { isMediaField } from './media-positions.ts'

type CheckOptions = {
  limits: JsonLimits
  /** Clean all texts instead of rejecting any. */
  cleanAll?: boolean
}

type Container = Record<string | number, unknown>
type NodeContext = { depth: number; field: string | undefined; isProse: boolean }

/** Kinds of fields whose texts are prose, as a prompt is. */
const proseFieldKinds = ['text', 'object', 'list']

/**
 * Checks the size, the keys and the texts of a parsed body. NUL characters and unpaired surrogates are an error, as Redis, upstreams and webhooks
 * would each read them differently; validation removes them from prose, with a warning. Returns whether all numbers have been parsed exactly.
 */
export function checkBody(body: unknown, { limits, cleanAll = false }: CheckOptions): boolean {
  let valueCount = 0
  let isExact = true

  function checkValue(parent: Container, key: string | number, context: NodeContext): void {
    const value = parent[key]
    valueCount += 1
    if (valueCount > limits.values) throw tooManyValuesError(limits.values)
    if (typeof value === 'string') {
      if (isCleanText(value)) return
      if (cleanAll) parent[key] = cleanText(value)
      else if (!context.isProse) throw uncleanTextError(context.field)
    } else if (typeof value === 'number') {
      if (Math.abs(value) > Number.MAX_SAFE_INTEGER) isExact = false
    } else if (typeof value === 'object' && value !== null && !isUploadedFile(value)) {
      if (context.depth === limits.depth) throw tooDeepError(limits.depth)
      if (Array.isArray(value)) checkList(value, context)
      else checkObject(value as Container, context)
    }
  }

  function checkList(list: unknown[], { depth, field, isProse }: NodeContext): void {
    const context = { depth: depth + 1, field, isProse }
    for (let index = 0; index < list.length; index += 1)
      checkValue(list as unknown as Container, index, context)
  }

  function checkObject(object: Container, { depth, field, isProse }: NodeContext): void {
    for (const key of Object.keys(object)) {
      if (!isCleanText(key) && !cleanAll) throw uncleanKeyError(key, field)
      if (key === '__proto__' || (key === 'constructor' && hasPrototype(object[key])))
        throw invalidJsonError()
      const context = {
        depth: depth + 1,
        field: field ?? key,
        isProse: field === undefined ? isProseField(key) : isProse && !isLinkKey(key),
      }
      checkValue(object, key, context)
    }
  }

  checkValue({ body }, 'body', { depth: 0, field: undefined, isProse: false })
  return isExact
}

/** Whether a text has no NUL and no unpaired surrogate. */
export function isCleanText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

function isProseField(name: string): boolean {
  const meaning = matchFieldName(name)
  return (
    meaning !== undefined && meaning !== 'metadata' && proseFieldKinds.includes(fields[meaning.field].kind)
  )
}

function isLinkKey(key: string): boolean {
  return isMediaField(key) || /(url|id)$/i.test(key)
}

function hasPrototype(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype')
}

export function uncleanTextError(field: string | undefined): ApiError {
  const name = field === undefined ? 'The body' : `\`${shortenQuoted(field)}\``
  const message = `${name} must not contain NUL characters or unpaired surrogates`
  return new ApiError(
    'invalid_parameter_value',
    message,
    field === undefined ? {} : { param: shortenQuoted(field) },
  )
}

function uncleanKeyError(key: string, field: string | undefined): ApiError {
  const message = `The key ${JSON.stringify(shortenQuoted(key))} must not contain NUL characters or unpaired surrogates`
  return new ApiError('invalid_parameter_value', message, { param: field ?? shortenQuoted(key) })
}
