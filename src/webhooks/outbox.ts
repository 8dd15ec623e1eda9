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
  /** The ID of this line; absent from lines of version 0.1. */
  id?: string
  /** The version of the job when it ended; absent from lines of version 0.1. */
  version?: number
  at: number
  /** `failed` is retried; `gave_up`, `gone` (the destination returned 410) and `disabled` (it returned 410 earlier) are not. */
  outcome: 'delivered' | 'failed' | 'gave_up' | 'gone' | 'disabled' | 'replayed'
  /** The HTTP status of the response. */
  status?: number
  /** Why there was no response. */
  error?: string
  tookMs?: number
  nextAt?: number
}

export type WebhookOutbox = ReturnType<typeof createWebhookOutbox>

const maxLogEntries = 50

/** The pending webhooks and their delivery logs. */
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

    /** Logs an attempt, once. `nextAt`: when the next one is due; absent: this was the last attempt. */
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

    /** The stored part of a job that was deleted before its webhook was delivered. */
    async readDeletedJob(id: string): Promise<Pick<Job, 'owner' | 'view' | 'webhook'> | undefined> {
      const { owner, view, version, webhook, address } = await redis.hgetall(keys.deletedJob(id))
      if (owner === undefined || view === undefined || webhook === undefined) return undefined
      return { owner, view: parseView(view, version), webhook: { url: webhook, baseUrl: address ?? '' } }
    },

    async postpone(id: string, until: number): Promise<void> {
      await redis.zadd(keys.webhooks, 'XX', until + overdueAfterMs, id)
    },

    /** Removes a pending webhook, unless its job has ended meanwhile. */
    async remove(id: string): Promise<void> {
      await removeInRedis({
        keys: { webhooks: keys.webhooks, job: keys.job(id), deletedJob: keys.deletedJob(id) },
        args: { id },
      })
    },

    listOverdue(now: number, count: number): Promise<string[]> {
      return redis.zrangebyscore(keys.webhooks, '-inf', now, 'LIMIT', 0, count)
    },

    /** Stops deliveries to a destination that returned 410, until its owner replays a webhook to it. */
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

    /** The destination of an owner's webhooks if a job has no URL of its own. */
    async readDefaultUrl(owner: string): Promise<string | undefined> {
      return (await redis.hget(keys.account(owner), 'webhook')) ?? undefined
    },

    async setDefaultUrl(owner: string, url: string | undefined): Promise<void> {
      if (url === undefined) await redis.hdel(keys.account(owner), 'webhook')
      else await redis.hset(keys.account(owner), 'webhook', url)
    },
  }
}

/** After this time, a disabled destination is tried again. */
const disabledRetentionMs = 90 * 86_400_000
