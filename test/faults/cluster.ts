import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { redisServerArguments } from '../../src/redis/launch.ts'
import { spawnGateway, stopProcess } from '../support/gateway-process.ts'
import { type Cleanup, temporaryFolder } from '../support/setup.ts'

/** A Redis server that the test can kill and restart on the same file. */
export async function startServer(cleanup: Cleanup, more: readonly string[] = []) {
  const dir = await temporaryFolder(cleanup)
  const path = join(dir, 'redis.sock')
  let child: ChildProcess
  const start = async () => {
    child = spawn('redis-server', [...redisServerArguments({ home: dir, socket: path }), ...more], {
      stdio: 'ignore',
    })
    const probe = new Redis(path, { retryStrategy: () => 20, maxRetriesPerRequest: null })
    probe.on('error', () => undefined)
    await probe.ping()
    probe.disconnect()
  }
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }
  /** Connections stay open and accept data without a reply, like a network that drops all packets. */
  const freeze = () => child.kill('SIGSTOP')
  const thaw = () => child.kill('SIGCONT')
  await start()
  cleanup.add(kill)
  const redis = new Redis(path, { maxRetriesPerRequest: null })
  redis.on('error', () => undefined)
  cleanup.add(() => redis.disconnect())
  return { path, dir, redis, kill, start, freeze, thaw }
}

export type Node = {
  kill(): Promise<void>
  stop(): Promise<void>
  /** The process stops running until `thaw`, as a paused virtual machine does. */
  freeze(): void
  thaw(): void
  signal(name: NodeJS.Signals): void
  /** The lines of its log so far. */
  log: readonly string[]
}

/** One gateway process, whatever its role. */
export async function startNode(env: Record<string, string>): Promise<Node & { address: string }> {
  const port = env.PORT ?? String(await freePort())
  const gateway = spawnGateway({
    LOG_LEVEL: process.env.TEST_LOG ?? 'fatal',
    SANDBOX: 'off',
    UPSTREAM_RETRY_SECONDS: '0',
    HOST: '127.0.0.1',
    ...env,
    PORT: port,
  })
  const address = `http://127.0.0.1:${port}`
  while (!(await isListening(address))) {
    const { child, written } = gateway
    if (child.exitCode !== null) throw new Error(`a gateway process ended: ${written.join('\n')}`)
    await sleep(20)
  }
  return {
    address,
    kill: () => stopProcess(gateway, 'SIGKILL'),
    stop: () => stopProcess(gateway),
    freeze: () => gateway.child.kill('SIGSTOP'),
    thaw: () => gateway.child.kill('SIGCONT'),
    signal: (name) => gateway.child.kill(name),
    log: gateway.written,
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** An overrides file that leaves one upstream for each of these models. */
export async function onlyThese(
  cleanup: Cleanup,
  choices: readonly { model: string; provider: string; all: readonly string[] }[],
): Promise<string> {
  const path = join(await temporaryFolder(cleanup), 'offers.json')
  const content = Object.fromEntries(
    choices.map(({ model, provider, all }) => [
      model,
      all.map((name) => ({ provider: name, enabled: name === provider })),
    ]),
  )
  await writeFile(path, JSON.stringify(content))
  return path
}

function isListening(address: string): Promise<boolean> {
  return fetch(`${address}/health`).then(
    ({ ok }) => ok,
    () => false,
  )
}

/** The number of terminal states in the history of a job. */
export async function endsOf(redis: Redis, id: string): Promise<number> {
  const entries = await redis.lrange(`reelgate:trail:${id}`, 0, -1)
  return entries.filter((entry) => /"state":"(succeeded|failed|canceled)"/.test(entry)).length
}
