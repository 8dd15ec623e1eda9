import { createHash } from 'node:crypto'
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { createCleanup, startRedis } from '../setup.ts'
import type { FaultKind } from './faults.ts'
import { bugs } from './planted-bugs.ts'
import { simulate } from './run.ts'
import { scenarios } from './scenario.ts'
import { installVirtualTime } from './virtual-time.ts'

const { values } = parseArgs({
  options: { runs: { type: 'string' }, minutes: { type: 'string' }, seed: { type: 'string' }, path: { type: 'string' }, kinds: { type: 'string' }, verbose: { type: 'boolean' }, ignore: { type: 'string' }, bug: { type: 'string' } },
})
const cleanup = createCleanup()
const { url, redis: admin } = await startRedis(cleanup)
await admin.config('SET', 'appendonly', 'no')
const redis = new Redis({ path: url })
cleanup.add(() => redis.disconnect())
installVirtualTime()
const kinds = values.kinds?.split(',') as FaultKind[] | undefined
const all = createHash('sha256')
let runs = 0
let jobs = 0
let calls = 0
let slowest = 0
const injected = new Map<string, number>()
const began = performance.now()
const details = await fc.check(
  fc.asyncProperty(scenarios(kinds), fc.scheduler(), async (scenario, scheduler) => {
    const t = performance.now()
    const result = await simulate({ redis, scenario, scheduler, ...(values.bug !== undefined && { bug: bugs[values.bug as keyof typeof bugs] }) })
    const took = performance.now() - t
    if (took > slowest) { slowest = took; if (values.verbose && took > 500) console.log(took, result.calls, JSON.stringify(scenario), result.trace.slice(-30)) }
    runs += 1
    all.update(result.digest)
    jobs += result.jobs
    calls += result.calls
    for (const [kind, count] of result.injected) injected.set(kind, (injected.get(kind) ?? 0) + count)
    const broken = result.broken.filter((text) => values.ignore === undefined || !new RegExp(values.ignore).test(text))
    if (broken.length > 0) throw new Error(broken.join('\n'))
  }),
  {
    numRuns: Number(values.runs ?? 1000),
    ...(values.seed !== undefined && { seed: Number(values.seed) }),
    ...(values.path !== undefined && { path: values.path }),
    ...(values.minutes !== undefined && { numRuns: 1e9, interruptAfterTimeLimit: Number(values.minutes) * 60_000 }),
  },
)
console.log({ runs, jobs, calls, slowest, seconds: (performance.now() - began) / 1000, injected, digest: all.digest('hex') })
if (details.failed) {
  console.log('seed', details.seed, 'path', details.counterexamplePath, 'shrinks', details.numShrinks)
  console.log(JSON.stringify(details.counterexample?.[0], null, 1))
  const result = await simulate({ redis, scenario: details.counterexample![0], scheduler: (details.counterexample![1] as unknown as { [fc.cloneMethod](): fc.Scheduler })[fc.cloneMethod](), ...(values.bug !== undefined && { bug: bugs[values.bug as keyof typeof bugs] }) })
  console.log(result.trace.join('\n'))
  console.log('BROKEN', result.broken)
}
await cleanup.run()
