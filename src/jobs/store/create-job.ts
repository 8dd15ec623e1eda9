import { type Redis, ReplyError } from 'ioredis'
import type { Input } from '../../../providers/input.ts'
import { booksKeptMs, dayOf, toMicros } from '../../accounts/money.ts'
import { createBatcher } from '../../redis/batch.ts'
import type { Keys } from '../../redis/keys.ts'
import type { Asked, Event, Once, View, Work } from '../job.ts'
import { type Acceptance, readAcceptance } from './codec.ts'
import { checkRecordSize } from './record-size.ts'
import * as scripts from './scripts.ts'

export type NewJob = {
  view: View
  owner: string
  input: Input
  work: Work
  hint: string
  dueAt: number
  once?: Once
  warnings?: readonly string[]
  webhook?: Asked
  /** Where its first step is queued. */
  queue: string
}

/** Worth a command; more of them would keep Redis idle until the last one has been read. */
const mostTogether = 4

/** Less than a command may take: what Redis executes later, the client has been told that it was not accepted. */
const patienceMs = 1500

type Parts = { redis: Redis; keys: Keys; keepMs: number; recordMaxBytes: number; now: () => number }

type Prepared = { keys: string[]; args: (string | number)[] }

/**
 * Writes the records, reserves their prices and queues their first steps: each of them whole, or nothing of it. Rejects with `RecordTooLarge` before
 * Redis is asked.
 */
export function createAccepting({
  redis,
  keys,
  keepMs,
  recordMaxBytes,
  now,
}: Parts): (order: NewJob) => Promise<Acceptance> {
  redis.defineCommand('reelgateAccept', { lua: scripts.accept })
  const { reelgateAccept } = redis as unknown as {
    reelgateAccept(keys: number, ...args: (string | number)[]): Promise<string[][]>
  }

  const store = createBatcher(
    redis,
    mostTogether,
    async (orders: readonly Prepared[]): Promise<(Acceptance | Error)[]> => {
      const answers = await reelgateAccept.call(
        redis,
        orders.length * scripts.keysAnOrder,
        ...orders.flatMap((order) => order.keys),
        keepMs,
        now() - booksKeptMs,
        booksKeptMs,
        now() + patienceMs,
        ...orders.flatMap(({ args }) => args),
      )
      return answers.map(([kind = '', ...told]) =>
        kind === 'error' ? new ReplyError(told[0]) : readAcceptance([kind, ...told]),
      )
    },
  )
  return async (order) => store({ keys: keysOf(keys, order), args: argumentsOf(keys, order, recordMaxBytes) })
}

function keysOf(keys: Keys, { view, owner, once }: NewJob): string[] {
  return [
    keys.job(view.id),
    keys.open,
    keys.owner(owner),
    keys.events(view.id),
    keys.account(owner),
    keys.ledger(owner),
    keys.usage(owner, dayOf(view.createdAt)),
    keys.once(owner, once?.key ?? ''),
  ]
}

function argumentsOf(keys: Keys, order: NewJob, recordMaxBytes: number): (string | number)[] {
  const { view, owner, input, work, hint, dueAt, once, warnings = [], webhook, queue } = order
  const event: Event = { at: view.createdAt, state: view.state, progress: 0 }
  const texts = [JSON.stringify({ ...view, version: undefined }), JSON.stringify(input), JSON.stringify(work)]
  const { url = '', address = '' } = webhook ?? {}
  checkRecordSize([...texts, owner, hint, url, address], input, recordMaxBytes)
  return [
    view.id,
    view.createdAt,
    dueAt,
    owner,
    ...texts,
    JSON.stringify(event),
    hint,
    // The price is shown, but nobody is charged for what a mock upstream renders.
    view.sandbox === true ? 0 : toMicros(view.costUsd),
    view.model,
    once?.fingerprint ?? '',
    JSON.stringify(warnings),
    url,
    address,
    keys.queue(queue),
    view.sandbox === true ? '1' : '',
  ]
}
