import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import type { LoadResult } from './load.ts'
import { formatNumber, formatSpread, median } from './statistics.ts'

const lastReport = join(import.meta.dirname, '.last.md')

/** One line of what must hold: how it fared, in words. */
export type Claim = { claim: string; result: string; isMet: boolean }

export type Report = {
  section(title: string): void
  write(text: string): void
  table(header: readonly string[], rows: readonly (readonly string[])[]): void
  claim(claim: Claim): void
  missing(name: string, why: string): void
  /** Ends the report; false where a claim does not hold. */
  finish(): boolean
}

export function createReport(): Report {
  const lines: string[] = []
  const claims: Claim[] = []
  const missingNames = new Set<string>()
  const writeLine = (line: string) => {
    lines.push(line)
    process.stdout.write(`${line}\n`)
  }
  const section = (title: string) => writeLine(`\n### ${title}\n`)
  const table: Report['table'] = (header, rows) => {
    writeLine(`| ${header.join(' | ')} |`)
    writeLine(`|${header.map((_, index) => (index === 0 ? ' --- ' : ' ---: ')).join('|')}|`)
    for (const row of rows) writeLine(`| ${row.join(' | ')} |`)
    writeLine('')
  }
  writeLine(`${describeMachine()}\n`)
  return {
    section,
    table,
    write: (text) => writeLine(`${text}\n`),
    claim: (newClaim) => claims.push(newClaim),
    missing(name, why) {
      if (!missingNames.has(name)) writeLine(`**${name} is missing**: ${why}\n`)
      missingNames.add(name)
    },
    finish() {
      if (claims.length > 0) {
        section('Requirements')
        const rows = claims.map(({ claim, result, isMet }) => [
          claim,
          result,
          isMet ? 'holds' : '**falls short**',
        ])
        table(['requirement', 'measured', ''], rows)
      }
      writeFileSync(lastReport, `${lines.join('\n')}\n`)
      return claims.every(({ isMet: holds }) => holds)
    },
  }
}

function describeMachine(): string {
  const model = cpus()[0]?.model ?? 'unknown processor'
  const memory = Math.round(totalmem() / 1024 ** 3)
  return `${new Date().toISOString().slice(0, 10)}, ${cpus().length} cores of ${model}, ${memory} GB, Linux ${release()}, Node ${process.version}.`
}

/** Puts the last report into the README, between its two marks. */
export function writeToReadme(): void {
  const path = join(import.meta.dirname, 'README.md')
  const report = readFileSync(lastReport, 'utf8')
  const marks = /(<!-- figures -->\n)[\s\S]*(<!-- \/figures -->)/
  writeFileSync(
    path,
    readFileSync(path, 'utf8').replace(marks, (_, from: string, to: string) => `${from}\n${report}\n${to}`),
  )
}

/** A row a contestant: what it did on so many connections, each figure the median of its rounds. */
export function reportRuns(report: Report, connections: number, results: Record<string, LoadResult[]>): void {
  const rows = Object.entries(results).map(([name, runs]) => [
    name,
    formatSpread(runs.map(({ perSecond }) => perSecond)),
    formatNumber(median(runs.map(({ p50 }) => p50))),
    formatNumber(median(runs.map(({ p99 }) => p99))),
    formatNumber(median(runs.map(({ cpuUs }) => cpuUs))),
    formatNumber(Math.max(...runs.map(({ failed }) => failed))),
  ])
  const header = [
    `${connections} connection${connections === 1 ? '' : 's'}`,
    'per second',
    'p50 ms',
    'p99 ms',
    'CPU µs per request',
    'failed',
  ]
  report.table(header, rows)
}
