import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type FileHandle, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Redis } from 'ioredis'
import type { BaseLogger } from 'pino'
import { attend } from './presence.ts'

export type Place = { home: string; socket: string }

type Terms = { logger: Pick<BaseLogger, 'warn'>; production: boolean }

const trialServer = fileURLToPath(new URL('./wasm-server.ts', import.meta.url))
const silenceMs = 15_000

/** Starts a Redis of our own on the socket and resolves with a connection to it once it has loaded what it holds. */
export async function launch(place: Place, terms: Terms): Promise<Redis> {
  const logFile = join(place.home, 'redis.log')
  await using output = await open(logFile, 'a', 0o600)
  const child =
    (await startServer('redis-server', place, output)) ??
    (await startServer('valkey-server', place, output)) ??
    (await startTrialServer(place, output, terms))
  child.unref()

  const givenUpAt = Date.now() + silenceMs
  for (;;) {
    const client = await attend(place.socket)
    if (client !== undefined) return client
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`The private Redis did not start. Its last words:\n${await lastWords(logFile)}`)
    }
    if (Date.now() > givenUpAt) {
      child.kill()
      throw new Error(
        `The private Redis did not open ${place.socket}. Its last words:\n${await lastWords(logFile)}`,
      )
    }
    await sleep(5)
  }
}

/** `undefined`: no such program on PATH. */
async function startServer(
  program: string,
  place: Place,
  output: FileHandle,
): Promise<ChildProcess | undefined> {
  // Detached: the terminal's Ctrl-C must reach the gateway only, which then writes its last words to Redis.
  const child = spawn(program, settings(place), { detached: true, stdio: ['ignore', output.fd, output.fd] })
  try {
    await once(child, 'spawn')
    return child
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** What a Redis of jobs must be like: nothing is lost to a crash or to a lack of memory, and what is due is due at once. */
export function settings({ home, socket }: Place): string[] {
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
export function acceptTrialStore({ logger, production }: Terms): void {
  if (production) {
    throw new Error(
      'There is no redis-server or valkey-server on PATH, and the WebAssembly trial store is refused when NODE_ENV=production: install one, or set REDIS_URL',
    )
  }
  logger.warn(
    'DEVELOPMENT STORE, NOT DURABLE: no redis-server or valkey-server on PATH, so jobs are kept by Valkey in WebAssembly and written to disk only when the gateway stops',
  )
}

async function startTrialServer(
  { home, socket }: Place,
  output: FileHandle,
  terms: Terms,
): Promise<ChildProcess> {
  acceptTrialStore(terms)
  await rm(socket, { force: true })
  const child = fork(trialServer, [home, socket], {
    detached: true,
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', output.fd, output.fd, 'ipc'],
  })
  await once(child, 'spawn')
  child.channel?.unref()
  return child
}

async function lastWords(logFile: string): Promise<string> {
  const lines = (await readFile(logFile, 'utf8')).trim().split('\n')
  return lines.slice(-8).join('\n')
}
