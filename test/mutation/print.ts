import type { Result } from './main.ts'

/** The survivors, then the score of each file and of all. */
export function print(results: readonly Result[]): void {
  const counted = results.filter(({ status }) => /Killed|Timeout|Survived|NoCoverage/.test(status))
  const survivors = counted.filter(({ status }) => /Survived|NoCoverage/.test(status))
  for (const { file, line, column, name, original, replacement, status } of survivors.toSorted(byPlace)) {
    const reached = status === 'NoCoverage' ? ' (no test reaches it)' : ''
    say(`${file}:${line}:${column} ${name}${reached}\n    - ${short(original)}\n    + ${short(replacement)}`)
  }
  for (const [file, own] of [...Map.groupBy(counted, ({ file }) => file), ['all', counted] as const])
    say(
      `${file}: ${own.length - own.filter(isKilled).length} of ${own.length} survive, score ${score(own)} %`,
    )
}

function score(results: readonly Result[]): string {
  return ((100 * results.filter(isKilled).length) / Math.max(1, results.length)).toFixed(1)
}

function isKilled({ status }: Result): boolean {
  return status === 'Killed' || status === 'Timeout'
}

function byPlace(a: Result, b: Result): number {
  return a.file.localeCompare(b.file) || a.line - b.line || a.column - b.column
}

function short(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > 140 ? `${line.slice(0, 140)}…` : line
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
