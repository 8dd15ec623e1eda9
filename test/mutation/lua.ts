import { spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { findChanges } from './lua-mutants.ts'
import type { Result } from './main.ts'
import { testsFor } from './plan.ts'

const shortestLimitMs = 20_000

/** Runs every Lua mutant of the files against the tests that cover it, each worker in a copy of the project. */
export async function mutateLua(
  files: readonly string[],
  options: {
    concurrency: number
    nodeArgs: readonly string[]
    only?: (result: Omit<Result, 'status'>) => boolean
  },
): Promise<Result[]> {
  const all = (await Promise.all(files.map(readMutants))).flat()
  const mutants = all.filter((mutant) => options.only?.(mutant) ?? true)
  if (mutants.length === 0) return []

  const limits = new Map<string, number>()
  const [first, ...others] = await Promise.all(Array.from({ length: options.concurrency }, copyProject))
  if (first === undefined) return []
  for (const test of new Set(mutants.flatMap(({ file }) => testsFor(file)))) {
    const began = Date.now()
    if (!(await passes(first, test, options.nodeArgs, 600_000)))
      throw new Error(`${test} fails without any mutant`)
    limits.set(test, Math.max(shortestLimitMs, 4 * (Date.now() - began)))
  }

  const results: Result[] = []
  const waiting = [...mutants]
  const work = async (folder: string) => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      await writeFile(join(folder, mutant.file), mutant.mutated)
      const survived = await passesAll(folder, testsFor(mutant.file))
      await writeFile(join(folder, mutant.file), mutant.text)
      const { mutated, text, ...rest } = mutant
      results.push({ ...rest, status: survived ? 'Survived' : 'Killed' })
      if (results.length % 20 === 0)
        process.stdout.write(`${results.length} of ${mutants.length} Lua mutants\n`)
    }
  }
  const passesAll = async (folder: string, tests: readonly string[]) => {
    for (const test of tests) {
      if (!(await passes(folder, test, options.nodeArgs, limits.get(test) ?? shortestLimitMs))) return false
    }
    return true
  }
  await Promise.all([first, ...others].map(work))
  return results
}

async function readMutants(file: string) {
  const text = await readFile(file, 'utf8')
  return findChanges(file, text).map(({ start, end, replacement, name }) => ({
    file,
    ...position(text, start),
    name: `Lua ${name}`,
    original: text.slice(start, end),
    replacement,
    text,
    mutated: text.slice(0, start) + replacement + text.slice(end),
  }))
}

function position(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset).split('\n')
  return { line: before.length, column: (before.at(-1) ?? '').length + 1 }
}

/** Enough of the project to run its tests. */
async function copyProject(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lua-'))
  for (const path of ['src', 'providers', 'test', 'package.json', 'README.md', '.env.example'])
    await cp(path, join(folder, path), { recursive: true })
  await mkdir(join(folder, 'bench'), { recursive: true })
  await symlink(resolve('node_modules'), join(folder, 'node_modules'))
  return folder
}

/** Whether a test file passes within a time. */
function passes(
  folder: string,
  test: string,
  nodeArgs: readonly string[],
  limitMs: number,
): Promise<boolean> {
  const child = spawn(process.execPath, [...nodeArgs, test], {
    cwd: folder,
    stdio: 'ignore',
    timeout: limitMs,
    killSignal: 'SIGKILL',
  })
  return new Promise((settle, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => settle(code === 0))
  })
}
