import type { ApiError } from '../errors.ts'

/** The error body of the OpenAI API. `clean` takes secrets out of a text. */
export function buildOpenaiErrorBody(
  { message, status, code, param }: ApiError,
  redact = (text: string) => text,
): string {
  const error = { message, type: errorTypeOf(status), param, code }
  return JSON.stringify({ error }, (_, value: unknown) => (typeof value === 'string' ? redact(value) : value))
}

function errorTypeOf(status: number): string {
  if (status >= 500) return 'server_error'
  return errorTypes[status] ?? 'invalid_request_error'
}

const errorTypes: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'insufficient_quota',
  403: 'permission_error',
  429: 'rate_limit_error',
}
