import { type Redis, ReplyError } from 'ioredis'
import type { Input } from '../../../providers/input.ts'
import { ledgerRetentionMs, toMicros, utcDayOf } from '../../accounts/money.ts'
import { createBatcher } from '../../redis/batch.ts'
import type { Keys } from '../../redis/keys.ts'
import { toRedisError } from '../../redis/redis-unavailable.ts'
import { defineBatchScript, loadBatchScript } from '../../redis/script.ts'
import type { HistoryEntry, IdempotencyKey, JobView, JobWork, RequestedWebhook } from '../job.ts'
import { type CreateResult, parseCreateResult } from './codec.ts'
import { checkRecordSize } from './record-size.ts'

export type NewJobRecord = {
  view: JobView
  owner: string
  input: Input
  work: JobWork
  callbackSecret: string
  dueAt: number
  idempotencyKey?: IdempotencyKey
  warnings?: readonly string[]
  webhook?: RequestedWebhook
  /** Where its first step is queued. */
  queue: string
}

const createJobsScript = loadBatchScript('jobs/create-jobs', {
  args: 'keepMs oldestMovement ledgerKeepMs idempotencyKeepMs executeBefore',
  each: {
    keys: 'job open ownerJobs history account ledger usage idempotencyKey',
    args: 'id createdAt dueAt owner view input work entry callbackSecret price model fingerprint warnings webhookUrl webhookBaseUrl queue sandbox',
  },
})

/** Enough to save round trips. With more, Redis would be idle until the last request has been read. */
const maxBatch = 4

/** Less than the timeout of a command: after that, the client has received an error. */
const executionTimeoutMs = 1500

/** How long the first reply to an idempotency key is repeated. */
const idempotencyKeepMs = 86_400_000

type JobWriterOptions = {
  redis: Redis
  keys: Keys
  keepMs: number
  recordMaxBytes: number
  now: () => number
}

type ScriptItem = ReturnType<typeof toScriptItem>

/**
 * Writes the record of a job, reserves its price and queues its first step in one atomic write. Rejects with `RecordTooLarge` before it calls Redis. Jobs
 * that are created at the same time share a command.
 */
export function createJobWriter({
  redis,
  keys,
  keepMs,
  recordMaxBytes,
  now,
}: JobWriterOptions): (record: NewJobRecord) => Promise<CreateResult> {
  const createJobs = defineBatchScript(redis, 'reelgateAccept', createJobsScript)

  const writeJobs = createBatcher(
    redis,
    maxBatch,
    async (items: readonly ScriptItem[]): Promise<(CreateResult | Error)[]> => {
      const replies = await createJobs<string[]>({
        args: {
          keepMs,
          oldestMovement: now() - ledgerRetentionMs,
          ledgerKeepMs: ledgerRetentionMs,
          idempotencyKeepMs,
          executeBefore: now() + executionTimeoutMs,
        },
        items,
      })
      return replies.map(([kind = '', ...fields]) =>
        kind === 'error' ? toRedisError(new ReplyError(fields[0])) : parseCreateResult([kind, ...fields]),
      )
    },
  )
  return async (record) => writeJobs(toScriptItem(keys, record, recordMaxBytes))
}

function toScriptItem(
  keys: Keys,
  {
    view,
    owner,
    input,
    work,
    callbackSecret,
    dueAt,
    idempotencyKey,
    warnings = [],
    webhook,
    queue,
  }: NewJobRecord,
  recordMaxBytes: number,
) {
  const entry: HistoryEntry = { at: view.createdAt, state: view.state, progress: 0 }
  const json = {
    view: JSON.stringify({ ...view, version: undefined }),
    input: JSON.stringify(input),
    work: JSON.stringify(work),
  }
  const { url = '', baseUrl = '' } = webhook ?? {}
  checkRecordSize([...Object.values(json), owner, callbackSecret, url, baseUrl], input, recordMaxBytes)
  return {
    keys: {
      job: keys.job(view.id),
      open: keys.open,
      ownerJobs: keys.ownerJobs(owner),
      history: keys.history(view.id),
      account: keys.account(owner),
      ledger: keys.ledger(owner),
      usage: keys.usage(owner, utcDayOf(view.createdAt)),
      idempotencyKey: keys.idempotencyKey(owner, idempotencyKey?.key ?? ''),
    },
    args: {
      id: view.id,
      createdAt: view.createdAt,
      dueAt,
      owner,
      ...json,
      entry: JSON.stringify(entry),
      callbackSecret,
      // The price is shown, but nobody pays for what a mock upstream renders.
      price: view.sandbox === true ? 0 : toMicros(view.costUsd),
      model: view.model,
      fingerprint: idempotencyKey?.fingerprint ?? '',
      warnings: JSON.stringify(warnings),
      webhookUrl: url,
      webhookBaseUrl: baseUrl,
      queue: keys.queuePrefix(queue),
      sandbox: view.sandbox === true ? '1' : '',
    },
  }
}
