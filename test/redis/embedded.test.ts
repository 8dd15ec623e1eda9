import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { pino } from 'pino'
import { type EmbeddedRedis, startEmbeddedRedis } from '../../src/redis/embedded.ts'

const logger = pino({ level: 'silent' })
const timeout = 60_000

test('an embedded Redis has an append-only file, evicts nothing and ends with the gateway', {
  timeout,
}, async (t) => {
  const { gateway } = await setUp(t)
  const embedded = await gateway()
  const client = connect(t, embedded)
  assert.equal((await stat(embedded.path)).mode & 0o777, 0o700)
  const wanted = {
    appendonly: 'yes',
    appendfsync: 'always',
    'maxmemory-policy': 'noeviction',
    hz: '100',
    'auto-aof-rewrite-min-size': String(256 * 1024 * 1024),
    port: '0',
  }
  for (const [name, value] of Object.entries(wanted)) {
    assert.deepEqual(await client.config('GET', name), [name, value])
  }
  const pid = await pidOf(client)
  await embedded.stop()
  await waitForExit(pid)
})

test('data survives a stop and a start', { timeout }, async (t) => {
  const { gateway } = await setUp(t)
  await write(t, await gateway(), 'job', 'rendering')
  assert.equal(await read(t, await gateway(), 'job'), 'rendering')
})

test('the Redis of a killed gateway is adopted, and ends with its new gateway', { timeout }, async (t) => {
  const { dataDir, gateway } = await setUp(t)
  const killed = spawnGateway(dataDir)
  const path = await firstLine(killed)
  const before = connect(t, { path })
  await before.set('job', 'rendering')
  const pid = await pidOf(before)
  killed.kill('SIGKILL')
  await once(killed, 'exit')

  const embedded = await gateway()
  const after = connect(t, embedded)
  assert.equal(await pidOf(after), pid)
  assert.equal(await after.get('job'), 'rendering')
  await embedded.stop()
  await waitForExit(pid)
})

test('gateways on one data directory share one Redis, which the last one stops', { timeout }, async (t) => {
  const { gateway } = await setUp(t)
  const [first, second] = await Promise.all([gateway(), gateway()])
  const client = connect(t, first)
  const pid = await pidOf(client)
  assert.equal(await pidOf(connect(t, second)), pid)
  await first.stop()
  assert.equal(await client.ping(), 'PONG')
  await second.stop()
  await waitForExit(pid)
})

test('a crashed Redis is restarted with its data', { timeout }, async (t) => {
  const { gateway } = await setUp(t)
  const client = connect(t, await gateway())
  await client.set('job', 'rendering')
  const pid = await pidOf(client)
  const back = new Promise((resolve) => client.once('ready', resolve))
  process.kill(pid, 'SIGKILL')
  await back
  assert.equal(await client.get('job'), 'rendering')
  assert.notEqual(await pidOf(client), pid)
})

test('an append-only file with an incomplete last command is read up to it', {
  timeout,
}, async (t) => {
  const { dataDir, gateway } = await setUp(t)
  const embedded = await gateway()
  const client = connect(t, embedded)
  await client.set('first', 'whole')
  await client.set('second', 'torn')
  await embedded.stop()
  const file = await journal(dataDir)
  await truncate(file, (await stat(file)).size - 3)
  const again = connect(t, await gateway())
  assert.deepEqual(await again.mget('first', 'second'), ['whole', null])
})

test('a failed start of Redis is reported with the end of its log', { timeout }, async (t) => {
  const { dataDir, gateway } = await setUp(t)
  await write(t, await gateway(), 'job', 'rendering')
  await writeFile(await journal(dataDir), 'this is no append-only file\n')
  await assert.rejects(gateway(), /did not start\. Redis log:\n(?:.*\n)*.*(Bad file format|append only file)/)
})

test('the socket is elsewhere if the path of the data directory is too long', { timeout }, async (t) => {
  const { gateway } = await setUp(t, 'deep/'.repeat(25))
  const embedded = await gateway()
  t.after(() => rm(dirname(embedded.path), { recursive: true }))
  assert.ok(Buffer.byteLength(embedded.path) <= 100)
  await write(t, embedded, 'job', 'rendering')
  assert.equal(await read(t, await gateway(), 'job'), 'rendering')
})

async function setUp(t: TestContext, depth = '') {
  const root = await mkdtemp(join(tmpdir(), 'reelgate-embedded-'))
  const dataDir = join(root, depth)
  const started: EmbeddedRedis[] = []
  t.after(async () => {
    for (const embedded of started) await embedded.stop()
    await rm(root, { recursive: true })
  })
  const gateway = async () => {
    const embedded = await startEmbeddedRedis({ dataDir, logger, production: true })
    started.push(embedded)
    return embedded
  }
  return { dataDir, gateway }
}

function connect(t: TestContext, { path }: { path: string }): Redis {
  const client = new Redis({ path, retryStrategy: () => 20, maxRetriesPerRequest: null })
  client.on('error', () => undefined)
  t.after(() => client.disconnect())
  return client
}

async function write(t: TestContext, embedded: EmbeddedRedis, key: string, value: string) {
  await connect(t, embedded).set(key, value)
  await embedded.stop()
}

async function read(t: TestContext, embedded: EmbeddedRedis, key: string) {
  return connect(t, embedded).get(key)
}

async function pidOf(client: Redis): Promise<number> {
  return Number(/process_id:(\d+)/.exec(await client.info('server'))?.[1])
}

async function journal(dataDir: string): Promise<string> {
  const folder = join(dataDir, 'redis', 'appendonlydir')
  const name = (await readdir(folder)).find((file) => file.endsWith('.incr.aof'))
  assert.ok(name !== undefined)
  return join(folder, name)
}

function spawnGateway(dataDir: string): ChildProcess {
  const module = new URL('../../src/redis/embedded.ts', import.meta.url).href
  const program = `
    import { startEmbeddedRedis } from ${JSON.stringify(module)}
    const silent = () => undefined
    const logger = { info: silent, warn: silent, error: silent }
    console.log((await startEmbeddedRedis({ dataDir: ${JSON.stringify(dataDir)}, logger, production: true })).path)`
  return spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

async function firstLine(child: ChildProcess): Promise<string> {
  assert.ok(child.stdout !== null)
  const [chunk] = await once(child.stdout, 'data')
  return String(chunk).trim()
}

/** Resolves when the process is gone; the time limit of the test applies. */
async function waitForExit(pid: number): Promise<void> {
  while (isRunning(pid)) await sleep(5)
}

/** A zombie process counts as gone. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch (error) {
    return error instanceof Error && 'path' in error && !existsSync('/proc/self')
  }
}
