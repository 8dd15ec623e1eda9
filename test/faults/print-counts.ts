import { type LagResult, lagRow } from '../../bench/lag.ts'

/** What a suite has counted. An absent count was not measured. */
export type Row = {
  suite: string
  faults: number
  jobs: number
  /** Accepted jobs that did not end. */
  lost: number
  /** The most upstream tasks that one job has made. */
  most: number
  /** Jobs with more than one terminal state in their history. */
  doubleEnds: number
  /** Jobs that did not succeed although the upstream rendered them. */
  discarded?: number
  /** Balances that differ from the sum of the ledger, and jobs charged without a render or more than once. */
  ledger?: number
}

/** Prints what a suite has counted, as a row of the table in docs/reliability.md. */
export function report({ suite, faults, jobs, lost, most, doubleEnds, discarded, ledger }: Row): void {
  const cells = [suite, faults, jobs, lost, most, doubleEnds, discarded ?? '–', ledger ?? '–']
  process.stdout.write(`| ${cells.join(' | ')} |\n`)
}

/** One flight of many jobs, as a row of the last table in docs/reliability.md. */
export function reportLag(lag: LagResult): void {
  process.stdout.write(`| ${[lag.name, ...lagRow(lag)].join(' | ')} |\n`)
}
