import type { Static } from '@sinclair/typebox'
import { toMicros, toUsd } from '../../accounts/money.ts'
import type { UsageRow } from '../../accounts/usage.ts'
import { integerParameter, querySchema, textParameter } from './query.ts'

export const usageParameters = {
  days: integerParameter({ minimum: 1, maximum: 400, default: 30 }),
  model: textParameter(),
  day: textParameter({ format: 'date' }),
}

export const usageQuery = querySchema(usageParameters)

/** The rows of one model, one day or both, and their sum. */
export function buildUsageReport(
  rows: readonly UsageRow[],
  { model, day }: Pick<Static<typeof usageQuery>, 'model' | 'day'>,
) {
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
