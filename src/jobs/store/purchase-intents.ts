import type { Redis } from 'ioredis'
import type { Keys } from '../../redis/keys.ts'
import type { Job } from '../job.ts'
import { attemptMarker } from './codec.ts'
import { purchasesPausedLua } from './epoch.ts'
import type { Transition } from './store.ts'

/**
 * KEYS job, open, history, epoch, identical requests. ARGV id, fence, deadline (unix ms), view, work, attempt, history entry, open score, channel,
 * failover grace ms, attempt's time, keep ms of identical requests (0: not recorded).
 * Stores the intent to purchase, in the one moment in which nothing speaks against it. Returns 'stored' and the server, or why not: 'stale' (another step has the
 * job), 'canceled', 'expired', or 'paused' and for how many ms.
 */
const storeIntentScript = `${purchasesPausedLua}
local job = KEYS[1]
local state, fence, cancel, attempt = unpack(redis.call('HMGET', job, 'state', 'fence', 'cancel', 'attempt'))
if fence ~= ARGV[2] then return { 'stale' } end
local pausedMs, server = purchasesPaused(KEYS[4], tonumber(ARGV[10]), false)
-- Executed a second time, since the reply to the first was lost.
if state == 'submitting' and attempt == ARGV[6] then return { 'stored', server } end
if state ~= 'pending' then return { 'stale' } end
if pausedMs > 0 then return { 'paused', pausedMs } end
if cancel then return { 'canceled' } end
if now() > tonumber(ARGV[3]) then return { 'expired' } end
redis.call('HSET', job, 'state', 'submitting', 'view', ARGV[4], 'work', ARGV[5], 'attempt', ARGV[6])
redis.call('ZADD', KEYS[2], ARGV[8], ARGV[1])
if tonumber(ARGV[12]) > 0 then
  redis.call('ZADD', KEYS[5], ARGV[11], ARGV[1])
  redis.call('PEXPIRE', KEYS[5], ARGV[12])
end
local version = redis.call('HINCRBY', job, 'version', 1)
redis.call('RPUSH', KEYS[3], ARGV[7])
redis.call('PUBLISH', ARGV[9], version .. ' ' .. ARGV[4])
return { 'stored', server }
`

export type IntentResult =
  | { kind: 'stored'; server: string }
  | { kind: 'paused'; ms: number }
  | { kind: 'stale' | 'canceled' | 'expired' }

type Options = { redis: Redis; keys: Keys; graceMs: number }

export function createIntentWriter({ redis, keys, graceMs }: Options) {
  redis.defineCommand('reelgateStoreIntent', { lua: storeIntentScript, numberOfKeys: 5 })
  const commands = redis as unknown as {
    reelgateStoreIntent(...args: (string | number)[]): Promise<[IntentResult['kind'], (string | number)?]>
  }

  /** `identical`: where the job waits for a reply to a request that others may make exactly so, and for how long. */
  return async function storeIntent(
    job: Job,
    { view, work, entry, dueAt = 0 }: Transition,
    identical: { fingerprint: string; forMs: number },
  ): Promise<IntentResult> {
    const { attempt } = work
    if (attempt === undefined) throw new Error('an intent has an attempt')
    const [kind, detail = ''] = await commands.reelgateStoreIntent(
      keys.job(view.id),
      keys.open,
      keys.history(view.id),
      keys.epoch,
      keys.identicalRequests(attempt.provider, identical.fingerprint),
      view.id,
      job.leaseToken,
      work.deadlineAt,
      JSON.stringify({ ...view, version: undefined }),
      JSON.stringify(work),
      attemptMarker(attempt),
      JSON.stringify(entry),
      dueAt,
      keys.channel(view.id),
      graceMs,
      attempt.at,
      identical.forMs,
    )
    if (kind === 'stored') return { kind, server: String(detail) }
    return kind === 'paused' ? { kind, ms: Number(detail) } : { kind }
  }
}
