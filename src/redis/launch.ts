import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type FileHandle, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Redis } from 'ioredis'
import type { BaseLogger } from 'pino'
import { connectAsGateway } from './gateway-connection.ts'

export type RedisPaths = { home: string; socket: string }

type LaunchOptions = { logger: Pick<BaseLogger, 'warn'>; production: boolean }

const trialServerPath = fileURLToPath(new URL('./wasm-server.ts', import.meta.url))
const startTimeoutMs = 15_000

/** Starts an embedded Redis on the socket. Resolves with a connection to it when it has loaded its files. */
export async function launchRedis(paths: RedisPaths, options: LaunchOptions): Promise<Redis> {
  const logFile = join(paths.home, 'redis.log')
  await using logHandle = await open(logFile, 'a', 0o600)
  const child =
    (await startServer('redis-server', paths, logHandle)) ??
    (await startServer('valkey-server', paths, logHandle)) ??
    (await startTrialServer(paths, logHandle, options))
  child.unref()

  const deadline = Date.now() + startTimeoutMs
  for (;;) {
    const client = await connectAsGateway(paths.socket)
    if (client !== undefined) return client
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`Embedded Redis did not start. Redis log:\n${await readLogTail(logFile)}`)
    }
    if (Date.now() > deadline) {
      child.kill()
      throw new Error(
        `Embedded Redis did not open ${paths.socket}. Redis log:\n${await readLogTail(logFile)}`,
      )
    }
    await sleep(5)
  }
}

/** `undefined`: no such program on PATH. */
async function startServer(
  program: string,
  paths: RedisPaths,
  logHandle: FileHandle,
): Promise<ChildProcess | undefined> {
  // Detached: Ctrl-C in the terminal must reach the gateway only, which still writes to Redis while it stops.
  const child = spawn(program, redisServerArguments(paths), {
    detached: true,
    stdio: ['ignore', logHandle.fd, logHandle.fd],
  })
  try {
    await once(child, 'spawn')
    return child
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Settings with which neither a crash nor full memory loses jobs, and delayed jobs start without delay. */
export function redisServerArguments({ home, socket }: RedisPaths): string[] {
  return [
    ['--port', '0'],
    ['--unixsocket', socket],
    ['--unixsocketperm', '700'],
    ['--dir', home],
    ['--appendonly', 'yes'],
    // A power cut must not lose the intent of a purchase. Costs 5 to 10 % of the submits.
    ['--appendfsync', 'always'],
    // Rewriting the file costs a fork each time. At this size it is read in four seconds.
    ['--auto-aof-rewrite-min-size', '256mb'],
    ['--save', ''],
    ['--maxmemory-policy', 'noeviction'],
    ['--hz', '100'],
  ].flat()
}

/** Throws in production, warns elsewhere. */
export function requireTrialStoreAllowed({ logger, production }: LaunchOptions): void {
  if (production) {
    throw new Error(
      'There is no redis-server or valkey-server on PATH, and the WebAssembly trial store is not allowed with NODE_ENV=production: install a server, or set REDIS_URL',
    )
  }
  logger.warn(
    'DEVELOPMENT STORE, NOT DURABLE: no redis-server or valkey-server on PATH, so Valkey in WebAssembly stores the jobs and writes them to disk only when the gateway stops',
  )
}

async function startTrialServer(
  { home, socket }: RedisPaths,
  logHandle: FileHandle,
  options: LaunchOptions,
): Promise<ChildProcess> {
  requireTrialStoreAllowed(options)
  await rm(socket, { force: true })
  const child = fork(trialServerPath, [home, socket], {
    detached: true,
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', logHandle.fd, logHandle.fd, 'ipc'],
  })
  await once(child, 'spawn')
  child.channel?.unref()
  return child
}

async function readLogTail(logFile: string): Promise<string> {
  const lines = (await readFile(logFile, 'utf8')).trim().split('\n')
  return lines.slice(-8).join('\n')
}
