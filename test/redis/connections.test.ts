import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { inspect } from 'node:util'
import type { Redis } from 'ioredis'
import { pino } from 'pino'
import { createConnections, type RedisTarget } from '../../src/redis/connections.ts'
import { type EmbeddedRedis, startEmbeddedRedis } from '../../src/redis/embedded.ts'
import { startServer } from '../faults/cluster.ts'
import { waitUntil } from '../faults/jobs.ts'
import { startProxy } from '../faults/redis-proxy.ts'
import { createCleanup, startRedis } from '../support/setup.ts'

const timeout = 60_000
const silent = pino({ level: 'silent' })

test('during a Redis outage a request fails, a worker waits, and one line is logged', {
  timeout,
}, async (t) => {
  const { gateway } = await setUp(t)
  const redis = await gateway()
  const { connections, lines } = connect(t, { path: redis.path })
  const [request, worker] = await Promise.all([connections.forRequests(), connections.forWorkers()])
  await request.set('job', 'rendering')

  const away = [request, worker].map((client) => event(client, 'reconnecting', 3))
  await redis.stop()
  await Promise.all(away)
  await assert.rejects(request.get('job'), /isn't writeable/)
  const waiting = worker.get('job')

  const back = [request, worker].map((client) => event(client, 'ready'))
  await gateway()
  await Promise.all(back)
  assert.equal(await waiting, 'rendering')
  assert.equal(await request.get('job'), 'rendering')
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).msg),
    ['Redis connection lost', 'Redis connection restored'],
  )
})

test('a connection to a primary that has become a replica is renewed', { timeout }, async (t) => {
  const cleanup = createCleanup()
  t.after(() => cleanup.run())
  const [first, second] = await Promise.all([startRedis(cleanup), startRedis(cleanup)])
  const proxy = await startProxy(cleanup, { path: first.url })
  const { connections } = connect(t, { url: `redis://127.0.0.1:${proxy.port}` })
  const [worker, request] = await Promise.all([connections.forWorkers(), connections.forRequests()])
  await worker.set('job', 'on the first')
  proxy.leadTo({ path: second.url }, { cut: false })
  await first.redis.replicaof('127.0.0.1', '1')
  for (const client of [worker, request]) {
    await assert.rejects(client.set('job', 'on the second'), /READONLY/)
    const write = () => client.set('job', 'on the second').catch(() => undefined)
    while ((await write()) === undefined) await new Promise((resolve) => setTimeout(resolve, 10))
  }
  assert.equal(await second.redis.get('job'), 'on the second')
  await first.redis.replicaof('NO', 'ONE')
})

test('connections carry the names that an operator sees in CLIENT LIST', { timeout }, async (t) => {
  const { gateway } = await setUp(t)
  const { connections } = connect(t, { path: (await gateway()).path })
  const client = await connections.forRequests()
  await connections.forWorkers()
  const list = String(await client.client('LIST'))
  assert.match(list, / name=reelgate:requests /)
  assert.match(list, / name=reelgate:workers /)
})

test('an unreachable Redis is reported, and not awaited forever', { timeout }, async (t) => {
  const { dataDir } = await setUp(t)
  const { connections } = connect(t, { path: join(dataDir, 'nobody.sock') }, 200)
  await assert.rejects(connections.forRequests(), /^Error: Cannot connect to Redis: connect ENOENT/)
})

test('a wrong password is reported without the password', { timeout }, async (t) => {
  const { gateway } = await setUp(t)
  const local = await connect(t, { path: (await gateway()).path }).connections.forRequests()
  const port = await freePort()
  await local.config('SET', 'port', String(port), 'bind', '127.0.0.1', 'requirepass', 'right-secret')

  const wrong = connect(t, { url: `redis://:wrong-secret@127.0.0.1:${port}` }, 1000)
  await assert.rejects(wrong.connections.forRequests(), (error: Error) => {
    assert.match(error.message, /WRONGPASS/)
    assert.doesNotMatch(inspect(error, { depth: null }), /wrong-secret/)
    return true
  })
  const right = connect(t, { url: `redis://:right-secret@127.0.0.1:${port}` })
  assert.equal(await (await right.connections.forRequests()).ping(), 'PONG')
  await local.config('SET', 'requirepass', '')
})

async function setUp(t: TestContext) {
  const dataDir = await mkdtemp(join(tmpdir(), 'reelgate-connect-'))
  const started: EmbeddedRedis[] = []
  t.after(async () => {
    for (const embedded of started) await embedded.stop()
    await rm(dataDir, { recursive: true })
  })
  const gateway = async () => {
    const embedded = await startEmbeddedRedis({ dataDir, logger: silent, production: true })
    started.push(embedded)
    return embedded
  }
  return { dataDir, gateway }
}

function connect(t: TestContext, target: RedisTarget, patienceMs = 10_000) {
  const lines: string[] = []
  const logger = pino({}, { write: (line: string) => lines.push(line) })
  const connections = createConnections(target, { prefix: 'reelgate:', logger, connectTimeoutMs: patienceMs })
  t.after(() => connections.close())
  return { connections, lines }
}

/** Resolves when the client has emitted the event `times` times. */
function event(client: Redis, name: 'ready' | 'reconnecting', times = 1): Promise<void> {
  return new Promise((resolve) => {
    let events = 0
    client.on(name, () => {
      events += 1
      if (events === times) resolve()
    })
  })
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

test('connections move from a server that became a replica to the new primary', { timeout }, async (t) => {
  const { link, first, second, open } = await placePair(t)
  for (const client of await open()) {
    link.leadTo({ path: first.path }, { cut: false })
    await first.redis.replicaof('NO', 'ONE')
    await client.set('job', 'rendering')
    await first.redis.replicaof('127.0.0.1', '1')
    link.leadTo({ path: second.path }, { cut: false })
    await assert.rejects(client.set('job', 'done'), /READONLY/)
    await setWhenReady(client)
    assert.equal(await second.redis.get('job'), 'done')
    await second.redis.del('job')
  }
})

test('connections move from a silent server to the new primary', { timeout }, async (t) => {
  const { link, first, second, open } = await placePair(t, { silenceMs: 300 })
  for (const client of await open()) {
    link.leadTo({ path: first.path }, { cut: false })
    await client.set('job', 'rendering')
    first.freeze()
    link.leadTo({ path: second.path }, { cut: false })
    await setWhenReady(client)
    assert.equal(await second.redis.get('job'), 'done')
    await second.redis.del('job')
    first.thaw()
  }
})

/** Two servers behind one address. */
async function placePair(t: TestContext, options: { silenceMs?: number } = {}) {
  const cleanup = createCleanup()
  t.after(() => cleanup.run())
  const [first, second] = [await startServer(cleanup), await startServer(cleanup)]
  const link = await startProxy(cleanup, { path: first.path })
  const target = { url: `redis://127.0.0.1:${link.port}` }
  const connections = createConnections(target, { prefix: 'reelgate:', logger: silent, ...options })
  cleanup.add(() => connections.close())
  const open = async () => [await connections.forWorkers(), await connections.forRequests()]
  return { link, first, second, open }
}

async function setWhenReady(client: Redis): Promise<void> {
  const isWritten = () => client.set('job', 'done').then(Boolean, () => false)
  assert.ok(await waitUntil(isWritten, { times: 100, everyMs: 50 }))
}
