import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { startProcess, stopProcess } from '../support/gateway-process.ts'
import {
  type Cleanup,
  createCleanup,
  startRedis,
  startTestGateway,
  startUpstreams,
  submit,
  temporaryFolder,
  waitForEnd,
} from '../support/setup.ts'

const body = { model: 'veo3-video', prompt: 'a boat', duration: '8', wings: 2 }

async function post(address: string, key: string, payload: unknown = body) {
  const reply = await fetch(`${address}/api/generate-video`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify(payload),
  })
  return {
    status: reply.status,
    replayed: reply.headers.get('idempotent-replayed'),
    body: (await reply.json()) as { runId: string; code?: string; warnings: string[] },
  }
}

describe('idempotency under load', () => {
  const cleanup = createCleanup()
  let address: string
  let redis: Redis
  let upstreams: Awaited<ReturnType<typeof startUpstreams>>

  before(async () => {
    redis = (await startRedis(cleanup)).redis
    upstreams = await startUpstreams(cleanup, redis)
    address = (await startTestGateway(cleanup, { ...upstreams.env, SUBMIT_RPM: '10000' })).address
  })
  after(() => cleanup.run())

  it('creates one job and one submission from 200 requests with one key, and returns 200 equal replies', async () => {
    const replies = await Promise.all(Array.from({ length: 200 }, () => post(address, 'storm')))
    assert.deepEqual(new Set(replies.map(({ status }) => status)), new Set([202]))
    assert.equal(new Set(replies.map((reply) => JSON.stringify(reply.body))).size, 1)
    assert.equal(replies.filter(({ replayed }) => replayed === 'true').length, 199)
    await waitForEnd(address, replies[0]?.body.runId ?? '')
    assert.equal((await upstreams.host.tasks('fal')).length, 1)
  })

  it('returns the first reply again after the job has ended, with its warnings', async () => {
    const first = await post(address, 'later')
    assert.equal(first.body.warnings.length, 1)
    await waitForEnd(address, first.body.runId)
    const again = await post(address, 'later', Object.fromEntries(Object.entries(body).reverse()))
    assert.deepEqual(again, { ...first, replayed: 'true' })
  })

  it('rejects the key with another body', async () => {
    await post(address, 'reused')
    const other = await post(address, 'reused', { ...body, prompt: 'a ship' })
    assert.equal(other.status, 422)
    assert.equal(other.body.code, 'idempotency_key_reused')
  })
})

describe('kill -9 between the record and the reply', () => {
  const cleanup = createCleanup()
  after(() => cleanup.run())

  it('returns the reply of the first request to the second, with one upstream submission in total', async () => {
    const { url, redis } = await startRedis(cleanup)
    const upstreams = await startUpstreams(cleanup, redis)
    const link = await startLink(cleanup, url)
    const env = { ...upstreams.env, DATA_DIR: await temporaryFolder(cleanup) }

    const first = await startProcess({ ...env, REDIS_URL: link.url, ROLE: 'api' })
    cleanup.add(() => stopProcess(first, 'SIGKILL'))
    await submit(first.address, body)
    link.loseAnswerTo('reelgate:once:')
    const lost = post(first.address, 'killed').catch(() => undefined)
    const [record = ''] = await keysUnder(redis, 'reelgate:once:*')
    await stopProcess(first, 'SIGKILL')
    assert.equal(await lost, undefined)

    const second = await startProcess({ ...env, REDIS_URL: url })
    cleanup.add(() => stopProcess(second))
    const reply = await post(second.address, 'killed')
    assert.equal(reply.replayed, 'true')
    const replayedView = JSON.parse((await redis.hget(record, 'view')) ?? '{}') as { id: string }
    assert.equal(reply.body.runId, replayedView.id)
    assert.equal((await waitForEnd(second.address, reply.body.runId)).data.status, 'COMPLETED')
    assert.equal((await upstreams.host.tasks('fal')).length, 2)
  })
})

async function keysUnder(redis: Redis, pattern: string): Promise<string[]> {
  for (;;) {
    const matchingKeys = await redis.keys(pattern)
    if (matchingKeys.length > 0) return matchingKeys
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** A proxy to Redis that drops all replies after a script that names a key. */
async function startLink(cleanup: Cleanup, path: string) {
  const sockets = new Set<Socket>()
  let fatal: string | undefined
  const server = createServer((near) => {
    const far = connect(path)
    let silent = false
    near.on('data', (piece) => {
      const text = piece.toString('latin1')
      silent ||= fatal !== undefined && text.includes('evalsha') && text.includes(fatal)
      far.write(piece)
    })
    far.on('data', (piece) => silent || near.write(piece))
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => [near, far].map((one) => one.destroy()))
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanup.add(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const at = server.address()
  assert.ok(typeof at === 'object' && at !== null)
  return {
    url: `redis://127.0.0.1:${at.port}`,
    loseAnswerTo: (key: string) => {
      fatal = key
    },
  }
}
