import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import { type Job, overdueAfterMs } from '../jobs/job.ts'
import { parseView } from '../jobs/store/codec.ts'
import type { Keys } from '../redis/keys.ts'
import { defineScript, loadScript } from '../redis/script.ts'

const logAttemptScript = loadScript('webhooks/log-attempt', {
  keys: 'log webhooks job deletedJob history',
  args: 'id entryId entry maxEntries keepMs nextDueAt version',
})
const removeWebhookScript = loadScript('webhooks/remove-webhook', {
  keys: 'webhooks job deletedJob',
  args: 'id',
})

/** One line of a job's delivery log. */
export type DeliveryLogEntry = {
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

export type WebhookOutbox = ReturnType<typeof createWebhookOutbox>

const maxLogEntries = 50

/** The webhooks that are still to be delivered, and what became of each attempt. */
export function createWebhookOutbox({ redis, keys, keepMs }: { redis: Redis; keys: Keys; keepMs: number }) {
  const logAttemptInRedis = defineScript(redis, 'reelgateNoteAttempt', logAttemptScript)
  const removeInRedis = defineScript(redis, 'reelgateDropWebhook', removeWebhookScript)

  const readLog = async (id: string): Promise<DeliveryLogEntry[]> => {
    const lines = await redis.lrange(keys.webhookLog(id), 0, -1)
    return lines.map((line) => JSON.parse(line) as DeliveryLogEntry)
  }

  return {
    log: readLog,

    async isOpen(id: string): Promise<boolean> {
      return (await redis.zscore(keys.webhooks, id)) !== null
    },

    /** Writes an attempt down, once. `nextAt`: when the next one is due; without it, this was the last attempt. */
    async logAttempt(id: string, entry: DeliveryLogEntry): Promise<void> {
      const entryId = randomUUID()
      await logAttemptInRedis({
        keys: {
          log: keys.webhookLog(id),
          webhooks: keys.webhooks,
          job: keys.job(id),
          deletedJob: keys.deletedJob(id),
          history: keys.history(id),
        },
        args: {
          id,
          entryId,
          entry: JSON.stringify({ ...entry, id: entryId }),
          maxEntries: maxLogEntries,
          keepMs,
          nextDueAt: entry.nextAt === undefined ? '' : entry.nextAt + overdueAfterMs,
          version: entry.version ?? '',
        },
      })
    },

    /** What is left of a job that was deleted before its webhook was delivered. */
    async readDeletedJob(id: string): Promise<Pick<Job, 'owner' | 'view' | 'webhook'> | undefined> {
      const { owner, view, version, webhook, address } = await redis.hgetall(keys.deletedJob(id))
      if (owner === undefined || view === undefined || webhook === undefined) return undefined
      return { owner, view: parseView(view, version), webhook: { url: webhook, baseUrl: address ?? '' } }
    },

    async postpone(id: string, until: number): Promise<void> {
      await redis.zadd(keys.webhooks, 'XX', until + overdueAfterMs, id)
    },

    /** Forgets a webhook, unless its job has ended meanwhile. */
    async remove(id: string): Promise<void> {
      await removeInRedis({
        keys: { webhooks: keys.webhooks, job: keys.job(id), deletedJob: keys.deletedJob(id) },
        args: { id },
      })
    },

    listOverdue(now: number, count: number): Promise<string[]> {
      return redis.zrangebyscore(keys.webhooks, '-inf', now, 'LIMIT', 0, count)
    },

    /** Nothing more goes to a destination that has said 410, until its owner replays something to it. */
    async disable(owner: string, url: string, at: number): Promise<void> {
      await redis.hset(keys.webhooksGone(owner), url, at)
      await redis.pexpire(keys.webhooksGone(owner), disabledRetentionMs)
    },

    async enable(owner: string, url: string): Promise<void> {
      await redis.hdel(keys.webhooksGone(owner), url)
    },

    async isDisabled(owner: string, url: string): Promise<boolean> {
      return (await redis.hexists(keys.webhooksGone(owner), url)) === 1
    },

    /** Where an owner's webhooks go when a job names no address. */
    async readDefaultUrl(owner: string): Promise<string | undefined> {
      return (await redis.hget(keys.account(owner), 'webhook')) ?? undefined
    },

    async setDefaultUrl(owner: string, url: string | undefined): Promise<void> {
      if (url === undefined) await redis.hdel(keys.account(owner), 'webhook')
      else await redis.hset(keys.account(owner), 'webhook', url)
    },
  }
}

/** A destination that was disabled this long ago, and not since, may be tried again. */
const disabledRetentionMs = 90 * 86_400_000
