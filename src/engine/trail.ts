import type { Redis } from 'ioredis'
import type { Event } from './job.ts'
import type { Keys } from './keys.ts'

type Parts = {
  redis: Redis
  keys: Keys
  keepMs: number
  run(command: string, ...args: (string | number)[]): Promise<unknown>
}

/** What is written and looked up about jobs beside their records: the audit trail, the unknown ones, the overdue ones. */
export function createTrail({ redis, keys, keepMs, run }: Parts) {
  return {
    /** Writes something down about a job that has ended. */
    async noteLate(id: string, event: Event): Promise<void> {
      await run('reelgateNoteLate', keys.job(id), keys.events(id), JSON.stringify(event))
    },

    /** Puts a job before the operator's eyes: nobody knows whether its upstream took it. */
    async listUnknown(id: string, now: number): Promise<void> {
      await redis
        .multi()
        .zadd(keys.unknown, now, id)
        .zremrangebyscore(keys.unknown, '-inf', now - keepMs)
        .exec()
    },

    /** False when the job was not listed. */
    async unlistUnknown(id: string): Promise<boolean> {
      return (await redis.zrem(keys.unknown, id)) === 1
    },

    unknownIds(): Promise<string[]> {
      return redis.zrevrange(keys.unknown, 0, -1)
    },

    async events(id: string): Promise<Event[]> {
      const entries = await redis.lrange(keys.events(id), 0, -1)
      return entries.map((entry) => JSON.parse(entry) as Event)
    },

    /** The changes behind a version, oldest first. */
    async since(id: string, version: number): Promise<{ version: number; event: Event }[]> {
      const first = Math.max(version, 0)
      const entries = await redis.lrange(keys.events(id), first, -1)
      return entries.map((entry, index) => ({
        version: first + index + 1,
        event: JSON.parse(entry) as Event,
      }))
    },

    /** Ids of unfinished jobs for which something is overdue, longest first. */
    overdue(now: number, count: number): Promise<string[]> {
      return redis.zrangebyscore(keys.open, '-inf', now, 'LIMIT', 0, count)
    },

    async postpone(id: string, dueAt: number): Promise<void> {
      await redis.zadd(keys.open, 'XX', dueAt, id)
    },

    async forget(id: string): Promise<void> {
      await redis.zrem(keys.open, id)
    },
  }
}
