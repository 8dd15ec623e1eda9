import { linkMs } from './file-store.ts'
import type { Account, Ended } from './invariants.ts'

/** What was paid for and can be fetched is delivered, unless the client did not want it any more or an operator has to decide. */
export function findResultBroken(
  { files, server, losesDisks }: Ended,
  { job, record, purchases, hasLateNote }: Account,
): string[] {
  const broken: string[] = []
  if (record === undefined) return broken
  const { view, work } = record
  const code = view.error?.code
  if (view.state === 'succeeded') {
    if (files.files.get(view.videos?.[0]?.url ?? '') === undefined) broken.push('succeeded without a file')
    if (purchases.length === 0) broken.push('succeeded without a purchase')
    return broken
  }
  if (code === 'timeout' && (view.completedAt ?? 0) < work.deadlineAt)
    broken.push('timed out before its deadline')

  // Where an upstream returns one ID for two jobs, whoever claims it first has the task.
  const own = purchases.filter(
    ({ upstream, taskId }) =>
      !upstream.purchases.some((other) => other.repeatedId && other.taskId === taskId),
  )
  const received = own.some(({ replied, buyer }) => replied && !buyer.dead && buyer.frozenUntil === 0)
  if (code === 'submission_unknown' && received && (server.losses() === 0 || !losesDisks))
    broken.push('the reply of its purchase was received, and it ended as unknown')

  const onHold = code === 'submission_unknown' || code === 'task_lost'
  // A job whose client was told that it was not accepted is canceled by the gateway itself.
  const unwanted = job.cancelAsked !== undefined || job.accepted === undefined
  if (unwanted || onHold || hasLateNote) return broken
  for (const { upstream, taskId } of own) {
    const task = upstream.tasks.get(taskId)
    if (task === undefined || upstream.stateOf(task) !== 'done') continue
    const isLate = task.endsAt > work.deadlineAt + lateMs
    const isForgotten = task.forgottenUntil > work.deadlineAt + lateMs
    const isGone = task.endsAt + linkMs < (view.completedAt ?? 0)
    if (!isLate && !isForgotten && !isGone)
      broken.push(`a paid result is discarded: ${code}, ${taskId} was done`)
  }
  return broken
}

/** How long after its deadline a job is looked after (`src/jobs/steps/late-result.ts`), less the time between two looks. */
const lateMs = 58 * 60_000
