import type { Provider, ProviderName } from '../../providers/provider.ts'
import type { Reader } from './reader.ts'

/** How jobs are executed at upstreams, and how long their records are kept. */
export function readJobSettings(read: Reader, providers: readonly Provider[]) {
  const upstreamTimeoutMs = read.integer('UPSTREAM_TIMEOUT_SECONDS', 30, 1, 300) * 1000
  const reconcileMs = read.integer('RECONCILE_SECONDS', 120, 1, 3600) * 1000
  if (reconcileMs <= upstreamTimeoutMs)
    read.problems.push(
      'RECONCILE_SECONDS must be more than UPSTREAM_TIMEOUT_SECONDS: the task of a lost submission is looked for after its call has timed out',
    )
  return {
    keepMs: read.integer('KEEP_DAYS', 7, 1, 365) * 86_400_000,
    upstreamTimeoutMs,
    reconcileMs,
    /** How long an upstream that rejects its key gets no jobs before one job tries it again; 0: it always gets jobs. */
    upstreamRetryMs: read.integer('UPSTREAM_RETRY_SECONDS', 300, 0, 86_400) * 1000,
    /** How long an upstream must report a task as unknown before the job ends as lost. */
    taskLostMs: read.integer('TASK_LOST_MINUTES', 10, 0, 1440) * 60_000,
    /** How long after its deadline a job waits for a worker that has its upstream's key. */
    missingKeyWaitMs: read.integer('MISSING_KEY_WAIT_HOURS', 24, 0, 720) * 3_600_000,
    /** No job runs longer, whatever the deadline of its model. */
    longestJobSeconds: read.integer('MAX_JOB_SECONDS', 7200, 1, 7 * 86_400),
    longestPollMs: read.integer('POLL_MAX_MS', 20_000, 50, 600_000),
    /** Concurrent steps per worker. */
    concurrency: read.integer('STEP_CONCURRENCY', 200, 1, 1000),
    /** The most jobs that an upstream has at the same time; absent: unlimited. */
    maxInFlight: readMaxInFlight(read, providers),
  }
}

function readMaxInFlight(read: Reader, providers: readonly Provider[]) {
  const maxInFlight: Partial<Record<ProviderName, number>> = {}
  for (const { name } of providers) {
    const maxJobs = read.integer(`${name.toUpperCase()}_MAX_IN_FLIGHT`, 0, 0, 1_000_000)
    if (maxJobs > 0) maxInFlight[name] = maxJobs
  }
  return maxInFlight
}
