import { EventEmitter } from 'node:events'
import { type Redis, ReplyError } from 'ioredis'
import type { Hit } from './faults.ts'
import type { Actor, World } from './world.ts'

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

/** Where scripts find the virtual time and the server's identity, instead of `TIME` and `INFO`. */
const stateKey = 'simulation'

/** A point in a run: when, and after what. */
export type Moment = { sequence: number; at: number }

export type RedisServer = ReturnType<typeof createRedisServer>

/** What happens to the one real Redis of a run: refused writes, lost replies, and writes lost with a failover to another server. */
export function createRedisServer(world: World, redis: Redis) {
  let refusal = ''
  let refusesUntil = 0
  let taken = false
  let failovers = 0
  let losses = 0
  let shown = ''
  const connections = new Map<Actor, EventEmitter>()
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
      return
    }
    if (taken) {
      await redis.eval(restore, 0)
      losses += 1
    }
    failovers += 1
    shown = ''
    for (const [actor, connection] of connections)
      void world
        .call(actor, { type: 'reconnect', label: 'reconnects' }, async () => undefined)
        .then(() => connection.emit('ready'))
  })

  return {
    /** Resolves when replicas have all writes so far: none of them can be lost any more. */
    async confirm(): Promise<void> {
      if (taken) await redis.eval(snapshot, 0)
    },

    /** How often writes were lost. */
    losses: () => losses,

    /** Whom an actor's connection tells that it is ready again. */
    connection(actor: Actor): EventEmitter {
      const events = connections.get(actor) ?? new EventEmitter()
      connections.set(actor, events)
      return events
    },

    /** When an actor has last written the record of a job. */
    lastWrite: (actor: Actor, job: string) => written.get(`${actor.name} ${job}`),
    noteWrite(actor: Actor, job: string): void {
      written.set(`${actor.name} ${job}`, { sequence: world.sequence(), at: world.now() })
    },

    /** Makes a script read the virtual time and identity. */
    adapt: (lua: string): string =>
      lua
        .replaceAll("redis.call('TIME')", `redis.call('HMGET', '${stateKey}', 'seconds', 'microseconds')`)
        .replaceAll(
          "redis.pcall('INFO', 'server')",
          `('run_id:' .. redis.call('HGET', '${stateKey}', 'server'))`,
        ),

    /** Executes a command, as far as the faults let it. `changes`: it writes. */
    async execute<T>(changes: boolean, hits: readonly Hit[], run: () => Promise<T>): Promise<T> {
      if (changes && world.now() < refusesUntil) throw new ReplyError(refusal)
      const lost = hits.find(({ kind }) => kind === 'redisLosesReply')
      if (lost !== undefined && lost.executed !== true) throw connectionLost()
      const state = `${world.now()} ${failovers}`
      if (state !== shown) {
        const seconds = Math.floor(world.now() / 1000)
        await redis.hset(stateKey, {
          seconds,
          microseconds: (world.now() % 1000) * 1000,
          server: `server${failovers}`,
        })
        shown = state
      }
      if (hits.some(({ kind }) => kind === 'redisRunsTwice')) await run()
      const reply = await run()
      if (lost !== undefined) throw connectionLost()
      return reply
    },
  }
}

function connectionLost(): Error {
  return Object.assign(new Error('Connection is closed.'), { code: 'ECONNRESET', syscall: 'read' })
}
