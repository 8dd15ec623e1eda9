import type { Redis } from 'ioredis'
import { request } from 'undici'
import type { MockTask } from './mock-upstream.ts'

type Deps = { redis: Redis; prefix: string; now: () => number; keepSeconds: number }

/** Most callbacks of ended processes that are made at once. */
const batch = 100

/**
 * Calls the hook of a task when its render ends. A callback waits in Redis, so that another process makes it if this one has ended by then:
 * the next time that it makes one of its own.
 */
export function createCallbacks({ redis, prefix, now, keepSeconds }: Deps) {
  const key = `${prefix}sandbox:callbacks`

  /** Whoever removes the entry makes the call. */
  async function callOnce(entry: string): Promise<void> {
    if ((await redis.zrem(key, entry)) !== 1) return
    const { hook, body } = JSON.parse(entry) as { hook: string; body: unknown }
    const reply = await request(hook, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    await reply.body.dump()
  }

  async function callOverdue(): Promise<void> {
    const entries = await redis.zrangebyscore(key, '-inf', now(), 'LIMIT', 0, batch)
    await Promise.allSettled(entries.map(callOnce))
  }

  return {
    async schedule({ id, hook, body: { state } }: MockTask, delayMs: number): Promise<void> {
      if (hook === undefined) return
      // The task's ID as every upstream spells it: a callback is only a reason to poll.
      const body = { id, request_id: id, taskUUID: id, state, status: 'done' }
      const entry = JSON.stringify({ hook, body })
      await redis
        .multi()
        .zadd(key, now() + delayMs, entry)
        .expire(key, keepSeconds)
        .exec()
      const call = () => Promise.allSettled([callOnce(entry), callOverdue()])
      setTimeout(() => void call(), delayMs).unref()
    },
  }
}
