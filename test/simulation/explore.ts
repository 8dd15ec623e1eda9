import { createHash } from 'node:crypto'
import fc, { type Scheduler } from 'fast-check'
import type { Redis } from 'ioredis'
import type { FaultKind } from './faults.ts'
import type { Bug } from './planted-bugs.ts'
import { type Result, simulate } from './run.ts'
import { type Scenario, scenarios } from './scenario.ts'

type Options = {
  redis: Redis
  seed: number
  /** The most runs. */
  runs: number
  /** Replays one run, as `Failure.path` names it. */
  path?: string
  /** Which faults may happen; absent: all. */
  kinds?: readonly FaultKind[]
  /** Broken invariants that do not count. */
  ignore?: RegExp
  bug?: Bug
  /** `false`: a broken run is reported as it is. */
  shrinks?: boolean
}

/** The smallest scenario found that breaks an invariant; `--seed` and `--path` replay it. */
export type Failure = {
  seed: number
  path: string
  runsUntilFound: number
  scenario: Scenario
  result: Pick<Result, 'trace' | 'broken'>
}

export type Report = {
  seed: number
  runs: number
  jobs: number
  calls: number
  injected: Map<FaultKind, number>
  /** Of all runs. The same for the same seed. */
  digest: string
  failure?: Failure
}

export function createReport(seed: number): Report {
  return { seed, runs: 0, jobs: 0, calls: 0, injected: new Map(), digest: '' }
}

/** Adds what comes after `total` to it. */
export function addReport(
  total: Report,
  next: Omit<Report, 'seed' | 'injected'> & { injected: ReadonlyMap<FaultKind, number> },
): void {
  if (total.failure === undefined && next.failure !== undefined)
    total.failure = { ...next.failure, runsUntilFound: total.runs + next.failure.runsUntilFound }
  total.runs += next.runs
  total.jobs += next.jobs
  total.calls += next.calls
  for (const [kind, count] of next.injected) total.injected.set(kind, (total.injected.get(kind) ?? 0) + count)
  total.digest = createHash('sha256').update(total.digest).update(next.digest).digest('hex')
}

/** Runs random scenarios until one breaks an invariant, and shrinks that one. */
export async function explore({
  redis,
  seed,
  runs,
  path,
  kinds,
  ignore,
  bug,
  shrinks = true,
}: Options): Promise<Report> {
  const report = createReport(seed)
  let runsUntilFound: number | undefined
  let last: Result | undefined

  async function run(scenario: Scenario, scheduler: Scheduler): Promise<void> {
    const result = await simulate({ redis, scenario, scheduler, ...(bug && { bug }) })
    addReport(report, { ...result, runs: 1 })
    const broken = result.broken.filter((text) => ignore?.test(text) !== true)
    if (broken.length === 0) return
    runsUntilFound ??= report.runs
    last = { ...result, broken }
    throw new Error(broken.join('\n'))
  }

  const details = await fc.check(fc.asyncProperty(scenarios(kinds), fc.scheduler(), run), {
    seed,
    numRuns: runs,
    endOnFailure: !shrinks,
    ...(path !== undefined && { path }),
  })
  const [scenario] = details.counterexample ?? []
  if (scenario !== undefined && last !== undefined && runsUntilFound !== undefined) {
    const { trace, broken } = last
    const result = details.counterexamplePath ?? ''
    report.failure = { seed, path: result, runsUntilFound, scenario, result: { trace, broken } }
  }
  return report
}
