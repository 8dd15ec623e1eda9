import { type Flight, fly, type Plan } from './flight.ts'
import { number, percentile } from './numbers.ts'
import type { Report } from './report.ts'

const jobs = Number(process.env.LAG_JOBS ?? 2000)
const plan: Plan = { jobs, spread: 0, roundTripMs: 200 }

/** How soon the end of a render is known: by polling alone, told by the upstream, and with two workers that must not both ask. */
const plans: readonly (readonly [string, Plan])[] = [
  ['one worker, polling', { ...plan, workers: 1 }],
  ['one worker, callbacks', { ...plan, workers: 1, hooks: true }],
  ['two workers, polling', { ...plan, workers: 2 }],
]

export type Lag = { name: string; polling: boolean; flight: Flight }

/** All of them, or the named ones, one after the other: each takes a minute and a half. */
export async function lags(names: readonly string[] = plans.map(([name]) => name)): Promise<Lag[]> {
  const found: Lag[] = []
  for (const [name, one] of plans.filter(([name]) => names.includes(name)))
    found.push({ name, polling: one.hooks !== true, flight: await fly(one) })
  return found
}

export const lagHead = [
  'jobs',
  'ended',
  'purchases per job',
  'lag p50 s',
  'lag p99 s',
  'polls per job',
  'minimum poll interval s',
]

export function lagRow({ flight }: Lag): string[] {
  return [
    number(flight.jobs),
    number(flight.ended),
    number(flight.submissions, 2),
    number(percentile(flight.lags, 50) / 1000, 2),
    number(percentile(flight.lags, 99) / 1000, 2),
    number(flight.polls, 1),
    number(flight.closestPollsMs / 1000, 1),
  ]
}

export async function lag(report: Report): Promise<void> {
  const found = await lags()
  report.section('Lag: renders of 60 s, every response of the upstream after 200 ms')
  report.say(
    'From the end of the render to `succeeded`, file stored. All jobs arrive within 20 s; the API is a separate process.',
  )
  report.table(
    ['', ...lagHead],
    found.map((one) => [one.name, ...lagRow(one)]),
  )
  for (const { name, polling, flight } of found) {
    const most = polling ? 5 : 1
    const p99 = percentile(flight.lags, 99) / 1000
    report.claim({
      claim: `${number(flight.jobs)} jobs in flight, ${name}: lag p99 under ${most} s, under 8 polls per job`,
      found: `${number(p99, 2)} s, ${number(flight.polls, 1)} polls, ${number(flight.ended)} ended`,
      holds: p99 < most && flight.polls < 8 && flight.ended === flight.jobs,
    })
  }
}
