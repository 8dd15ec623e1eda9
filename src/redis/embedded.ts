import { createHash } from 'node:crypto'
import { lstat, mkdir, realpath } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { BaseLogger } from 'pino'
import { acceptTrialStore, launch, type Place } from './launch.ts'
import { withLock } from './lock.ts'
import { attend, countOthers } from './presence.ts'

export type Embedded = {
  /** The Unix socket it listens on. */
  path: string
  kind: 'redis' | 'valkey' | 'wasm'
  /** Shuts Redis down and waits for its end; where another gateway still uses it, only leaves. Close every connection before. */
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
const longestSocketPath = 100
const restartPauseMs = 2000

/**
 * The gateway's own Redis under `dataDir`: adopts the one that a killed gateway left, else starts one, and starts it again
 * should it end by itself. Throws with Redis' own last words when it cannot start.
 */
export async function startEmbedded({
  dataDir,
  logger,
  production,
  beforeShutdown,
}: Options): Promise<Embedded> {
  const place = await preparePlace(dataDir)
  const lock = join(place.home, 'lock')
  const attach = () =>
    withLock(lock, async () => {
      const survivor = await attend(place.socket)
      if (survivor === undefined) return launch(place, { logger, production })
      logger.info({ socket: place.socket }, 'uses the Redis that already runs here')
      const onTrial = (await readKind(survivor)) === 'wasm'
      if (onTrial && production) survivor.disconnect()
      if (onTrial) acceptTrialStore({ logger, production })
      else await survivor.config('SET', 'appendfsync', 'always')
      return survivor
    })

  let presence = await attach()
  const kind = await readKind(presence)
  const stopping = new AbortController()
  const watching = watch()

  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= end()
    return stopped
  }
  return { path: place.socket, kind, stop }

  async function watch(): Promise<void> {
    while (await ended(presence, stopping.signal)) {
      logger.error('the private Redis has ended by itself; starting it again')
      presence = await attachAgain()
    }
  }

  async function attachAgain(): Promise<Redis> {
    for (;;) {
      try {
        return await attach()
      } catch (error) {
        logger.error({ err: error }, 'the private Redis cannot be started again yet')
        await sleep(restartPauseMs, undefined, { signal: stopping.signal }).catch(() => undefined)
        if (stopping.signal.aborted) return presence
      }
    }
  }

  async function end(): Promise<void> {
    stopping.abort()
    await watching
    if (presence.status !== 'end') await withLock(lock, () => leave(presence, { logger, beforeShutdown }))
  }
}

async function preparePlace(dataDir: string): Promise<Place> {
  await mkdir(join(dataDir, 'redis'), { recursive: true, mode: 0o700 })
  const home = await realpath(join(dataDir, 'redis'))
  const socket = join(home, 'redis.sock')
  if (Buffer.byteLength(socket) <= longestSocketPath) return { home, socket }
  const nearby = join(tmpdir(), `reelgate-${createHash('sha256').update(home).digest('hex').slice(0, 16)}`)
  await mkdir(nearby, { recursive: true, mode: 0o700 })
  const { uid } = await lstat(nearby)
  if (uid !== process.getuid?.()) throw new Error(`${nearby} belongs to another user: set a shorter DATA_DIR`)
  return { home, socket: join(nearby, 'redis.sock') }
}

/** True when Redis ended, false when we are to stop first. */
function ended(presence: Redis, stopping: AbortSignal): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  if (stopping.aborted) resolve(false)
  if (presence.status === 'end') resolve(true)
  presence.once('end', () => resolve(true))
  stopping.addEventListener('abort', () => resolve(false), { once: true })
  return promise
}

async function readKind(presence: Redis): Promise<Embedded['kind']> {
  const server = await presence.info('server')
  if (server.includes('os:wasi')) return 'wasm'
  return server.includes('valkey_version:') ? 'valkey' : 'redis'
}

async function leave(
  presence: Redis,
  { logger, beforeShutdown }: Pick<Options, 'logger' | 'beforeShutdown'>,
): Promise<void> {
  try {
    const others = await countOthers(presence)
    if (others > 0) logger.info({ others }, 'leaves the private Redis to the other gateways that use it')
    else {
      await beforeShutdown?.(presence)
      await shutDown(presence)
    }
  } catch (error) {
    // Redis answers only to refuse: what ends the connection is the end of its process.
    if (presence.status === 'end') return
    logger.warn({ err: error }, 'the private Redis does not stop; the next start takes it over')
  }
  presence.disconnect()
}

async function shutDown(presence: Redis): Promise<unknown> {
  const kind = await readKind(presence)
  return kind === 'wasm' ? presence.shutdown('SAVE') : presence.shutdown()
}
