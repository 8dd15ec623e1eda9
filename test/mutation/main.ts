/**
 * `npm run mutate -- <folder or file>...`: changes the code in small ways, one at a time, and prints each change that no test notices.
 * `--survivors`: only those that survived the last run. `--print`: the results of the last run, nothing is run. `--concurrency 1`: one at a
 * time (default 2). `--lua`, `--typescript`: one of both. `--sample 50`: so many mutants of the last run, evenly spread. `--tests a,b`: with
 * these test files instead of those in the plan. The results of the last two are printed only.
 */
import { setPriority } from 'node:os'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { createLeftovers } from './leftovers.ts'
import { mutateLua } from './lua.ts'
import { sourcesIn, testsFor, useTests } from './plan.ts'
import { print } from './print.ts'
import { readReports, writeReports } from './reports.ts'
import { mutateTypeScript } from './typescript.ts'

export type Result = {
  file: string
  line: number
  column: number
  name: string
  original: string
  replacement: string
  /** The position of the mutant, as Stryker takes it. */
  range?: string
  status:
    | 'Killed'
    | 'Timeout'
    | 'Survived'
    | 'NoCoverage'
    | 'Ignored'
    | 'CompileError'
    | 'RuntimeError'
    | 'Pending'
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    survivors: { type: 'boolean', default: false },
    print: { type: 'boolean', default: false },
    lua: { type: 'boolean', default: false },
    typescript: { type: 'boolean', default: false },
    sample: { type: 'string' },
    tests: { type: 'string' },
    concurrency: { type: 'string', default: '2' },
  },
})
if (values.tests !== undefined) useTests(values.tests.split(','))

const paths = positionals.map((path) => path.replace(/\/$/, ''))
const files = paths.flatMap(sourcesIn).filter((file) => testsFor(file).length > 0)
if (files.length === 0)
  throw new Error('Name a folder or a file that test/mutation/plan.ts lists, for example src/webhooks')

setPriority(10)
process.env.PATH = `${dirname(process.execPath)}:${process.env.PATH}`
process.env.NODE_COMPILE_CACHE ??= 'node_modules/.cache/node'
process.env.NODE_COMPILE_CACHE_PORTABLE = '1'

const both = values.lua === values.typescript
const reports = await readReports(files)
/** The results that this run does not repeat. */
const untouched = both ? [] : reports.filter(({ name }) => name.startsWith('Lua ') !== values.lua)
const last = values.survivors || values.print ? reports : values.sample === undefined ? untouched : []
const chosen =
  values.sample !== undefined
    ? evenly(reports.filter(isCounted), Number(values.sample))
    : values.survivors
      ? reports.filter(survives)
      : undefined
const identities = new Set(chosen?.map(identity))
const only = chosen && ((result: Omit<Result, 'status'>) => identities.has(identity(result)))
const ranges = chosen && [...new Set(chosen.flatMap(({ range }) => range ?? []))]

// Redis and its clients keep timers that would hold the process for seconds after the last test.
const options = {
  concurrency: Number(values.concurrency),
  nodeArgs: ['--test-force-exit', '--test-timeout=10000'],
}
const results = values.print ? [] : await run()
const now = new Set(results.map(identity))
const merged = [...last.filter((result) => !now.has(identity(result))), ...results]
if (!values.print && values.sample === undefined && values.tests === undefined) await writeReports(merged)
print(merged)

async function run(): Promise<Result[]> {
  const leftovers = await createLeftovers()
  try {
    const lua = both || values.lua ? await mutateLua(files, { ...options, ...(only && { only }) }) : []
    const typescript = files.filter((file) => file.endsWith('.ts'))
    const survivors =
      both || values.typescript
        ? await mutateTypeScript(typescript, { ...options, ...(ranges && { ranges }) })
        : []
    return [...lua, ...survivors.filter((result) => only?.(result) ?? true)]
  } finally {
    await leftovers.clear()
  }
}

function evenly(results: readonly Result[], count: number): Result[] {
  const step = Math.max(1, results.length / count)
  return results.filter((_, at) => Math.floor(at / step) !== Math.floor((at - 1) / step))
}

function isCounted({ status }: Result): boolean {
  return /Killed|Timeout|Survived|NoCoverage/.test(status)
}

function survives({ status }: Result): boolean {
  return status === 'Survived' || status === 'NoCoverage'
}

/** The line may move between two runs; what is changed into what does not. */
function identity({ file, line, column, name, replacement }: Omit<Result, 'status'>): string {
  return [file, line, column, name, replacement].join('|')
}
