import type { FastifyRequest } from 'fastify'
import { text } from '../../providers/reader.ts'
import { toMicros, toUsd } from '../accounts/money.ts'
import type { UsageRow } from '../accounts/usage.ts'
import { ApiError } from './errors.ts'
import type { AppParts } from './parts.ts'

const usualDays = 30
const mostDays = 400

/** What the caller has used, by model and day (UTC). */
export async function ownUsage({ money }: AppParts, { owner, query }: FastifyRequest) {
  return usageBody(await money.usage([owner], daysOf(query)), query)
}

/** The rows that the query asks for, and their sum. */
export function usageBody(rows: readonly UsageRow[], query: unknown) {
  const [model, day] = [text(query, 'model'), text(query, 'day')]
  const wanted = rows.filter(
    (row) => (model === undefined || row.model === model) && (day === undefined || row.day === day),
  )
  const micros = wanted.reduce((sum, row) => sum + toMicros(row.usd), 0)
  const jobsOf = (some: readonly UsageRow[]) => some.reduce((sum, row) => sum + row.jobs, 0)
  const sandboxJobs = jobsOf(wanted.filter(({ sandbox }) => sandbox === true))
  return {
    object: 'list' as const,
    data: wanted,
    total: { jobs: jobsOf(wanted), usd: toUsd(micros), ...(sandboxJobs > 0 && { sandboxJobs }) },
  }
}

export function daysOf(query: unknown): number {
  const told = text(query, 'days')
  const days = Number(told ?? usualDays)
  if (Number.isInteger(days) && days >= 1 && days <= mostDays) return days
  const message = `\`days\` must be a whole number from 1 to ${mostDays}`
  throw new ApiError('invalid_parameter_value', message, { param: 'days' })
}
