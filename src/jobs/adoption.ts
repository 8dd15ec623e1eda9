import type { ProviderName } from '../../providers/provider.ts'
import type { AdoptedRecord } from '../accounts/holds.ts'
import type { Routing } from '../upstreams/routing.ts'
import { type HistoryEntry, type Job, type JobView, type JobWork, overdueAfterMs } from './job.ts'
import { attemptMarker } from './store/codec.ts'

type Deps = {
  routing: Pick<Routing, 'find'>
  settingsOf(provider: ProviderName): Readonly<Record<string, string>>
  deadlineMs(model: string): number
}

/**
 * The record that resumes an ended job with a task of its upstream: `queued`, with a new deadline and only this upstream. Returns a reason instead
 * if no attempt was made, or if the ID cannot be one of the upstream's tasks.
 */
export function buildAdoptedRecord(
  { routing, settingsOf, deadlineMs }: Deps,
  { view, work, input }: Pick<Job, 'view' | 'work' | 'input'>,
  taskId: string,
  now: number,
): AdoptedRecord | 'no_attempt' | 'no_such_task' {
  const { attempt, handed, meter } = work
  const upstream = attempt === undefined ? undefined : routing.find({ id: view.model }, attempt.provider)
  if (attempt === undefined || upstream === undefined) return 'no_attempt'
  const { provider, mapping } = upstream
  const settings = settingsOf(attempt.provider)
  const order = { jobId: view.id, attempt: attempt.id, input, at: new Date(attempt.at), settings }
  const ticket = provider.task.reference(taskId, order, mapping)
  if (ticket === undefined) return 'no_such_task'

  const { error: _, completedAt: __, version, ...viewFields } = view
  const resumedView: Omit<JobView, 'version'> = {
    ...viewFields,
    state: 'queued',
    adoptions: (view.adoptions ?? 0) + 1,
  }
  const resumedWork: JobWork = {
    route: [attempt.provider],
    deadlineAt: now + deadlineMs(view.model),
    attempt,
    ticket,
    takenAt: now,
    refusals: 0,
    misses: 0,
    polls: 0,
    ...(handed !== undefined && { handed }),
    ...(meter !== undefined && { meter }),
  }
  const entry: HistoryEntry = {
    at: now,
    state: 'queued',
    progress: view.progress,
    provider: attempt.provider,
    reason: `adopted: ${taskId}`,
  }
  return {
    version,
    view: JSON.stringify(resumedView),
    work: JSON.stringify(resumedWork),
    attempt: attemptMarker(attempt),
    event: JSON.stringify(entry),
    dueAt: now + overdueAfterMs,
    queue: attempt.provider,
    task: { provider: attempt.provider, id: provider.task.id(ticket), ticket },
  }
}
