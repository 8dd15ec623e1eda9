import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import { type Job, overdueMs } from '../jobs/job.ts'
import { readView } from '../jobs/store/codec.ts'
import type { Keys } from '../redis/keys.ts'
import * as scripts from './outbox-scripts.ts'

/** One line of a job's delivery log. */
export type Entry = {
  /** Of this line; absent from those of version 0.1. */
  id?: string
  /** The version of the job whose end it is about; absent from those of version 0.1. */
  version?: number
  at: number
  /** `failed` is tried again; `gave_up`, `gone` (the destination said 410) and `disabled` (it had said so before) are not. */
  outcome: 'delivered' | 'failed' | 'gave_up' | 'gone' | 'disabled' | 'replayed'
  /** What the destination answered. */
  status?: number
  /** Why it answered nothing. */
  error?: string
  tookMs?: number
  nextAt?: number
}

export type Outbox = ReturnType<typeof createOutbox>

const mostEntries = 50

/** The webhooks that are still to be delivered, and what became of each attempt. */
export function createOutbox({ redis, keys, keepMs }: { redis: Redis; keys: Keys; keepMs: number }) {
  redis.defineCommand('reelgateNoteAttempt', { lua: scripts.note, numberOfKeys: 5 })
  redis.defineCommand('reelgateDropWebhook', { lua: scripts.drop, numberOfKeys: 3 })
  const commands = redis as unknown as Record<
    'reelgateNoteAttempt' | 'reelgateDropWebhook',
    (...args: (string | number)[]) => Promise<number>
  >

  const log = async (id: string): Promise<Entry[]> => {
    const lines = await redis.lrange(keys.webhookLog(id), 0, -1)
    return lines.map((line) => JSON.parse(line) as Entry)
  }

  return {
    log,

    async isOpen(id: string): Promise<boolean> {
      return (await redis.zscore(keys.webhooks, id)) !== null
    },

    /** Writes an attempt down, once. `nextAt`: when the next one is due; without it, this was the last attempt. */
    async note(id: string, entry: Entry): Promise<void> {
      const entryId = randomUUID()
      await commands.reelgateNoteAttempt(
        keys.webhookLog(id),
        keys.webhooks,
        keys.job(id),
        keys.deletedJob(id),
        keys.events(id),
        id,
        entryId,
        JSON.stringify({ ...entry, id: entryId }),
        mostEntries,
        keepMs,
        entry.nextAt === undefined ? '' : entry.nextAt + overdueMs,
        entry.version ?? '',
      )
    },

    /** What is left of a job that was deleted before its webhook was delivered. */
    async deletedJob(id: string): Promise<Pick<Job, 'owner' | 'view' | 'webhook'> | undefined> {
      const { owner, view, version, webhook, address } = await redis.hgetall(keys.deletedJob(id))
      if (owner === undefined || view === undefined || webhook === undefined) return undefined
      return { owner, view: readView(view, version), webhook: { url: webhook, address: address ?? '' } }
    },

    async postpone(id: string, until: number): Promise<void> {
      await redis.zadd(keys.webhooks, 'XX', until + overdueMs, id)
    },

    /** Forgets a webhook, unless its job has ended meanwhile. */
    async drop(id: string): Promise<void> {
      await commands.reelgateDropWebhook(keys.webhooks, keys.job(id), keys.deletedJob(id), id)
    },

    overdue(now: number, count: number): Promise<string[]> {
      return redis.zrangebyscore(keys.webhooks, '-inf', now, 'LIMIT', 0, count)
    },

    /** Nothing more goes to a destination that has said 410, until its owner replays something to it. */
    async disable(owner: string, url: string, at: number): Promise<void> {
      await redis.hset(keys.webhooksGone(owner), url, at)
      await redis.pexpire(keys.webhooksGone(owner), goneKeptMs)
    },

    async enable(owner: string, url: string): Promise<void> {
      await redis.hdel(keys.webhooksGone(owner), url)
    },

    async isDisabled(owner: string, url: string): Promise<boolean> {
      return (await redis.hexists(keys.webhooksGone(owner), url)) === 1
    },

    /** Where an owner's webhooks go when a job names no address. */
    async usual(owner: string): Promise<string | undefined> {
      return (await redis.hget(keys.account(owner), 'webhook')) ?? undefined
    },

    async setUsual(owner: string, url: string | undefined): Promise<void> {
      if (url === undefined) await redis.hdel(keys.account(owner), 'webhook')
      else await redis.hset(keys.account(owner), 'webhook', url)
    },
  }
}

/** A destination that was disabled this long ago, and not since, may be tried again. */
const goneKeptMs = 90 * 86_400_000
