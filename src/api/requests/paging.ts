import { integerParameter, parseQuery, querySchema } from './query.ts'

export const maxLimit = 100

const limitBounds = { minimum: 1, maximum: maxLimit, default: 20 }
const pageQuery = querySchema({ limit: integerParameter(limitBounds, { isCapped: true }) })

/** The number of entries on a page of a list. */
export function readPageLimit(query: unknown): number {
  return parseQuery(pageQuery, query).limit
}
