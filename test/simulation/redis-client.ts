import type { ChainableCommander, Redis } from 'ioredis'
import type { Keys } from '../../src/redis/keys.ts'
import { createReplicaBarrier } from '../../src/redis/replicas.ts'
import type { CallType } from './faults.ts'
import type { RedisServer } from './redis-server.ts'
import { settings } from './settings.ts'
import type { Actor, World } from './world.ts'

/** Commands that change nothing; a Redis that refuses writes carries them out. */
const reads = new Set(
  'get mget hget hmget hgetall hexists exists lrange llen zrange zrevrange zrangebyscore zscore zcard smembers sismember scard xrevrange xrange ping info time pttl wait reelgateOwned reelgateRead'.split(
    ' ',
  ),
)

const types: Readonly<Record<string, CallType>> = {
  reelgateClaim: 'claim',
  reelgateStoreIntent: 'intent',
  reelgateTransition: 'transition',
  reelgateAccept: 'accept',
}

const states = /^(pending|submitting|queued|processing|generating|delivering|succeeded|failed|canceled)$/

type Run = <T>(name: string, args: readonly unknown[], run: () => Promise<T>) => Promise<T>

/** The connection of one actor: each command is one call that the scheduler orders. */
export function connect(
  world: World,
  { actor, redis, server }: { actor: Actor; redis: Redis; server: RedisServer },
): Redis {
  const commands = new Set<string>(redis.getBuiltinCommands())
  const connection = server.open(actor)
  const { events } = connection
  let written: Promise<unknown> = Promise.resolve()
  const run: Run = (name, args, command) =>
    world.call(
      actor,
      { type: types[name] ?? (reads.has(name) ? 'read' : 'write'), label: labelOf(name, args) },
      async (hits) => {
        const reply = await server.execute({ changes: !reads.has(name), hits, connection }, command)
        if (name === 'reelgateTransition' || name === 'reelgateStoreIntent')
          server.noteWrite(actor, jobOf(args))
        return inOrder(name, reply)
      },
    )

  return new Proxy(redis, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof name !== 'string' || typeof value !== 'function') return value
      if (name === 'on' || name === 'off') return events[name].bind(events)
      if (name === 'multi') return () => transaction(target.multi(), run)
      if (name === 'defineCommand')
        return (command: string, definition: { lua: string; numberOfKeys?: number }) =>
          target.defineCommand(command, { ...definition, lua: server.adapt(command, definition.lua) })
      if (name === 'eval')
        return (lua: string, ...args: unknown[]) =>
          run(name, args, () => Reflect.apply(value, target, [server.adapt(name, lua), ...args]))
      // It comes after the write that was sent before it.
      if (name === 'wait') return () => written.then(() => run(name, [], () => server.confirm(connection)))
      if (name === 'set')
        return (...args: unknown[]) => {
          const reply = run(name, args, () => Reflect.apply(value, target, withoutExpiry(args)))
          written = reply.catch(() => undefined)
          return reply
        }
      if (name === 'pexpire') return (...args: unknown[]) => run(name, args, async () => 1)
      if (!commands.has(name) && !name.startsWith('reelgate')) return value.bind(target)
      return (...args: unknown[]) => run(name, args, () => Reflect.apply(value, target, args))
    },
  })
}

/** Resolves when the replica has what was written on a connection. */
export const confirmOn = (redis: Redis, { barrier }: Keys) =>
  createReplicaBarrier({ redis, key: barrier, replicas: 1, timeoutMs: settings.waitReplicasMs })

function transaction(pipeline: ChainableCommander, run: Run): ChainableCommander {
  const exec = pipeline.exec.bind(pipeline)
  pipeline.exec = () => run('multi', [], exec)
  return pipeline
}

function jobOf([key]: readonly unknown[]): string {
  return String(key).replace(/^.*:/, '')
}

/** Without what differs between two runs of one seed: random secrets. */
function labelOf(name: string, args: readonly unknown[]): string {
  const key = args.find((arg): arg is string => typeof arg === 'string' && arg.startsWith('sim:'))
  const state = args.find((arg) => typeof arg === 'string' && states.test(arg))
  return [name, key?.slice(4), state].filter(Boolean).join(' ')
}

/** Redis returns the members of sets and hashes in an order that differs from server to server. */
function inOrder<T>(name: string, reply: T): T {
  if (name === 'smembers' && Array.isArray(reply)) return reply.toSorted() as T
  if (name !== 'hgetall') return reply
  return Object.fromEntries(Object.entries(Object(reply)).toSorted(([a], [b]) => (a < b ? -1 : 1))) as T
}

/** Redis would let keys expire in real time. */
function withoutExpiry(args: readonly unknown[]): unknown[] {
  const at = args.indexOf('PX')
  return at < 0 ? [...args] : args.toSpliced(at, 2)
}
