import { type Redis, ReplyError } from 'ioredis'
import type { Input } from '../../../providers/input.ts'
import { ledgerRetentionMs, toMicros, utcDayOf } from '../../accounts/money.ts'
import { createBatcher } from '../../redis/batch.ts'
import type { Keys } from '../../redis/keys.ts'
import { toRedisError } from '../../redis/redis-unavailable.ts'
import type { HistoryEntry, IdempotencyKey, JobView, JobWork, RequestedWebhook } from '../job.ts'
import { type CreateResult, parseCreateResult } from './codec.ts'
import { checkRecordSize } from './record-size.ts'
import * as scripts from './scripts.ts'

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

/** Worth a command; more of them would keep Redis idle until the last one has been read. */
const maxBatch = 4

/** Less than a command may take: what Redis executes later, the client has been told that it was not accepted. */
const executionTimeoutMs = 1500

type JobWriterOptions = {
  redis: Redis
  keys: Keys
  keepMs: number
  recordMaxBytes: number
  now: () => number
}

type ScriptCall = { keys: string[]; args: (string | number)[] }

/**
 * Writes the records, reserves their prices and queues their first steps: each of them whole, or nothing of it. Rejects with `RecordTooLarge` before
 * Redis is asked.
 */
export function createJobWriter({
  redis,
  keys,
  keepMs,
  recordMaxBytes,
  now,
}: JobWriterOptions): (order: NewJobRecord) => Promise<CreateResult> {
  redis.defineCommand('reelgateAccept', { lua: scripts.createJobsScript })
  const { reelgateAccept } = redis as unknown as {
    reelgateAccept(keys: number, ...args: (string | number)[]): Promise<string[][]>
  }

  const writeJobs = createBatcher(
    redis,
    maxBatch,
    async (calls: readonly ScriptCall[]): Promise<(CreateResult | Error)[]> => {
      const replies = await reelgateAccept.call(
        redis,
        calls.length * scripts.keysPerJob,
        ...calls.flatMap((call) => call.keys),
        keepMs,
        now() - ledgerRetentionMs,
        ledgerRetentionMs,
        now() + executionTimeoutMs,
        ...calls.flatMap(({ args }) => args),
      )
      return replies.map(([kind = '', ...fields]) =>
        kind === 'error' ? toRedisError(new ReplyError(fields[0])) : parseCreateResult([kind, ...fields]),
      )
    },
  )
  return async (record) =>
    writeJobs({ keys: listKeys(keys, record), args: listArguments(keys, record, recordMaxBytes) })
}

function listKeys(keys: Keys, { view, owner, idempotencyKey }: NewJobRecord): string[] {
  return [
    keys.job(view.id),
    keys.open,
    keys.ownerJobs(owner),
    keys.history(view.id),
    keys.account(owner),
    keys.ledger(owner),
    keys.usage(owner, utcDayOf(view.createdAt)),
    keys.idempotencyKey(owner, idempotencyKey?.key ?? ''),
  ]
}

function listArguments(keys: Keys, record: NewJobRecord, recordMaxBytes: number): (string | number)[] {
  const {
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
  } = record
  const entry: HistoryEntry = { at: view.createdAt, state: view.state, progress: 0 }
  const texts = [JSON.stringify({ ...view, version: undefined }), JSON.stringify(input), JSON.stringify(work)]
  const { url = '', baseUrl = '' } = webhook ?? {}
  checkRecordSize([...texts, owner, callbackSecret, url, baseUrl], input, recordMaxBytes)
  return [
    view.id,
    view.createdAt,
    dueAt,
    owner,
    ...texts,
    JSON.stringify(entry),
    callbackSecret,
    // The price is shown, but nobody is charged for what a mock upstream renders.
    view.sandbox === true ? 0 : toMicros(view.costUsd),
    view.model,
    idempotencyKey?.fingerprint ?? '',
    JSON.stringify(warnings),
    url,
    baseUrl,
    keys.queuePrefix(queue),
    view.sandbox === true ? '1' : '',
  ]
}
