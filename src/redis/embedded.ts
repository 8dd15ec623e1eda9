import { createHash } from 'node:crypto'
import { lstat, mkdir, realpath } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { BaseLogger } from 'pino'
import { withLock } from './file-lock.ts'
import { connectAsGateway, countOtherGateways } from './gateway-connection.ts'
import { launchRedis, type RedisPaths, requireTrialStoreAllowed } from './launch.ts'

export type EmbeddedRedis = {
  /** The Unix socket it listens on. */
  path: string
  kind: 'redis' | 'valkey' | 'wasm'
  /** Shuts Redis down and waits for its end, unless another gateway uses it. Close every other connection first. */
  stop(): Promise<void>
}

type Options = {
  dataDir: string
  logger: Pick<BaseLogger, 'info' | 'warn' | 'error'>
  production: boolean
  /** Called right before Redis is shut down. */
  beforeShutdown?: ((redis: Redis) => Promise<void>) | undefined
}

/** A socket's path holds 104 bytes on macOS and 108 on Linux. */
const maxSocketPathBytes = 100
const restartPauseMs = 2000

/**
 * Starts the gateway's own Redis under `dataDir`, or uses the one that still runs there. Restarts it if it exits. Throws an error with the end of the
 * Redis log when it cannot start.
 */
export async function startEmbeddedRedis({
  dataDir,
  logger,
  production,
  beforeShutdown,
}: Options): Promise<EmbeddedRedis> {
  const paths = await preparePaths(dataDir)
  const lockPath = join(paths.home, 'lock')
  const attach = () =>
    withLock(lockPath, async () => {
      const existing = await connectAsGateway(paths.socket)
      if (existing === undefined) return launchRedis(paths, { logger, production })
      logger.info({ socket: paths.socket }, 'Embedded Redis: using the server that is already running')
      const isTrialStore = (await readKind(existing)) === 'wasm'
      if (isTrialStore && production) existing.disconnect()
      if (isTrialStore) requireTrialStoreAllowed({ logger, production })
      else await existing.config('SET', 'appendfsync', 'always')
      return existing
    })

  let connection = await attach()
  const kind = await readKind(connection)
  const stopping = new AbortController()
  const restarting = restartWhenEnded()

  let stopPromise: Promise<void> | undefined
  const stop = () => {
    stopPromise ??= leaveOrShutDown()
    return stopPromise
  }
  return { path: paths.socket, kind, stop }

  async function restartWhenEnded(): Promise<void> {
    while (await waitForEnd(connection, stopping.signal)) {
      logger.error('Embedded Redis exited; restarting it')
      connection = await retryAttach()
    }
  }

  async function retryAttach(): Promise<Redis> {
    for (;;) {
      try {
        return await attach()
      } catch (error) {
        logger.error({ err: error }, 'Embedded Redis cannot be restarted; trying again')
        await sleep(restartPauseMs, undefined, { signal: stopping.signal }).catch(() => undefined)
        if (stopping.signal.aborted) return connection
      }
    }
  }

  async function leaveOrShutDown(): Promise<void> {
    stopping.abort()
    await restarting
    if (connection.status !== 'end')
      await withLock(lockPath, () => shutDownUnlessShared(connection, { logger, beforeShutdown }))
  }
}

async function preparePaths(dataDir: string): Promise<RedisPaths> {
  await mkdir(join(dataDir, 'redis'), { recursive: true, mode: 0o700 })
  const home = await realpath(join(dataDir, 'redis'))
  const socket = join(home, 'redis.sock')
  if (Buffer.byteLength(socket) <= maxSocketPathBytes) return { home, socket }
  const socketFolder = join(
    tmpdir(),
    `reelgate-${createHash('sha256').update(home).digest('hex').slice(0, 16)}`,
  )
  await mkdir(socketFolder, { recursive: true, mode: 0o700 })
  const { uid } = await lstat(socketFolder)
  if (uid !== process.getuid?.())
    throw new Error(`${socketFolder} belongs to another user: set a shorter DATA_DIR`)
  return { home, socket: join(socketFolder, 'redis.sock') }
}

/** True: Redis has ended. False: the gateway stops. */
function waitForEnd(connection: Redis, stopping: AbortSignal): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  if (stopping.aborted) resolve(false)
  if (connection.status === 'end') resolve(true)
  connection.once('end', () => resolve(true))
  stopping.addEventListener('abort', () => resolve(false), { once: true })
  return promise
}

async function readKind(connection: Redis): Promise<EmbeddedRedis['kind']> {
  const serverInfo = await connection.info('server')
  if (serverInfo.includes('os:wasi')) return 'wasm'
  return serverInfo.includes('valkey_version:') ? 'valkey' : 'redis'
}

async function shutDownUnlessShared(
  connection: Redis,
  { logger, beforeShutdown }: Pick<Options, 'logger' | 'beforeShutdown'>,
): Promise<void> {
  try {
    const others = await countOtherGateways(connection)
    if (others > 0) logger.info({ others }, 'Embedded Redis left running (in use)')
    else {
      await beforeShutdown?.(connection)
      await shutDown(connection)
    }
  } catch (error) {
    // Redis replies to SHUTDOWN only to refuse it; otherwise its process exits and closes the connection.
    if (connection.status === 'end') return
    logger.warn({ err: error }, 'Embedded Redis does not stop; the next start will use it')
  }
  connection.disconnect()
}

async function shutDown(connection: Redis): Promise<unknown> {
  const kind = await readKind(connection)
  return kind === 'wasm' ? connection.shutdown('SAVE') : connection.shutdown()
}
