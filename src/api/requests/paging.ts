import { text } from '../../../providers/reader.ts'
import { ApiError } from '../errors.ts'

const defaultLimit = 20
export const maxLimit = 100

/** How many entries of a list a query asks for. */
export function readPageLimit(query: unknown): number {
  const limit = Number(text(query, 'limit') ?? defaultLimit)
  if (Number.isInteger(limit) && limit >= 1) return Math.min(limit, maxLimit)
  const message = `\`limit\` must be a whole number from 1 to ${maxLimit}`
  throw new ApiError('invalid_parameter_value', message, { param: 'limit' })
}
