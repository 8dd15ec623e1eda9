import type { ProviderName } from '../../providers/provider.ts'
import type { Revival } from '../accounts/holds.ts'
import type { Offers } from '../upstreams/routing.ts'
import { type Event, type Job, overdueMs, type View, type Work } from './job.ts'
import { markOf } from './store/codec.ts'

type Deps = {
  offers: Pick<Offers, 'find'>
  settingsOf(provider: ProviderName): Readonly<Record<string, string>>
  deadlineMs(model: string): number
}

/**
 * The record of an ended job that goes on with a task of its upstream: `queued`, with a fresh deadline. The upstream has the task, so the job
 * stays with this upstream. Returns why there is none: no attempt was made, or the upstream has no tasks of such an ID.
 */
export function adoption(
  { offers, settingsOf, deadlineMs }: Deps,
  { view, work, input }: Pick<Job, 'view' | 'work' | 'input'>,
  taskId: string,
  now: number,
): Revival | 'no_attempt' | 'no_such_task' {
  const { attempt, handed, meter } = work
  const found = attempt === undefined ? undefined : offers.find({ id: view.model }, attempt.provider)
  if (attempt === undefined || found === undefined) return 'no_attempt'
  const { provider, offer } = found
  const settings = settingsOf(attempt.provider)
  const order = { jobId: view.id, attempt: attempt.id, input, at: new Date(attempt.at), settings }
  const ticket = provider.task.ticket(taskId, order, offer)
  if (ticket === undefined) return 'no_such_task'

  const { error: _, completedAt: __, version, ...rest } = view
  const resumed: Omit<View, 'version'> = { ...rest, state: 'queued', adoptions: (view.adoptions ?? 0) + 1 }
  const next: Work = {
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
  const event: Event = {
    at: now,
    state: 'queued',
    progress: view.progress,
    provider: attempt.provider,
    reason: `adopted: ${taskId}`,
  }
  return {
    version,
    view: JSON.stringify(resumed),
    work: JSON.stringify(next),
    attempt: markOf(attempt),
    event: JSON.stringify(event),
    dueAt: now + overdueMs,
    queue: attempt.provider,
    task: { provider: attempt.provider, id: provider.task.id(ticket), ticket },
  }
}
