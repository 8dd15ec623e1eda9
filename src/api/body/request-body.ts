import { ApiError } from '../errors.ts'

/** The fields of a body, JSON or form. */
export type RequestBody = Readonly<Record<string, unknown>>

/** A missing body has no fields. Throws for one that is not an object. */
export function readBodyObject(body: unknown): RequestBody {
  if (body === undefined || body === null) return {}
  if (typeof body === 'object' && !Array.isArray(body)) return body as RequestBody
  throw new ApiError('invalid_parameter_value', 'The body must be a JSON object')
}
