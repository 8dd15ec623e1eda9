import { isTerminal, states } from '../../src/engine/job.ts'
import { createStore } from '../../src/engine/store.ts'
import type { KnownJob } from './client.ts'
import { findMoneyBroken } from './money.ts'
import type { Scenario } from './scenario.ts'
import { settings } from './settings.ts'
import type { Environment } from './worker.ts'
import { linkMs } from './file-store.ts'

type Record = NonNullable<Awaited<ReturnType<ReturnType<typeof createStore>['read']>>>

export type State = Environment & { scenario: Scenario; jobs: readonly KnownJob[] }

/** Compares what is stored at the end of a run with what the clients were told and what the upstreams have written down. */
export async function findBroken(state: State): Promise<string[]> {
  const { redis, keys, jobs, queue } = state
  const store = createStore({ redis, keys, ...settings.store })
  const broken: string[] = []
  const records = new Map<string, Record>()
  for (const job of jobs) {
    const record = await store.read(job.id)
    if (record !== undefined) records.set(job.id, record)
    broken.push(...findJobBroken(state, job, record).map((text) => `${job.id}: ${text}`))
    if (record !== undefined) {
      const events = await store.events(job.id)
      broken.push(...findHistoryBroken(events).map((text) => `${job.id}: ${text}`))
    }
  }
  broken.push(...findSharedTasks(state, records))
  if ((await redis.zcard(keys.open)) > 0) broken.push(`open holds ${await redis.zrange(keys.open, 0, '-1')}`)
  if ((await redis.zcard(keys.webhooks)) > 0) broken.push(`webhooks holds ${await redis.zrange(keys.webhooks, 0, '-1')}`)
  const { waiting, active, nextAt } = await queue.peek()
  if (waiting.length + active.length > 0 || nextAt !== Number.POSITIVE_INFINITY) broken.push(`the queues hold ${waiting} ${active} ${nextAt}`)
  for (const provider of Object.keys(state.maxInFlight)) {
    const holders = await redis.smembers(keys.slots(provider).holders)
    if (holders.length > 0) broken.push(`${provider}: slots are held by ${holders}`)
  }
  broken.push(...(await findMoneyBroken(state, records)))
  return broken
}

function findJobBroken({ upstreams, files, server }: State, job: KnownJob, record: Record | undefined): string[] {
  const broken: string[] = []
  const purchases = Object.values(upstreams).flatMap((upstream) =>
    upstream.purchases.filter(({ jobId }) => jobId === job.id).map((purchase) => ({ ...purchase, upstream })),
  )
  if (purchases.length > 1) broken.push(`purchased ${purchases.length} times: ${purchases.map(({ taskId }) => taskId)}`)
  const rolledBack = server.losses() > 0
  for (const { intent, taskId } of rolledBack ? [] : purchases) {
    if (intent !== undefined && job.canceled !== undefined && job.canceled < intent.sequence)
      broken.push(`purchased after its cancellation: ${taskId}`)
    if (intent !== undefined && record !== undefined && intent.at > record.work.deadlineAt)
      broken.push(`purchased after its deadline: ${taskId}`)
  }
  if (record === undefined) {
    if (job.accepted !== undefined && job.removed === undefined && !rolledBack) broken.push('lost')
    return broken
  }
  const { view, work } = record
  if (!isTerminal(view.state)) return [...broken, `has not ended: ${view.state}`]
  if (view.state === 'canceled' && job.cancelAsked === undefined && job.accepted !== undefined) broken.push('canceled, and nobody asked for it')
  const expected = job.accepted !== undefined || job.notified > 0 ? 1 : 0
  if (!rolledBack && job.notified < expected) broken.push('its end was not delivered')

  const known = view.error?.code
  const bought = purchases.find(({ repeatedId }) => !repeatedId)
  const task = bought && bought.upstream.tasks.get(bought.taskId)
  if (view.state === 'succeeded') {
    const [video] = view.videos ?? []
    if (video === undefined || files.files.get(video.url) === undefined) broken.push('succeeded without a file')
    if (purchases.length === 0) broken.push('succeeded without a purchase')
  } else if (
    task !== undefined &&
    bought !== undefined &&
    bought.upstream.stateOf(task) === 'done' &&
    job.cancelAsked === undefined &&
    known !== 'submission_unknown' &&
    known !== 'task_lost' &&
    task.endsAt <= work.deadlineAt + 3_600_000 &&
    task.endsAt + linkMs > (view.completedAt ?? 0) &&
    task.forgottenUntil < task.endsAt + linkMs
  ) {
    if (known !== 'timeout' || task.endsAt < work.deadlineAt) broken.push(`paid result discarded: ${known}, ${task.id} was done`)
  }
  // Where an upstream returns one ID for two jobs, whoever claims it first has the task.
  const received = purchases.some(
    ({ replied, buyer, upstream, taskId }) =>
      replied &&
      !buyer.dead &&
      buyer.frozenUntil === 0 &&
      !upstream.purchases.some((other) => other.repeatedId && other.taskId === taskId),
  )
  if (known === 'submission_unknown' && received && !rolledBack) broken.push('the reply of its purchase was received, and it ended as unknown')
  if (known === 'timeout' && (view.completedAt ?? 0) < work.deadlineAt) broken.push('timed out before its deadline')
  return broken
}

/** States and progress only go forwards, and there is one end. */
function findHistoryBroken(events: readonly { state: string; progress: number; reason?: string }[]): string[] {
  const broken: string[] = []
  const order = states as readonly string[]
  const isEnd = (state: string) => order.indexOf(state) >= order.indexOf('succeeded')
  const ends = events.filter(({ state }, index) => isEnd(state) && !isEnd(events[index - 1]?.state ?? 'pending'))
  if (ends.length > 1) broken.push(`ended ${ends.length} times`)
  for (const [index, { state, progress }] of events.entries()) {
    const before = events[index - 1]
    if (before === undefined) continue
    const back = order.indexOf(state) < order.indexOf(before.state)
    if (back && before.state !== 'submitting') broken.push(`state went back from ${before.state} to ${state}`)
    if (isEnd(before.state) && state !== before.state) broken.push(`the end changed from ${before.state} to ${state}`)
    if (progress < before.progress && !isEnd(before.state)) broken.push(`progress went back from ${before.progress} to ${progress}`)
  }
  return broken
}

/** A task belongs to one job. */
function findSharedTasks({ upstreams, files }: State, records: ReadonlyMap<string, Record>): string[] {
  const broken: string[] = []
  const holders = new Map<string, string>()
  for (const [id, { view, work }] of records) {
    const served = files.files.get(view.videos?.[0]?.url ?? '')
    const task = served ?? (work.ticket && `${work.attempt?.provider} ${JSON.stringify(work.ticket)}`)
    if (task === undefined || view.state !== 'succeeded') continue
    const other = holders.get(task)
    if (other !== undefined) broken.push(`${other} and ${id} both have the task ${task}`)
    holders.set(task, id)
  }
  for (const { tasks } of Object.values(upstreams))
    for (const task of tasks.values()) if (task.jobId === '') broken.push(`${task.id} has no job`)
  return broken
}
