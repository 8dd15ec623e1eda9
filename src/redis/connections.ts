import { type Command, Redis, type RedisOptions } from 'ioredis'
import type { BaseLogger } from 'pino'
import { createRedactor, redactRedisArguments } from '../text/redact-text.ts'
import { RedisUnavailable, toRedisError } from './redis-unavailable.ts'

type Logger = Pick<BaseLogger, 'info' | 'error'>

/** `url` of an external Redis, or `path` of the socket of the embedded one. */
export type RedisTarget = { url: string } | { path: string }

type ClientOptions = Pick<RedisOptions, 'enableOfflineQueue' | 'maxRetriesPerRequest' | 'commandTimeout'>

const redactAddress = createRedactor()
const redact = (message: string) => redactAddress(redactRedisArguments(message))

const maxBackOffMs = 500
/** Minimum time between two reconnects because of READONLY: there may be no new primary yet. */
const reconnectPauseMs = 1000
/** Longer than the longest blocking command of BullMQ, 10 s. */
const defaultIdleTimeoutMs = 12_000

/**
 * Opens the gateway's two kinds of connections. Their promises resolve when Redis is ready, and reject after `connectTimeoutMs`. `prefix`: prefix of their
 * names in the client list of Redis. A connection reconnects when no reply comes for `idleTimeoutMs` after a command, because a machine that loses its
 * network does not close its connections.
 */
export function createConnections(
  target: RedisTarget,
  {
    prefix,
    logger,
    connectTimeoutMs = 10_000,
    idleTimeoutMs = defaultIdleTimeoutMs,
  }: { prefix: string; logger: Logger; connectTimeoutMs?: number; idleTimeoutMs?: number },
) {
  const clients: Redis[] = []
  const logOutages = createOutageLog(logger)

  async function openClient(
    Client: typeof BatchingRedis,
    name: string,
    options: ClientOptions,
  ): Promise<Redis> {
    const settings = {
      connectionName: `${prefix}${name}`,
      retryStrategy: (attempt: number) => Math.min(25 * 2 ** attempt, maxBackOffMs),
      enableAutoPipelining: false,
      reconnectOnError: reconnectOnReadonly(),
      socketTimeout: idleTimeoutMs,
      ...options,
    }
    const client =
      'url' in target ? new Client(target.url, settings) : new Client({ ...settings, path: target.path })
    clients.push(client)
    await waitUntilReady(client, connectTimeoutMs)
    logOutages(client)
    return client
  }

  return {
    /** Commands reject with `RedisUnavailable` at once while Redis cannot serve. */
    forRequests: () =>
      openClient(RequestRedis, 'requests', {
        enableOfflineQueue: false,
        maxRetriesPerRequest: 1,
        commandTimeout: 2000,
      }),
    /** Waits out an outage: for BullMQ's workers and for subscriptions. Errors are those of ioredis, which BullMQ reads. */
    forWorkers: () => openClient(BatchingRedis, 'workers', { maxRetriesPerRequest: null }),
    /** Rejects pending commands: stop everything that uses the connections first. */
    close(): void {
      for (const client of clients.splice(0)) client.disconnect()
    },
  }
}

/** An open connection does not learn that another server has become the primary, so it reconnects when its server rejects writes. */
function reconnectOnReadonly(): (error: Error) => 1 | false {
  let lastReconnectMs = Number.NEGATIVE_INFINITY
  return ({ message }) => {
    if (!/\bREADONLY\b/.test(message) || performance.now() - lastReconnectMs < reconnectPauseMs) return false
    lastReconnectMs = performance.now()
    return 1
  }
}

/** Sends all commands of one turn of the event loop in one write. */
class BatchingRedis extends Redis {
  #corked = false

  override sendCommand(command: Command, stream?: Parameters<Redis['sendCommand']>[1]): unknown {
    const { stream: socket } = this
    if (!this.#corked && socket?.writable) {
      this.#corked = true
      socket.cork()
      setImmediate(() => this.#write(socket))
    }
    return super.sendCommand(command, stream)
  }

  /** Sends the collected commands now instead of at the end of the turn. */
  flush(): void {
    if (this.#corked) this.#write(this.stream)
  }

  #write(socket: Redis['stream']): void {
    if (!this.#corked) return
    this.#corked = false
    socket.uncork()
  }
}

/** Converts errors where ioredis rejects a command, so scripts, transactions and pipelines are covered too. */
class RequestRedis extends BatchingRedis {
  /** Of the commands of the transaction that is being sent. */
  #transactionErrors: Error[] | undefined

  override sendCommand(command: Command, stream?: Parameters<Redis['sendCommand']>[1]): unknown {
    const { name, reject } = command
    if (name === 'multi') this.#transactionErrors = []
    const transactionErrors = this.#transactionErrors
    if (name === 'exec') this.#transactionErrors = undefined
    command.reject = (cause) => {
      const error = toRedisError(cause)
      // Redis aborts a transaction because of one of its commands.
      const reason =
        name === 'exec'
          ? transactionErrors?.find((earlier) => earlier instanceof RedisUnavailable)
          : undefined
      transactionErrors?.push(error)
      reject(reason ?? error)
    }
    return super.sendCommand(command, stream)
  }
}

/** Sends the collected commands of one of our own connections before the turn ends. */
export function flushWrites(client: Redis): void {
  if (client instanceof BatchingRedis) client.flush()
}

async function waitUntilReady(client: Redis, timeoutMs: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let reason = 'no reply'
  // Only the message: the error itself carries the arguments of the failed command, passwords included.
  const rememberReason = (error: Error) => {
    reason = redact(error.message)
  }
  client.on('error', rememberReason)
  client.once('ready', resolve)
  const timer = setTimeout(() => reject(new Error(`Cannot connect to Redis: ${reason}`)), timeoutMs)
  try {
    await promise
  } catch (error) {
    // ioredis prints errors that have no listener.
    client.on('error', () => undefined)
    client.disconnect()
    throw error
  } finally {
    clearTimeout(timer)
    client.off('error', rememberReason)
    client.off('ready', resolve)
  }
}

/** Logs one line when Redis is lost and one when it is restored, independently of the number of connections and attempts. */
function createOutageLog(logger: Logger) {
  const disconnected = new Set<Redis>()
  return (client: Redis) => {
    client.on('error', (error: Error) => {
      if (disconnected.size === 0) logger.error({ reason: redact(error.message) }, 'Redis connection lost')
      disconnected.add(client)
    })
    client.on('ready', () => {
      if (disconnected.delete(client) && disconnected.size === 0) logger.info('Redis connection restored')
    })
    client.on('end', () => disconnected.delete(client))
  }
}
