import type { Redis } from 'ioredis'

/** Thrown when too few replicas confirmed a write in time: it may be lost if the primary fails now. */
export class NotReplicated extends Error {
  override name = 'NotReplicated'
}

type Options = {
  /** The connection that made the writes: `WAIT` covers only those of its own connection. */
  redis: Redis
  /** A key that is written before: without a write on its connection, `WAIT` confirms at once. */
  key: string
  /** How many replicas must confirm; 0: none. */
  replicas: number
  timeoutMs: number
  /** Whether the append-only files of the server and of the replicas must be on disk too (Redis 7.2). */
  aof?: boolean
}

/**
 * Returns a function that resolves when all earlier writes on this connection are confirmed, and rejects with `NotReplicated` otherwise. Calls during a
 * wait share the next one, because `WAIT` blocks its connection.
 */
export function createReplicaBarrier({ redis, key, replicas, timeoutMs, aof = false }: Options) {
  let currentWait: Promise<void> | undefined
  let upcomingWait: Promise<void> | undefined
  let lostConnections = 0
  if (replicas > 0 || aof)
    redis.on('close', () => {
      lostConnections += 1
    })

  async function waitForReplicas(): Promise<void> {
    const write = redis.set(key, '1')
    const waiting = aof ? redis.call('WAITAOF', 1, replicas, timeoutMs) : redis.wait(replicas, timeoutMs)
    const [, reply] = await Promise.all([write, waiting])
    const [localSyncs, confirmed] = Array.isArray(reply) ? reply.map(Number) : [1, Number(reply)]
    if ((localSyncs ?? 0) < 1) throw new NotReplicated('Redis did not sync its append-only file in time')
    if ((confirmed ?? 0) < replicas)
      throw new NotReplicated(
        `${confirmed} of ${replicas} replicas confirmed the write within ${timeoutMs} ms`,
      )
  }

  function startWait(): Promise<void> {
    const waiting = waitForReplicas().finally(() => {
      if (currentWait === waiting) currentWait = undefined
    })
    currentWait = waiting
    return waiting
  }

  function joinWait(): Promise<void> {
    if (currentWait === undefined) return startWait()
    upcomingWait ??= currentWait
      .catch(() => undefined)
      .then(() => {
        upcomingWait = undefined
        return startWait()
      })
    return upcomingWait
  }

  return async function confirmReplicas(): Promise<void> {
    if (replicas === 0 && !aof) return
    const lostConnectionsBefore = lostConnections
    await joinWait()
    // ioredis repeats the command on the next connection, where `WAIT` confirms at once because that connection has written nothing.
    if (lostConnections !== lostConnectionsBefore)
      throw new NotReplicated('The connection to Redis was lost before the write was confirmed')
  }
}
