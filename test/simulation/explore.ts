import { createHash } from 'node:crypto'
import fc, { type Scheduler } from 'fast-check'
import type { Redis } from 'ioredis'
import type { FaultKind } from './faults.ts'
import type { Bug } from './planted-bugs.ts'
import { type Result, simulate } from './run.ts'
import { type Scenario, scenarios } from './scenario.ts'

export type Options = {
  redis: Redis
  seed: number
  /** The most runs. */
  runs: number
  /** Begins no run later than this. */
  forMs?: number
  /** Replays one run, as `Failure.path` names it. */
  path?: string
  /** Which faults may happen; absent: all. */
  kinds?: readonly FaultKind[]
  /** Broken invariants that do not count. */
  ignore?: RegExp
  bug?: Bug
}

/** The smallest scenario found that breaks an invariant; `--seed` and `--path` replay it. */
export type Failure = { path: string; runsUntilFound: number; scenario: Scenario; result: Result }

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

/** Runs random scenarios until one breaks an invariant, and shrinks that one. */
export async function explore({
  redis,
  seed,
  runs,
  forMs,
  path,
  kinds,
  ignore,
  bug,
}: Options): Promise<Report> {
  const report: Report = { seed, runs: 0, jobs: 0, calls: 0, injected: new Map(), digest: '' }
  const digest = createHash('sha256')
  let runsUntilFound: number | undefined
  let last: Result | undefined

  async function run(scenario: Scenario, scheduler: Scheduler): Promise<void> {
    const result = await simulate({ redis, scenario, scheduler, ...(bug && { bug }) })
    digest.update(result.digest)
    report.runs += 1
    report.jobs += result.jobs
    report.calls += result.calls
    for (const [kind, count] of result.injected)
      report.injected.set(kind, (report.injected.get(kind) ?? 0) + count)
    const broken = result.broken.filter((text) => ignore?.test(text) !== true)
    if (broken.length === 0) return
    runsUntilFound ??= report.runs
    last = result
    throw new Error(broken.join('\n'))
  }

  const details = await fc.check(fc.asyncProperty(scenarios(kinds), fc.scheduler(), run), {
    seed,
    numRuns: runs,
    ...(path !== undefined && { path }),
    ...(forMs !== undefined && { interruptAfterTimeLimit: forMs }),
  })
  report.digest = digest.digest('hex')
  const [scenario] = details.counterexample ?? []
  if (scenario !== undefined && last !== undefined && runsUntilFound !== undefined)
    report.failure = { path: details.counterexamplePath ?? '', runsUntilFound, scenario, result: last }
  return report
}
