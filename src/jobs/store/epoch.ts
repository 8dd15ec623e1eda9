import type { Redis } from 'ioredis'
import type { Keys } from '../../redis/keys.ts'

/**
 * For scripts: `now()`, unix ms, and `purchasesPaused(epoch key, grace ms, changed)`: for how many ms nothing may be purchased yet, because another
 * server answers than before (a failover, or a restart that may have lost writes), and the server: its `run_id` and replication ID. In that time every living worker restores its attempts
 * (`engine/restore.ts`). `changed`: the caller knows that the server is another one, whatever the key says. A server that was shut down in order
 * has lost nothing. A server that hides its `run_id` is taken for the same one.
 */
export const purchasesPausedLua = `
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function purchasesPaused(epoch, graceMs, changed)
  local info = redis.pcall('INFO', 'server')
  local run = type(info) == 'string' and string.match(info, 'run_id:(%w+)')
  if not run then return 0, '' end
  -- A server that was a replica for a while has the data of its primary, though it never stopped running.
  local server = run .. ':' .. (string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)') or '')
  local known, since, clean = unpack(redis.call('HMGET', epoch, 'server', 'since', 'clean'))
  if known ~= server then
    since = (known or changed) and not clean and now() or 0
    redis.call('HSET', epoch, 'server', server, 'since', string.format('%.0f', since))
  end
  if clean then redis.call('HDEL', epoch, 'clean') end
  return math.max(0, since + graceMs - now()), server
end
`

/** KEYS epoch. ARGV grace ms, '1' when the server is known to be another one. Returns the pause and the server. */
const readEpochScript = `${purchasesPausedLua}
local pausedMs, server = purchasesPaused(KEYS[1], tonumber(ARGV[1]), ARGV[2] == '1')
return { string.format('%.0f', pausedMs), server }
`

/** Looks which server answers, and begins the pause when it is another one than before. */
export async function observeRedisServer(
  { redis, keys, graceMs }: { redis: Redis; keys: Keys; graceMs: number },
  isNewServer = false,
): Promise<{ pausedMs: number; server: string }> {
  const reply = (await redis.eval(readEpochScript, 1, keys.epoch, graceMs, isNewServer ? '1' : '0')) as [
    string,
    string,
  ]
  return { pausedMs: Number(reply[0]), server: reply[1] }
}

/** Notes that the server is about to be shut down in order: whatever starts on its file has all that it had. */
export async function markCleanShutdown(redis: Redis, keys: Keys): Promise<void> {
  await redis.hset(keys.epoch, 'clean', '1')
}
