import type { JobState, JobView } from '../../jobs/job.ts'

/** The three documented sets of status names; each status path uses one of them at its top level. */
export type Dialect = 'current' | 'seed' | 'first'

type NestedStatus = 'IN_QUEUE' | 'IN_PROGRESS' | 'COMPLETED' | 'FAILED' | 'CANCELED'

type DialectStatuses = Readonly<Record<Dialect, string>> & { nested: NestedStatus; recover: string }

const acceptedStatuses: DialectStatuses = {
  nested: 'IN_QUEUE',
  current: 'queued',
  seed: 'pending',
  first: 'PENDING',
  recover: 'pending',
}

const runningStatuses: DialectStatuses = {
  nested: 'IN_PROGRESS',
  current: 'processing',
  seed: 'processing',
  first: 'PROCESSING',
  recover: 'processing',
}

const statusesByState: Readonly<Record<JobState, DialectStatuses>> = {
  pending: acceptedStatuses,
  submitting: acceptedStatuses,
  queued: { ...acceptedStatuses, seed: 'queued', recover: 'queued' },
  processing: runningStatuses,
  generating: { ...runningStatuses, seed: 'generating' },
  delivering: { ...runningStatuses, seed: 'delivering' },
  succeeded: {
    nested: 'COMPLETED',
    current: 'completed',
    seed: 'succeeded',
    first: 'COMPLETED',
    recover: 'completed',
  },
  failed: { nested: 'FAILED', current: 'failed', seed: 'failed', first: 'FAILED', recover: 'failed' },
  canceled: {
    nested: 'CANCELED',
    current: 'cancelled',
    seed: 'failed',
    first: 'FAILED',
    recover: 'canceled',
  },
}

/** The status names of a job. Most clients have no name for canceled, so a job is canceled only for the client that canceled it; otherwise it failed. */
export function mapStatus({ state, error }: JobView): DialectStatuses {
  return statusesByState[state === 'canceled' && error?.code !== 'canceled' ? 'failed' : state]
}
