import { ApiError } from './errors.ts'

/** What the JSON of one body may have, files in media fields not counted. */
export type JsonLimits = { bytes: number; values: number; depth: number }

export function tooManyFiles(files: number): ApiError {
  return new ApiError('payload_too_large', `The body has more than ${files} files`)
}

export function invalidJson(cause?: unknown): ApiError {
  return new ApiError('invalid_json', 'The body is not valid JSON', { cause })
}

/** `field`: where the limit was exceeded. */
export function tooMuchJson(bytes: number, field?: string): ApiError {
  const where = field === undefined ? '' : `; the limit was exceeded in \`${shorten(field)}\``
  const message = `The JSON of the body is larger than ${bytes / 1024} kB, not counting files in media fields${where}`
  return new ApiError('payload_too_large', message, field === undefined ? {} : { param: shorten(field) })
}

export function tooManyValues(values: number): ApiError {
  return new ApiError('invalid_request', `The body has more than ${values} values`)
}

export function tooDeep(depth: number): ApiError {
  return new ApiError('invalid_request', `The body is nested deeper than ${depth} levels`)
}

export function notUtf8(): ApiError {
  return new ApiError('invalid_json', 'The body is not valid UTF-8')
}

/** A name or a value of a client, as an error text quotes it. */
export function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
