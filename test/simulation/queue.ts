import type { Redis } from 'ioredis'
import type { Queues } from '../../src/jobs/queues.ts'
import type { RedisServer } from './redis-server.ts'
import type { Actor, World } from './world.ts'

/**
 * The queues, with BullMQ's keys and its behavior as far as the engine depends on it, on virtual time: an entry waits, is delayed, or is
 * active under the token of the step that holds it. The engine's scripts add entries to the same keys.
 */
const prelude = `
local prefix, now = ARGV[1], ARGV[2]
local function key(queue, what) return prefix .. queue .. ':' .. what end
local function add(queue, id, at)
  if redis.call('EXISTS', key(queue, id)) == 1 then return end
  redis.call('HSET', key(queue, id), 'name', 'step', 'data', '{"id":"' .. id .. '"}', 'timestamp', now)
  if tonumber(at) > tonumber(now) then redis.call('ZADD', key(queue, 'delayed'), at, id)
  else redis.call('LPUSH', key(queue, 'wait'), id) end
end
local function release(queue, id, token)
  if redis.call('HGET', key(queue, id), 'token') ~= token then return false end
  redis.call('LREM', key(queue, 'active'), 1, id)
  redis.call('HDEL', key(queue, id), 'token')
  return true
end
`

const scripts = {
  add: 'add(ARGV[3], ARGV[4], ARGV[5])',
  take: `
local id = redis.call('RPOP', key(ARGV[3], 'wait'))
if not id then return false end
redis.call('LPUSH', key(ARGV[3], 'active'), id)
redis.call('HSET', key(ARGV[3], id), 'token', ARGV[4])
return { id, redis.call('HGET', key(ARGV[3], id), 'timestamp') }`,
  delay: `if not release(ARGV[3], ARGV[4], ARGV[5]) then return 0 end
redis.call('ZADD', key(ARGV[3], 'delayed'), ARGV[6], ARGV[4]) return 1`,
  complete: `if not release(ARGV[3], ARGV[4], ARGV[5]) then return 0 end
redis.call('DEL', key(ARGV[3], ARGV[4])) return 1`,
  bringForward: `
if redis.call('ZREM', key(ARGV[3], 'delayed'), ARGV[4]) == 1 then redis.call('LPUSH', key(ARGV[3], 'wait'), ARGV[4])
else add(ARGV[3], ARGV[4], now) end`,
  requeue: `if release(ARGV[3], ARGV[4], ARGV[5]) then redis.call('RPUSH', key(ARGV[3], 'wait'), ARGV[4]) end`,
  peek: `
local waiting, active, nextAt = {}, {}, false
for n = 5, #ARGV do
  local queue = ARGV[n]
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key(queue, 'delayed'), '-inf', now)) do
    redis.call('ZREM', key(queue, 'delayed'), id)
    redis.call('LPUSH', key(queue, 'wait'), id)
  end
  local length = redis.call('LLEN', key(queue, 'wait'))
  for _ = 1, length do waiting[#waiting + 1] = queue end
  local first = redis.call('ZRANGE', key(queue, 'delayed'), 0, 0, 'WITHSCORES')[2]
  if first and (not nextAt or tonumber(first) < tonumber(nextAt)) then nextAt = first end
  for _, id in ipairs(redis.call('LRANGE', key(queue, 'active'), 0, -1)) do
    active[#active + 1] = queue .. ' ' .. id .. ' ' .. (redis.call('HGET', key(queue, id), 'token') or '')
  end
end
local function due(set) return redis.call('ZRANGE', set, 0, 0, 'WITHSCORES')[2] or '' end
return { waiting, active, nextAt or '', due(ARGV[3]), due(ARGV[4]) }`,
}

type Script = keyof typeof scripts

export type Entry = { queue: string; id: string; token: string; addedAt: number }

export type QueueServer = ReturnType<typeof createQueueServer>

export function createQueueServer(
  world: World,
  redis: Redis,
  { prefix, due, names }: { prefix: string; due: readonly [string, string]; names: readonly string[] },
) {
  for (const [name, lua] of Object.entries(scripts))
    redis.defineCommand(`sim_${name}`, { lua: prelude + lua, numberOfKeys: 0 })
  const run = (name: Script, ...args: (string | number)[]): Promise<unknown> =>
    (redis as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>)[`sim_${name}`]?.(
      prefix,
      world.now(),
      ...args,
    ) ?? Promise.reject(new Error(`no script ${name}`))
  const time = (text: string) => (text === '' ? Number.POSITIVE_INFINITY : Number(text))
  return {
    run,
    /** What waits (the queue of each entry), what is active (`queue id token`), when the next delayed entry and the next overdue job are due. */
    async peek() {
      const [waiting, active, nextAt, ...dueAt] = (await run('peek', ...due, ...names)) as [
        string[],
        string[],
        string,
        string,
        string,
      ]
      return { waiting, active, nextAt: time(nextAt), dueAt: Math.min(...dueAt.map(time)) }
    },
  }
}

/** The queues as one actor sees them. */
export function createQueueClient(
  world: World,
  actor: Actor,
  { queue, server }: { queue: QueueServer; server: RedisServer },
) {
  const call = (name: Script, ...args: (string | number)[]) =>
    world.call(actor, { type: 'queue', label: `queue ${name} ${args.slice(0, 2).join(' ')}` }, (hits) =>
      server.execute({ changes: true, hits }, () => queue.run(name, ...args)),
    )
  return {
    async take(name: string, token: string): Promise<Entry | undefined> {
      const taken = (await call('take', name, token)) as [string, string] | null
      return taken === null ? undefined : { queue: name, id: taken[0], token, addedAt: Number(taken[1]) }
    },
    delay: ({ queue: name, id, token }: Entry, at: number) => call('delay', name, id, token, at),
    complete: ({ queue: name, id, token }: Entry) => call('complete', name, id, token),
    requeue: ({ queue: name, id, token }: Pick<Entry, 'queue' | 'id' | 'token'>) =>
      call('requeue', name, id, token),

    /** What the engine knows of the queues. */
    asQueues: (): Queues => ({
      waitUntilReady: async () => [],
      add: async (name, id, delayMs = 0) =>
        void (await call('add', name, id, delayMs === 0 ? 0 : actor.now() + delayMs)),
      bringForward: async (name, id) => void (await call('bringForward', name, id)),
      close: async () => undefined,
    }),
  }
}

export type QueueClient = ReturnType<typeof createQueueClient>
