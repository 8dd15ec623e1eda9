import { type ChainableCommander, type Redis, ReplyError } from 'ioredis'
import type { CallType, Hit } from './faults.ts'
import type { Actor, World } from './world.ts'

/** Commands that change nothing; a Redis that refuses writes carries them out. */
const reads = new Set(
  'get mget hget hmget hgetall hexists exists lrange llen zrange zrevrange zrangebyscore zscore zcard smembers sismember scard xrevrange xrange ping info time pttl reelgateOwned'.split(
    ' ',
  ),
)

const snapshot = `
redis.call('SELECT', 1) redis.call('FLUSHDB') redis.call('SELECT', 0)
for _, key in ipairs(redis.call('KEYS', '*')) do redis.call('COPY', key, key, 'DB', 1) end`

const restore = `
redis.call('SELECT', 0) redis.call('FLUSHDB') redis.call('SELECT', 1)
for _, key in ipairs(redis.call('KEYS', '*')) do redis.call('COPY', key, key, 'DB', 0) end`

const refusals: Readonly<Record<string, string>> = {
  OOM: "OOM command not allowed when used memory > 'maxmemory'.",
  READONLY: "READONLY You can't write against a read only replica.",
  NOREPLICAS: 'NOREPLICAS Not enough good replicas to write.',
  MISCONF: 'MISCONF Redis is configured to save RDB snapshots, but it is unable to persist to disk.',
}

/** A point in a run. */
export type Moment = { sequence: number; at: number }

export type RedisServer = ReturnType<typeof createRedisServer>

/** What happens to the one real Redis of a run: refused writes, writes lost by going back to a snapshot. */
export function createRedisServer(world: World, redis: Redis) {
  let refusal = ''
  let refusesUntil = 0
  let taken = false
  let generation = 0
  const written = new Map<string, Moment>()

  world.onFault(async (hit: Hit) => {
    if (hit.kind === 'redisRefuses') {
      refusal = refusals[hit.error ?? ''] ?? 'OOM'
      refusesUntil = world.now() + (hit.ms ?? 0)
    }
    if (hit.kind !== 'redisLosesWrites') return
    if (hit.snapshot) {
      await redis.eval(snapshot, 0)
      taken = true
    } else if (taken) {
      await redis.eval(restore, 0)
      generation += 1
    }
  })

  return {
    /** Grows each time that writes were lost: a server with another identity. */
    generation: () => generation,

    /** When an actor has last written the record of a job. */
    lastWrite: (actor: Actor, jobId: string) => written.get(`${actor.name} ${jobId}`),
    noteWrite(actor: Actor, jobId: string): void {
      written.set(`${actor.name} ${jobId}`, { sequence: world.sequence(), at: world.now() })
    },

    async execute<T>(name: string, hits: readonly Hit[], run: () => Promise<T>): Promise<T> {
      if (world.now() < refusesUntil && !reads.has(name)) throw new ReplyError(refusal)
      const lost = hits.find(({ kind }) => kind === 'redisLosesReply')
      if (lost !== undefined && lost.executed !== true) throw connectionLost()
      if (hits.some(({ kind }) => kind === 'redisRunsTwice')) await run()
      const reply = await run()
      if (lost !== undefined) throw connectionLost()
      return reply
    },
  }
}

function connectionLost(): Error {
  return Object.assign(new Error('Connection is closed.'), { code: 'ECONNRESET' })
}

/** The connection of one actor: each command is one call that the scheduler orders. */
export function connect(
  world: World,
  { actor, redis, server }: { actor: Actor; redis: Redis; server: RedisServer },
): Redis {
  const commands = new Set<string>(redis.getBuiltinCommands())
  const call = <T>(name: string, args: readonly unknown[], run: () => Promise<T>) =>
    world.call(actor, { type: typeOf(name), label: labelOf(name, args) }, async (hits) => {
      const reply = await server.execute(name, hits, run)
      if (name === 'reelgateTransition') server.noteWrite(actor, String(args[0]).replace(/^.*:/, ''))
      return reply
    })

  return new Proxy(redis, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof name !== 'string' || typeof value !== 'function') return value
      if (name === 'multi') return () => transaction(target.multi(), call)
      if (!commands.has(name) && !name.startsWith('reelgate')) return value.bind(target)
      return (...args: unknown[]) => call(name, args, () => Reflect.apply(value, target, args))
    },
  })
}

function transaction(
  pipeline: ChainableCommander,
  call: <T>(name: string, args: readonly unknown[], run: () => Promise<T>) => Promise<T>,
): ChainableCommander {
  const exec = pipeline.exec.bind(pipeline)
  pipeline.exec = () => call('multi', [], exec)
  return pipeline
}

function typeOf(name: string): CallType {
  if (name === 'reelgateClaim') return 'claim'
  if (name === 'reelgateTransition') return 'transition'
  if (name === 'reelgateAccept') return 'accept'
  return reads.has(name) ? 'read' : 'write'
}

/** Without what differs between two runs of a seed: random IDs and secrets. */
function labelOf(name: string, args: readonly unknown[]): string {
  const keys = args.filter((arg): arg is string => typeof arg === 'string' && /^sim:[a-z]/.test(arg))
  const state = args.find((arg) => typeof arg === 'string' && states.has(arg))
  return [name, keys[0]?.slice(4) ?? '', state].filter(Boolean).join(' ')
}

const states = new Set(
  'pending submitting queued processing generating delivering succeeded failed canceled'.split(' '),
)
