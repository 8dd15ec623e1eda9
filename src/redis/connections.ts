import { type Command, Redis, type RedisOptions } from 'ioredis'
import type { BaseLogger } from 'pino'
import { createRedactor, redactRedisArguments } from '../text/redact-text.ts'
import { RedisUnavailable, toRedisError } from './redis-unavailable.ts'

type Logger = Pick<BaseLogger, 'info' | 'error'>

/** `url` of a Redis that somebody else runs, or `path` of the socket of our own. */
export type RedisTarget = { url: string } | { path: string }

type ClientOptions = Pick<RedisOptions, 'enableOfflineQueue' | 'maxRetriesPerRequest' | 'commandTimeout'>

const redactAddress = createRedactor()
const redact = (message: string) => redactAddress(redactRedisArguments(message))

const maxBackOffMs = 500
/** There may be no other primary yet. */
const reconnectPauseMs = 1000
/** Longer than the longest blocking command of BullMQ, 10 s. */
const defaultIdleTimeoutMs = 12_000

/**
 * Makes the gateway's two kinds of connections. Each is ready when its promise resolves, which rejects when Redis does not
 * answer for `patienceMs`. `prefix` begins their names in Redis' list of clients. A connection on which nothing comes for `silenceMs` after a command is
 * made anew: a machine that is cut off ends none of its connections.
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
    /** Commands still under way are rejected: stop what uses the connections before. */
    close(): void {
      for (const client of clients.splice(0)) client.disconnect()
    },
  }
}

/** A connection that stands is not told that another server became the primary: it is made anew when its own one takes no writes any more. */
function reconnectOnReadonly(): (error: Error) => 1 | false {
  let lastReconnectMs = Number.NEGATIVE_INFINITY
  return ({ message }) => {
    if (!/\bREADONLY\b/.test(message) || performance.now() - lastReconnectMs < reconnectPauseMs) return false
    lastReconnectMs = performance.now()
    return 1
  }
}

/** What one turn of the event loop sends leaves in one write. */
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

  /** What has been gathered leaves now, not at the end of the turn. */
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

/** Ends the gathering of a turn early, on one of our own connections. */
export function flushWrites(client: Redis): void {
  if (client instanceof BatchingRedis) client.flush()
}

async function waitUntilReady(client: Redis, timeoutMs: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let reason = 'no answer'
  // Only the message: the error itself carries the arguments of the failed command, passwords included.
  const rememberReason = (error: Error) => {
    reason = redact(error.message)
  }
  client.on('error', rememberReason)
  client.once('ready', resolve)
  const timer = setTimeout(() => reject(new Error(`Redis cannot be used: ${reason}`)), timeoutMs)
  try {
    await promise
  } catch (error) {
    // ioredis prints errors that nobody listens to.
    client.on('error', () => undefined)
    client.disconnect()
    throw error
  } finally {
    clearTimeout(timer)
    client.off('error', rememberReason)
    client.off('ready', resolve)
  }
}

/** One line when Redis goes away and one when it is back, however many connections and attempts. */
function createOutageLog(logger: Logger) {
  const disconnected = new Set<Redis>()
  return (client: Redis) => {
    client.on('error', (error: Error) => {
      if (disconnected.size === 0) logger.error({ reason: redact(error.message) }, 'Redis is away')
      disconnected.add(client)
    })
    client.on('ready', () => {
      if (disconnected.delete(client) && disconnected.size === 0) logger.info('Redis is back')
    })
    client.on('end', () => disconnected.delete(client))
  }
}
