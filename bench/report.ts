import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Measured } from './load.ts'
import { median, number, spread } from './numbers.ts'

const lastReport = join(import.meta.dirname, '.last.md')

/** One line of what must hold: how it fared, in words. */
export type Verdict = { claim: string; found: string; holds: boolean }

export type Report = {
  section(title: string): void
  say(text: string): void
  table(head: readonly string[], rows: readonly (readonly string[])[]): void
  claim(verdict: Verdict): void
  missing(name: string, why: string): void
  /** Ends the report; false where a claim does not hold. */
  end(): boolean
}

export function createReport(): Report {
  const lines: string[] = []
  const verdicts: Verdict[] = []
  const absent = new Set<string>()
  const write = (line: string) => {
    lines.push(line)
    process.stdout.write(`${line}\n`)
  }
  const section = (title: string) => write(`\n### ${title}\n`)
  const table: Report['table'] = (head, rows) => {
    write(`| ${head.join(' | ')} |`)
    write(`|${head.map((_, index) => (index === 0 ? ' --- ' : ' ---: ')).join('|')}|`)
    for (const row of rows) write(`| ${row.join(' | ')} |`)
    write('')
  }
  write(`${machine()}\n`)
  return {
    section,
    table,
    say: (text) => write(`${text}\n`),
    claim: (verdict) => verdicts.push(verdict),
    missing(name, why) {
      if (!absent.has(name)) write(`**${name} is missing**: ${why}\n`)
      absent.add(name)
    },
    end() {
      if (verdicts.length > 0) {
        section('Requirements')
        const rows = verdicts.map(({ claim, found, holds }) => [
          claim,
          found,
          holds ? 'holds' : '**falls short**',
        ])
        table(['requirement', 'measured', ''], rows)
      }
      writeFileSync(lastReport, `${lines.join('\n')}\n`)
      return verdicts.every(({ holds }) => holds)
    },
  }
}

function machine(): string {
  const model = cpus()[0]?.model ?? 'unknown processor'
  const memory = Math.round(totalmem() / 1024 ** 3)
  return `${new Date().toISOString().slice(0, 10)}, ${cpus().length} cores of ${model}, ${memory} GB, Linux ${release()}, Node ${process.version}.`
}

/** Puts the last report into the README, between its two marks. */
export function intoReadme(): void {
  const path = join(import.meta.dirname, 'README.md')
  const found = readFileSync(lastReport, 'utf8')
  const marks = /(<!-- figures -->\n)[\s\S]*(<!-- \/figures -->)/
  writeFileSync(
    path,
    readFileSync(path, 'utf8').replace(marks, (_, from: string, to: string) => `${from}\n${found}\n${to}`),
  )
}

/** A row a contestant: what it did on so many connections, each figure the median of its rounds. */
export function showRuns(report: Report, connections: number, results: Record<string, Measured[]>): void {
  const rows = Object.entries(results).map(([name, runs]) => [
    name,
    spread(runs.map(({ perSecond }) => perSecond)),
    number(median(runs.map(({ p50 }) => p50))),
    number(median(runs.map(({ p99 }) => p99))),
    number(median(runs.map(({ cpuUs }) => cpuUs))),
    number(Math.max(...runs.map(({ failed }) => failed))),
  ])
  const head = [
    `${connections} connection${connections === 1 ? '' : 's'}`,
    'per second',
    'p50 ms',
    'p99 ms',
    'CPU µs per request',
    'failed',
  ]
  report.table(head, rows)
}
