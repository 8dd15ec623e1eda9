import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { describeReport } from './describe-run.ts'
import { type FaultKind, faultKinds } from './faults.ts'
import { exploreInLanes } from './lanes.ts'
import { type BugName, bugNames } from './planted-bugs.ts'

const { values } = parseArgs({
  options: {
    runs: { type: 'string' },
    minutes: { type: 'string' },
    lanes: { type: 'string' },
    seed: { type: 'string' },
    path: { type: 'string' },
    faults: { type: 'string' },
    ignore: { type: 'string' },
    bug: { type: 'string' },
  },
})

const minutes = readNumber('minutes')
let shownAt = performance.now()

const report = await exploreInLanes({
  seed: readNumber('seed') ?? Math.floor(Math.random() * 1e9),
  runs: values.path !== undefined ? 1 : (readNumber('runs') ?? (minutes === undefined ? 1000 : 1e9)),
  lanes: readNumber('lanes') ?? availableParallelism(),
  ...(minutes !== undefined && { forMs: minutes * 60_000 }),
  ...(values.path !== undefined && { path: values.path }),
  ...(values.faults !== undefined && { kinds: readFaults(values.faults) }),
  ...(values.ignore !== undefined && { ignore: values.ignore }),
  ...(values.bug !== undefined && { bug: readBug(values.bug) }),
  onProgress({ runs, jobs }) {
    if (performance.now() - shownAt < 60_000) return
    shownAt = performance.now()
    process.stderr.write(`runs ${runs}, jobs ${jobs}\n`)
  },
})
process.stdout.write(describeReport(report))
process.exitCode = report.failure === undefined ? 0 : 1

function readNumber(name: 'runs' | 'minutes' | 'seed' | 'lanes'): number | undefined {
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
