import { type Lag, lagRow } from '../../bench/lag.ts'

type Row = { suite: string; faults: number; jobs: number; lost: number; most: number; doubleEnds: number }

/** Prints what a suite has counted, as a row of the README's table. */
export function report({ suite, faults, jobs, lost, most, doubleEnds }: Row): void {
  process.stdout.write(`| ${suite} | ${faults} | ${jobs} | ${lost} | ${most} | ${doubleEnds} |\n`)
}

/** One flight of many jobs, as a row of the README's other table. */
export function reportLag(lag: Lag): void {
  process.stdout.write(`| ${[lag.name, ...lagRow(lag)].join(' | ')} |\n`)
}
