import type { Report } from './explore.ts'

/** A report for people: what was done and, if there is one, the broken run with how to replay it. */
export function describeReport({ seed, runs, jobs, calls, injected, digest, failure }: Report): string {
  const faults = [...injected]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([kind, count]) => `  ${kind} ${count}`)
  const lines = [
    `seed ${seed}`,
    `runs ${runs}, jobs ${jobs}, calls ${calls}`,
    'faults',
    ...faults,
    `digest ${digest}`,
  ]
  if (failure === undefined) return [...lines, 'broken invariants 0', ''].join('\n')
  const { scenario, result, path, runsUntilFound } = failure
  return [
    ...lines,
    `broken after ${runsUntilFound} runs; replay with --seed ${failure.seed} --path ${path}`,
    JSON.stringify(scenario),
    ...result.trace,
    ...result.broken.map((text) => `BROKEN ${text}`),
    '',
  ].join('\n')
}
