import type { Redis } from 'ioredis'
import type { Keys } from '../../redis/keys.ts'
import { loadScript, runScript } from '../../redis/script.ts'

const observeServerScript = loadScript('jobs/observe-server', { keys: 'epoch', args: 'graceMs isNewServer' })

/**
 * Checks which Redis server answers, and begins the pause of purchases when it is another one than before. `isNewServer`: the caller knows that it is.
 */
export async function observeRedisServer(
  { redis, keys, graceMs }: { redis: Redis; keys: Keys; graceMs: number },
  isNewServer = false,
): Promise<{ pausedMs: number; server: string }> {
  const reply = await runScript(redis, observeServerScript, {
    keys: { epoch: keys.epoch },
    args: { graceMs, isNewServer: isNewServer ? '1' : '0' },
  })
  const [pausedMs, server] = reply as [string, string]
  return { pausedMs: Number(pausedMs), server }
}

/** Records that the server is about to be shut down in an orderly way: what starts from its file has lost nothing. */
export async function markCleanShutdown(redis: Redis, keys: Keys): Promise<void> {
  await redis.hset(keys.epoch, 'clean', '1')
}
