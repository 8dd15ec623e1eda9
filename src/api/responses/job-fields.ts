import type { JobState, JobView } from '../../jobs/job.ts'

/** The most detailed public state; `submitting` is internal. */
export function toPublicState({ state }: Pick<JobView, 'state'>): Exclude<JobState, 'submitting'> {
  return state === 'submitting' ? 'pending' : state
}

/** ISO 8601 in UTC with milliseconds. */
export function toIsoTime(unixMs: number): string {
  return new Date(unixMs).toISOString()
}
