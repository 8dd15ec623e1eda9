import { type InFlightPlan, type InFlightResult, runInFlight } from './in-flight.ts'
import type { Report } from './report.ts'
import { formatNumber, percentile } from './statistics.ts'

const jobs = Number(process.env.LAG_JOBS ?? 2000)
const basePlan: InFlightPlan = { jobs, spread: 0, roundTripMs: 200 }

/** How soon the end of a render is known: by polling, by callbacks, and with two workers of which only one may poll. */
const namedPlans: readonly (readonly [string, InFlightPlan])[] = [
  ['one worker, polling', { ...basePlan, workers: 1 }],
  ['one worker, callbacks', { ...basePlan, workers: 1, useCallbacks: true }],
  ['two workers, polling', { ...basePlan, workers: 2 }],
]

export type LagResult = { name: string; isPolling: boolean; result: InFlightResult }

/** All of them, or the named ones, one after the other: each takes a minute and a half. */
export async function measureLags(
  names: readonly string[] = namedPlans.map(([name]) => name),
): Promise<LagResult[]> {
  const results: LagResult[] = []
  for (const [name, plan] of namedPlans.filter(([name]) => names.includes(name)))
    results.push({ name, isPolling: plan.useCallbacks !== true, result: await runInFlight(plan) })
  return results
}

export const lagHeader = [
  'jobs',
  'ended',
  'purchases per job',
  'lag p50 s',
  'lag p99 s',
  'polls per job',
  'minimum poll interval s',
]

export function lagRow({ result }: LagResult): string[] {
  return [
    formatNumber(result.jobs),
    formatNumber(result.ended),
    formatNumber(result.submissions, 2),
    formatNumber(percentile(result.lags, 50) / 1000, 2),
    formatNumber(percentile(result.lags, 99) / 1000, 2),
    formatNumber(result.polls, 1),
    formatNumber(result.closestPollsMs / 1000, 1),
  ]
}

export async function reportLag(report: Report): Promise<void> {
  const results = await measureLags()
  report.section('Lag: renders of 60 s, every response of the upstream after 200 ms')
  report.write(
    'From the end of the render to `succeeded`, file stored. All jobs arrive within 20 s; the API is a separate process.',
  )
  report.table(
    ['', ...lagHeader],
    results.map((result) => [result.name, ...lagRow(result)]),
  )
  for (const { name, isPolling, result } of results) {
    const maxLagSeconds = isPolling ? 5 : 1
    const p99 = percentile(result.lags, 99) / 1000
    report.claim({
      claim: `${formatNumber(result.jobs)} jobs in flight, ${name}: lag p99 under ${maxLagSeconds} s, under 8 polls per job`,
      result: `${formatNumber(p99, 2)} s, ${formatNumber(result.polls, 1)} polls, ${formatNumber(result.ended)} ended`,
      isMet: p99 < maxLagSeconds && result.polls < 8 && result.ended === result.jobs,
    })
  }
}
