import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Stryker } from '@stryker-mutator/core'
import type { Result } from './main.ts'
import { testsFor } from './plan.ts'

/** Runs Stryker over the files, or over the given ranges in them. */
export async function mutateTypeScript(
  files: readonly string[],
  options: { concurrency: number; nodeArgs: readonly string[]; ranges?: readonly string[] },
): Promise<Result[]> {
  const mutate = [...(options.ranges ?? files)]
  const testFiles = [...new Set(files.flatMap(testsFor))]
  if (mutate.length === 0 || testFiles.length === 0) return []
  const results = await new Stryker({
    mutate,
    testRunner: 'tap',
    tap: { testFiles, nodeArgs: [...options.nodeArgs, '--test-reporter=tap'], forceBail: false },
    plugins: [
      fileURLToPath(import.meta.resolve('@stryker-mutator/tap-runner')),
      resolve('test/mutation/wording.ts'),
    ],
    ignorers: ['wording'],
    coverageAnalysis: 'perTest',
    concurrency: options.concurrency,
    // The machine may be busy: a slow test is not a hanging one.
    timeoutMS: 10_000,
    timeoutFactor: 3,
    reporters: ['progress-append-only'],
    ignorePatterns: ['bench', '.data'],
    disableTypeChecks: false,
    // TypeScript 7 has no JavaScript interface, which Stryker would use to rewrite tsconfig.json; nothing here compiles.
    tsconfigFile: 'absent.json',
    logLevel: 'warn',
  } as ConstructorParameters<typeof Stryker>[0]).runMutationTest()

  const texts = new Map<string, string[]>()
  for (const file of new Set(results.map(({ fileName }) => relative(fileName))))
    texts.set(file, (await readFile(file, 'utf8')).split('\n'))
  return results.map(({ fileName, location: { start, end }, mutatorName, replacement, status }) => {
    const file = relative(fileName)
    return {
      file,
      line: start.line,
      column: start.column,
      name: mutatorName,
      original: extract(texts.get(file) ?? [], start, end),
      replacement: replacement ?? '',
      range: `${file}:${start.line}:${start.column - 1}-${end.line}:${end.column - 1}`,
      status: status as Result['status'],
    }
  })
}

/** Counted from 1. */
type Position = { line: number; column: number }

function extract(lines: readonly string[], start: Position, end: Position): string {
  return lines
    .slice(start.line - 1, end.line)
    .map((line, index) => {
      const from = index === 0 ? start.column - 1 : 0
      const to = index === end.line - start.line ? end.column - 1 : line.length
      return line.slice(from, to)
    })
    .join('\n')
}

function relative(file: string): string {
  return file.startsWith(process.cwd()) ? file.slice(process.cwd().length + 1) : file
}
