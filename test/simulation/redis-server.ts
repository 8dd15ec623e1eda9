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

const errorReplies: Readonly<Record<string, string>> = {
  OOM: "OOM command not allowed when used memory > 'maxmemory'.",
  READONLY: "READONLY You can't write against a read only replica.",
  NOREPLICAS: 'NOREPLICAS Not enough good replicas to write.',
  MISCONF: 'MISCONF Redis is configured to save RDB snapshots, but it is unable to persist to disk.',
}

/** Two servers take turns, each with its own `run_id` and every time with another replication ID. Where scripts find that and the virtual time, instead of `TIME` and `INFO`. */
const stateKey = 'simulation'

/** A point in a run: when, and after what. */
export type Moment = { sequence: number; at: number }

/** One connection of a process, as `WAIT` and the process see it. */
export type Connection = { actor: Actor; events: EventEmitter; hasWritten: boolean; isLost: boolean }

export type RedisServer = ReturnType<typeof createRedisServer>

/** What happens to the one real Redis of a run: refused writes, lost replies, and writes lost with a failover to another server. */
export function createRedisServer(
  world: World,
  redis: Redis,
  patch: (name: string, lua: string) => string = (_, lua) => lua,
) {
  let errorReply = ''
  let refusesUntil = 0
  let taken = false
  let failovers = 0
  let losses = 0
  let shown = ''
  const connections: Connection[] = []
  const failoverChecks: (() => void)[] = []
  const written = new Map<string, Moment>()

  world.onFault(async (hit: Hit) => {
    if (hit.kind === 'redisRefuses') {
      errorReply = errorReplies[hit.error ?? ''] ?? 'OOM'
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
    for (const connection of connections) {
      connection.isLost = true
      if (connection.events.listenerCount('ready') > 0)
        void world
          .call(connection.actor, { type: 'reconnect', label: 'reconnects' }, async () => notice(connection))
          .then(() => connection.events.emit('ready'))
    }
    for (const check of failoverChecks) check()
  })

  /** A process learns that its connection was closed before anything else of it reaches the next server. */
  function notice(connection: Connection): void {
    if (!connection.isLost) return
    connection.isLost = false
    connection.hasWritten = false
    connection.events.emit('close')
  }

  return {
    /** What `WAIT` does with one replica: none of the writes so far can be lost any more. A connection that has written nothing is confirmed at once. */
    async confirm({ hasWritten }: Connection): Promise<number> {
      if (taken && hasWritten) await redis.eval(snapshot, 0)
      return 1
    },

    /** Calls back when another server takes over. */
    onFailover: (check: () => void) => failoverChecks.push(check),

    /** How often writes were lost. */
    losses: () => losses,

    open(actor: Actor): Connection {
      const connection = { actor, events: new EventEmitter(), hasWritten: false, isLost: false }
      connections.push(connection)
      return connection
    },

    /** When an actor has last written the record of a job. */
    lastWrite: (actor: Actor, job: string) => written.get(`${actor.name} ${job}`),
    noteWrite(actor: Actor, job: string): void {
      written.set(`${actor.name} ${job}`, { sequence: world.sequence(), at: world.now() })
    },

    /** Makes a script read the virtual time and identity, and puts a planted bug into it. */
    adapt: (name: string, lua: string): string =>
      patch(name, lua)
        .replaceAll("redis.call('TIME')", `redis.call('HMGET', '${stateKey}', 'seconds', 'microseconds')`)
        .replaceAll(
          "redis.pcall('INFO', 'server')",
          `('run_id:' .. redis.call('HGET', '${stateKey}', 'server'))`,
        )
        .replaceAll(
          "redis.call('INFO', 'replication')",
          `('master_replid:' .. redis.call('HGET', '${stateKey}', 'history'))`,
        ),

    /** Executes a command, as far as the faults let it. `changes`: it writes. */
    async execute<T>(
      { changes, hits, connection }: { changes: boolean; hits: readonly Hit[]; connection?: Connection },
      run: () => Promise<T>,
    ): Promise<T> {
      if (connection !== undefined) notice(connection)
      if (changes && world.now() < refusesUntil) throw new ReplyError(errorReply)
      const lost = hits.find(({ kind }) => kind === 'redisLosesReply')
      if (lost !== undefined && lost.executed !== true) throw connectionLost()
      const state = `${world.now()} ${failovers}`
      if (state !== shown) {
        const seconds = Math.floor(world.now() / 1000)
        await redis.hset(stateKey, {
          seconds,
          microseconds: (world.now() % 1000) * 1000,
          server: `server${failovers % 2}`,
          history: `history${failovers}`,
        })
        shown = state
      }
      if (hits.some(({ kind }) => kind === 'redisRunsTwice')) await run()
      const reply = await run()
      if (changes && connection !== undefined) connection.hasWritten = true
      if (lost !== undefined) throw connectionLost()
      return reply
    },
  }
}

function connectionLost(): Error {
  return Object.assign(new Error('Connection is closed.'), { code: 'ECONNRESET', syscall: 'read' })
}
