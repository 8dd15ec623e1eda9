import { linkMs } from './file-store.ts'
import type { Account, Ended } from './invariants.ts'
import type { Purchase } from './upstream.ts'

/** What was paid for and can be fetched is delivered, unless the client did not want it any more or an operator has to decide. */
export function findResultBroken(state: Ended, account: Account): string[] {
  const { server, losesDisks } = state
  const { job, record, purchases, hasLateNote } = account
  const broken: string[] = []
  if (record === undefined) return broken
  const { view, work } = record
  const code = view.error?.code
  if (view.state === 'succeeded') return findTaskBroken(state, account)
  if (code === 'timeout' && (view.completedAt ?? 0) < work.deadlineAt)
    broken.push('timed out before its deadline')

  // Where an upstream returns one ID for two jobs, whoever claims it first has the task.
  const own = purchases.filter(
    ({ upstream, taskId }) =>
      !upstream.purchases.some((other) => other.repeatedId && other.taskId === taskId),
  )
  if (code === 'submission_unknown' && own.some(isReplyReceived) && (server.losses() === 0 || !losesDisks))
    broken.push('the reply of its purchase was received, and it ended as unknown')

  const onHold = code === 'submission_unknown' || code === 'task_lost'
  // The gateway cancels a job if its client received a failed submit.
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

/**
 * A job that succeeded has a task that it bought, or one that an identical job bought whose reply was lost: the list of the upstream does not show
 * which of the two jobs a task belongs to.
 */
function findTaskBroken(
  { files, jobs, upstreams, server, losesDisks }: Ended,
  { job, record, purchases }: Account,
): string[] {
  const task = files.files.get(record?.view.videos?.[0]?.url ?? '')
  if (task === undefined) return ['succeeded without a file']
  if (purchases.some(({ taskId }) => taskId === task)) return []
  const purchase = Object.values(upstreams)
    .flatMap((upstream) => upstream.purchases)
    .find(({ taskId, repeatedId }) => taskId === task && !repeatedId)
  const buyer = jobs.find(({ id }) => id === purchase?.jobId)
  const isReplyKept =
    purchase !== undefined && isReplyReceived(purchase) && !(server.losses() > 0 && losesDisks)
  if (buyer?.prompt === job.prompt && !isReplyKept) return []
  return [`succeeded with the task of another job: ${task} of ${buyer?.id}`]
}

/** Whether a process that was never stopped has read the reply. */
function isReplyReceived({ replied, buyer }: Purchase): boolean {
  return replied === true && !buyer.dead && buyer.frozenUntil === 0
}

/** How long after its deadline a late result is polled (`src/jobs/steps/late-result.ts`), less one interval. */
const lateMs = 58 * 60_000
