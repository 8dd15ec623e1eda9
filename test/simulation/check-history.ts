import { type HistoryEntry, isTerminal, jobStates } from '../../src/jobs/job.ts'
import type { KnownJob } from './client.ts'

/** States and progress only go forwards, and there is one end, but for a job that an operator let go on. */
export function findHistoryBroken(events: readonly HistoryEntry[], { decisions }: KnownJob): string[] {
  const broken: string[] = []
  let ends = 0
  for (const [index, { state, progress, reason }] of events.entries()) {
    const before = events[index - 1]
    if (isTerminal(state)) ends += 1
    if (before === undefined || reason?.startsWith('adopted')) continue
    const isBack = jobStates.indexOf(state) < jobStates.indexOf(before.state)
    if (isTerminal(before.state)) broken.push(`the end changed from ${before.state} to ${state}`)
    else if (isBack && before.state !== 'submitting')
      broken.push(`the state went back from ${before.state} to ${state}`)
    if (progress < before.progress) broken.push(`progress went back from ${before.progress} to ${progress}`)
  }
  const adoptions = decisions.filter((decision) => decision === 'adopt').length
  if (ends > 1 + adoptions) broken.push(`ended ${ends} times`)
  return broken
}
