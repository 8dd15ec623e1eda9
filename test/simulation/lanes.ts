import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { addReport, createReport, type Report } from './explore.ts'
import type { FaultKind } from './faults.ts'
import type { BugName } from './planted-bugs.ts'

/** What one lane is to explore. */
export type Order = {
  seed: number
  runs: number
  /** Replays one run, as `Failure.path` names it. */
  path?: string
  /** Which faults may happen; absent: all. */
  kinds?: readonly FaultKind[]
  /** Broken invariants that match this pattern do not count. */
  ignore?: string
  bug?: BugName
  /** `false`: a broken run is reported as it is. */
  shrinks?: boolean
}

type Options = Order & {
  /** Begins nothing later than this. */
  forMs?: number
  lanes: number
  /** Called after each batch. */
  onProgress?(report: Report): void
}

/** Runs per batch. Short, so that the lanes end at about the same time. */
const runsPerBatch = 50

/** Explores in several processes at once, until a run breaks an invariant, `runs` are done, or time is over. The same report for the same seed and runs. */
export async function exploreInLanes({ lanes, forMs, onProgress, ...options }: Options): Promise<Report> {
  const began = performance.now()
  const reports: Report[] = []
  let started = 0
  const count = Math.ceil(options.runs / runsPerBatch)

  const isOver = () =>
    started >= count ||
    reports.some(({ failure }) => failure !== undefined) ||
    (forMs !== undefined && performance.now() - began > forMs)

  async function runLane(): Promise<void> {
    const lane = fork(join(import.meta.dirname, 'lane.ts'), { serialization: 'advanced' })
    try {
      await messageOf(lane)
      while (!isOver()) {
        const index = started++
        const runs = Math.min(runsPerBatch, options.runs - index * runsPerBatch)
        lane.send({ ...options, seed: seedOf(options.seed, index), runs })
        reports[index] = (await messageOf(lane)) as Report
        onProgress?.(sum(options.seed, reports))
      }
    } finally {
      if (lane.connected) lane.disconnect()
      if (lane.exitCode === null) await once(lane, 'exit')
    }
  }

  await Promise.all(Array.from({ length: Math.min(lanes, count) }, runLane))
  return sum(options.seed, reports)
}

async function messageOf(lane: ChildProcess): Promise<unknown> {
  const ended = new AbortController()
  try {
    return await Promise.race([
      once(lane, 'message', { signal: ended.signal }).then(([message]) => message as unknown),
      once(lane, 'exit', { signal: ended.signal }).then(([code]) => {
        throw new Error(`a lane ended with code ${code}`)
      }),
    ])
  } finally {
    ended.abort()
  }
}

/** The first batch has the seed itself. */
function seedOf(seed: number, index: number): number {
  return index === 0 ? seed : (seed + Math.imul(index, 0x9e3779b1)) >>> 1
}

/** The earliest failure counts, with the runs before it. */
function sum(seed: number, reports: readonly Report[]): Report {
  const total = createReport(seed)
  for (const report of reports) if (report !== undefined) addReport(total, report)
  return total
}
