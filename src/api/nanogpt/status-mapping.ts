import type { JobState, JobView } from '../../jobs/job.ts'

/** Which of the three published vocabularies a status path speaks at its top level. */
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

/** How a job's state is told. Most clients know no word for canceled, so only who canceled a job is told so. */
export function mapStatus({ state, error }: JobView): DialectStatuses {
  return statusesByState[state === 'canceled' && error?.code !== 'canceled' ? 'failed' : state]
}

/** The finest state; `submitting` is nobody's business but ours. */
export function toPublicState({ state }: JobView): JobState {
  return state === 'submitting' ? 'pending' : state
}
