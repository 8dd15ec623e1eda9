import { globSync } from 'node:fs'

/**
 * Which tests cover which sources: the longest path that matches counts. The first test file that fails ends the run of a mutant, so
 * quick tests come first, and tests that start a whole gateway are left out: each surviving mutant would take half a minute.
 */
const table: Readonly<Record<string, readonly string[]>> = {
  'src/engine/transport.ts': ['test/engine/{transport,upstream-calls}.test.ts'],
  'src/engine/inline.ts': ['test/engine/upstream-files.test.ts'],
  'src/engine/upload.ts': ['test/engine/upstream-files.test.ts'],
  'src/engine': [
    'test/engine/{pace,views,races,slots,claims,intent,journal,persist,restore,lost-tasks,uploads,withdrawals,enqueue}.test.ts',
  ],
  'src/accounts': ['test/accounts/*.test.ts'],
  'src/webhooks': ['test/webhooks/*.test.ts'],
  'src/media/address.ts': ['test/media/{address,guard}.test.ts'],
  'src/media/base64.ts': ['test/media/base64.test.ts'],
  'src/media/check.ts': ['test/media/formats.test.ts'],
  'src/media/complete.ts': ['test/media/formats.test.ts'],
  'src/media/gate.ts': ['test/media/limiters.test.ts'],
  'src/media/guard.ts': ['test/media/guard.test.ts'],
  'src/media/hand-over.ts': ['test/media/upload-inputs.test.ts'],
  'src/media/limits.ts': ['test/media/limiters.test.ts'],
  'src/media/links.ts': ['test/media/references.test.ts'],
  'src/media/pixels.ts': ['test/media/formats.test.ts'],
  'src/media/reference.ts': ['test/media/references.test.ts'],
  'src/media/scratch.ts': ['test/media/base64.test.ts'],
  'src/media/seconds.ts': ['test/media/seconds.test.ts'],
  'src/media/sink.ts': ['test/media/base64.test.ts'],
  'src/media/spool.ts': ['test/media/base64.test.ts'],
  'src/media/upload-queue.ts': ['test/media/upload-queue.test.ts'],
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
