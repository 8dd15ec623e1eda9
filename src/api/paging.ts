import { text } from '../../providers/reader.ts'
import { ApiError } from './errors.ts'

const usualLimit = 20
export const largestLimit = 100

/** How many entries of a list a query asks for. */
export function readLimit(query: unknown): number {
  const limit = Number(text(query, 'limit') ?? usualLimit)
  if (Number.isInteger(limit) && limit >= 1) return Math.min(limit, largestLimit)
  const message = `\`limit\` must be a whole number from 1 to ${largestLimit}`
  throw new ApiError('invalid_parameter_value', message, { param: 'limit' })
}
