import { ApiError } from '../errors.ts'

export function tooManyFilesError(maxFiles: number): ApiError {
  return new ApiError('payload_too_large', `The body has more than ${maxFiles} files`)
}

export function invalidJsonError(cause?: unknown): ApiError {
  return new ApiError('invalid_json', 'The body is not valid JSON', { cause })
}

/** `field`: where the limit was exceeded. */
export function jsonTooLargeError(maxBytes: number, field?: string): ApiError {
  const where = field === undefined ? '' : `; the limit was exceeded in \`${shortenQuoted(field)}\``
  const message = `The JSON of the body is larger than ${maxBytes / 1024} kB, not counting files in media fields${where}`
  return new ApiError(
    'payload_too_large',
    message,
    field === undefined ? {} : { param: shortenQuoted(field) },
  )
}

export function tooManyValuesError(maxValues: number): ApiError {
  return new ApiError('invalid_request', `The body has more than ${maxValues} values`)
}

export function tooDeepError(maxDepth: number): ApiError {
  return new ApiError('invalid_request', `The body is nested deeper than ${maxDepth} levels`)
}

export function notUtf8Error(): ApiError {
  return new ApiError('invalid_json', 'The body is not valid UTF-8')
}

/** Shortens a name or a value of a client for an error message. */
export function shortenQuoted(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
