import { parseArgs } from 'node:util'
import { createCleanup } from '../setup.ts'
import { explore, type Report } from './explore.ts'
import { type FaultKind, faultKinds } from './faults.ts'
import { type BugName, bugNames, bugs } from './planted-bugs.ts'
import { startSimulationRedis } from './redis-process.ts'
import { installVirtualTime } from './virtual-time.ts'

const { values } = parseArgs({
  options: {
    runs: { type: 'string' },
    minutes: { type: 'string' },
    seed: { type: 'string' },
    path: { type: 'string' },
    faults: { type: 'string' },
    ignore: { type: 'string' },
    bug: { type: 'string' },
  },
})

const cleanup = createCleanup()
try {
  const redis = await startSimulationRedis(cleanup)
  installVirtualTime()
  const report = await explore({
    redis,
    seed: readNumber('seed') ?? Math.floor(Math.random() * 1e9),
    runs: values.path !== undefined ? 1 : (readNumber('runs') ?? (values.minutes === undefined ? 1000 : 1e9)),
    ...(values.minutes !== undefined && { forMs: (readNumber('minutes') ?? 0) * 60_000 }),
    ...(values.path !== undefined && { path: values.path }),
    ...(values.faults !== undefined && { kinds: readFaults(values.faults) }),
    ...(values.ignore !== undefined && { ignore: new RegExp(values.ignore) }),
    ...(values.bug !== undefined && { bug: bugs[readBug(values.bug)] }),
  })
  process.stdout.write(describe(report))
  process.exitCode = report.failure === undefined ? 0 : 1
} finally {
  await cleanup.run()
}

function readNumber(name: 'runs' | 'minutes' | 'seed'): number | undefined {
  const number = Number(values[name])
  if (values[name] !== undefined && !Number.isFinite(number)) throw new Error(`--${name} must be a number`)
  return values[name] === undefined ? undefined : number
}

function readFaults(text: string): FaultKind[] {
  const names = text.split(',').filter(Boolean)
  const wrong = names.find((name) => !faultKinds.includes(name as FaultKind))
  if (wrong !== undefined) throw new Error(`--faults: unknown kind ${wrong}; use ${faultKinds.join(', ')}`)
  return names as FaultKind[]
}

function readBug(name: string): BugName {
  if (!bugNames.includes(name as BugName)) throw new Error(`--bug must be one of: ${bugNames.join(', ')}`)
  return name as BugName
}

function describe({ seed, runs, jobs, calls, injected, digest, failure }: Report): string {
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
    `broken after ${runsUntilFound} runs; replay with --seed ${seed} --path ${path}`,
    JSON.stringify(scenario),
    ...result.trace,
    ...result.broken.map((text) => `BROKEN ${text}`),
    '',
  ].join('\n')
}
