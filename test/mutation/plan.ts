import { globSync } from 'node:fs'

/**
 * Which tests cover which sources: the longest path that matches counts. The first test file that fails ends the run of a mutant, so
 * quick tests come first, and tests that start a whole gateway are left out: each surviving mutant would take half a minute.
 */
const table: Readonly<Record<string, readonly string[]>> = {
  'src/engine/transport.ts': ['test/engine/{transport,upstream-calls}.test.ts'],
  'src/engine/inline.ts': ['test/engine/upstream-files.test.ts'],
  'src/engine/upload.ts': ['test/engine/upstream-files.test.ts'],
  'src/engine': ['test/engine/{pace,views,races,slots,enqueue}.test.ts'],
  'src/accounts': ['test/accounts/*.test.ts'],
  'src/webhooks': ['test/webhooks/*.test.ts'],
  'src/media': ['test/media/*.test.ts'],
}

/** The test files for a source file, relative to the project. */
export function testsFor(file: string): string[] {
  const [path] = Object.keys(table)
    .filter((prefix) => file === prefix || file.startsWith(`${prefix}/`))
    .sort((a, b) => b.length - a.length)
  const patterns = path === undefined ? [] : (table[path] ?? [])
  return [...new Set(patterns.flatMap((pattern) => globSync(pattern).sort()))]
}

/** The TypeScript and Lua files of a folder, or the one file that is named. */
export function sourcesIn(path: string): string[] {
  if (/\.(ts|lua)$/.test(path)) return [path]
  return globSync(`${path}/**/*.{ts,lua}`).sort()
}
