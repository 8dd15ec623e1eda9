import { isTerminal, type Job } from '../../src/jobs/job.ts'
import { createJobStore } from '../../src/jobs/store/store.ts'
import { findHistoryBroken } from './check-history.ts'
import { findMoneyBroken } from './check-ledger.ts'
import { findResultBroken } from './check-results.ts'
import type { KnownJob } from './client.ts'
import type { Environment } from './environment.ts'
import { settings } from './settings.ts'
import type { Purchase, Upstream } from './upstream.ts'

export type Ended = Environment & { jobs: readonly KnownJob[] }

/** A job with all its data at the end of a run. */
export type Account = {
  job: KnownJob
  record: Job | undefined
  purchases: readonly (Purchase & { upstream: Upstream })[]
  /** Whether it was noted that its upstream finished late. */
  hasLateNote: boolean
}

/** Compares what is stored at the end of a run with the replies to the clients and the tasks of the upstreams. */
export async function findBroken(state: Ended): Promise<string[]> {
  const { redis, keys, jobs, queue, upstreams } = state
  const store = createJobStore({ redis, keys, ...settings.store })
  const broken: string[] = []
  const records = new Map<string, Job>()
  for (const job of jobs) {
    const record = await store.read(job.id)
    const purchases = Object.values(upstreams).flatMap((upstream) =>
      upstream.purchases
        .filter(({ jobId }) => jobId === job.id)
        .map((purchase) => ({ ...purchase, upstream })),
    )
    const notes = Object.values(await redis.hgetall(keys.notes(job.id)))
    const account = {
      job,
      record,
      purchases,
      hasLateNote: notes.some((note) => note.includes('late_result')),
    }
    const problems = [...findPurchaseBroken(state, account), ...findEndBroken(state, account)]
    if (record !== undefined) {
      records.set(job.id, record)
      problems.push(
        ...findResultBroken(state, account),
        ...findHistoryBroken(await store.readHistory(job.id), job),
      )
    }
    broken.push(...problems.map((text) => `${job.id}: ${text}`))
  }
  for (const key of [keys.open, keys.webhooks]) {
    const remaining = await redis.zrange(key, 0, '-1')
    if (remaining.length > 0) broken.push(`${key} still holds ${remaining}`)
  }
  const { waiting, active, nextAt } = await queue.peek()
  if (waiting.length + active.length > 0 || nextAt !== Number.POSITIVE_INFINITY)
    broken.push(`the queues still hold ${waiting} ${active}`)
  for (const provider of Object.keys(state.maxInFlight)) {
    const holders = await redis.smembers(keys.slots(provider).holders)
    if (holders.length > 0) broken.push(`slots of ${provider} are still held by ${holders}`)
  }
  broken.push(...findSharedTasks(state, records), ...(await findMoneyBroken(state, records)))
  return broken
}

function findPurchaseBroken({ server }: Ended, { job, record, purchases }: Account): string[] {
  const lossless = server.losses() === 0
  const broken: string[] = []
  if (purchases.length > 1)
    broken.push(`purchased ${purchases.length} times: ${purchases.map(({ taskId }) => taskId)}`)
  for (const { intent, taskId } of purchases) {
    if (intent === undefined) continue
    // A cancellation may be among the writes that were lost.
    if (lossless && job.canceled !== undefined && job.canceled < intent.sequence)
      broken.push(`purchased after its cancellation: ${taskId}`)
    if (record !== undefined && !job.decisions.includes('adopt') && intent.at > record.work.deadlineAt)
      broken.push(`purchased after its deadline: ${taskId}`)
  }
  return broken
}

/** Every accepted job ends, once, and its owner gets to know. */
function findEndBroken({ server, replicas }: Ended, { job, record }: Account): string[] {
  const broken: string[] = []
  const lossless = server.losses() === 0
  if (
    record === undefined &&
    job.accepted !== undefined &&
    job.removed === undefined &&
    (lossless || replicas)
  )
    broken.push('lost')
  if (record !== undefined && !isTerminal(record.view.state))
    broken.push(`has not ended: ${record.view.state}`)
  if (record?.view.state === 'canceled' && job.cancelAsked === undefined && job.accepted !== undefined)
    broken.push('canceled without a request')
  if (record === undefined) return broken
  const type = `video.${record.view.state === 'succeeded' ? 'completed' : record.view.state}`
  if (!job.received.includes(type)) broken.push(`its end was not delivered: ${job.received}`)
  const ends = new Set(job.received).size
  if (lossless && ends > 1 + job.decisions.filter((decision) => decision === 'adopt').length)
    broken.push(`different ends were delivered: ${job.received}`)
  return broken
}

/** A task belongs to one job. */
function findSharedTasks({ files }: Ended, records: ReadonlyMap<string, Job>): string[] {
  const broken: string[] = []
  const holders = new Map<string, string>()
  for (const [id, { view }] of records) {
    const task = files.files.get(view.videos?.[0]?.url ?? '')
    if (task === undefined || view.state !== 'succeeded') continue
    const other = holders.get(task)
    if (other !== undefined) broken.push(`${other} and ${id} both have the task ${task}`)
    holders.set(task, id)
  }
  return broken
}
