import type { FastifyRequest } from 'fastify'
import { text } from '../../../providers/reader.ts'
import { toMicros, toUsd } from '../../accounts/money.ts'
import type { UsageRow } from '../../accounts/usage.ts'
import type { ApiDeps } from '../deps.ts'
import { ApiError } from '../errors.ts'

const defaultDays = 30
const maxDays = 400

/** What the caller has used, by model and day (UTC). */
export async function getOwnUsage({ billing }: ApiDeps, { owner, query }: FastifyRequest) {
  return buildUsageReport(await billing.usage([owner], readDays(query)), query)
}

/** The rows that the query asks for, and their sum. */
export function buildUsageReport(rows: readonly UsageRow[], query: unknown) {
  const [model, day] = [text(query, 'model'), text(query, 'day')]
  const matchingRows = rows.filter(
    (row) => (model === undefined || row.model === model) && (day === undefined || row.day === day),
  )
  const micros = matchingRows.reduce((sum, row) => sum + toMicros(row.usd), 0)
  const countJobs = (counted: readonly UsageRow[]) => counted.reduce((sum, row) => sum + row.jobs, 0)
  const sandboxJobs = countJobs(matchingRows.filter(({ sandbox }) => sandbox === true))
  return {
    object: 'list' as const,
    data: matchingRows,
    total: { jobs: countJobs(matchingRows), usd: toUsd(micros), ...(sandboxJobs > 0 && { sandboxJobs }) },
  }
}

export function readDays(query: unknown): number {
  const daysText = text(query, 'days')
  const days = Number(daysText ?? defaultDays)
  if (Number.isInteger(days) && days >= 1 && days <= maxDays) return days
  const message = `\`days\` must be a whole number from 1 to ${maxDays}`
  throw new ApiError('invalid_parameter_value', message, { param: 'days' })
}
