import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { ReplyError } from 'ioredis'
import { StorageUnavailable } from '../../../src/media/storage/storage-fault.ts'
import { RedisUnavailable } from '../../../src/redis/redis-unavailable.ts'
import { listen } from '../../support/listen.ts'
import { plainBody, startGateway, submitted, twoPeople } from '../gateway.ts'

type Lines = readonly Record<string, unknown>[]

/** The log lines of requests at the default level, without the line about the port. */
const ofRequests = (logged: Lines) =>
  logged.filter(({ level, msg }) => Number(level) >= 30 && !String(msg).startsWith('Server listening'))

function checkOneLine(logged: Lines): void {
  const lines = ofRequests(logged)
  assert.ok(lines.length <= 1, JSON.stringify(lines, undefined, 1))
  assert.doesNotMatch(JSON.stringify(lines), /"stack"|\\n\s+at /)
}

const post = (payload: string | object, headers: Record<string, string> = {}): InjectOptions => ({
  method: 'POST',
  url: '/api/generate-video',
  headers: { 'content-type': 'application/json', ...headers },
  payload,
})

const requestsByStatus: Readonly<Record<number, readonly InjectOptions[]>> = {
  400: [
    post('{"model":'),
    post('{"model":"veo2-video","__proto__":{}}'),
    post({ model: 'veo2-video' }),
    post({ ...plainBody, prompt: 5 }),
    post(plainBody, { 'idempotency-key': 'ü' }),
    { url: '/api/%zz' },
    { url: '/api/video/status' },
    { url: '/api/jobs?cursor=x&state=nowhere' },
    { url: '/v1/videos?order=sideways' },
    post({ ...plainBody, webhookUrl: 'ftp://x' }),
    { method: 'POST', url: '/v1/videos', payload: '{}', headers: { 'content-type': 'application/json' } },
    {
      method: 'POST',
      url: '/v1/videos',
      payload: '--x\r\nbroken',
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
    },
  ],
  404: [{ url: '/nowhere' }, { url: '/api/video/status?runId=vid_1' }, post({ ...plainBody, model: 'none' })],
  405: [{ url: '/api/generate-video' }],
  413: [post(JSON.stringify({ prompt: 'x'.repeat(2_000_000) }))],
  415: [post('a=b', { 'content-type': 'application/x-www-form-urlencoded' })],
}

for (const [status, requests] of Object.entries(requestsByStatus)) {
  for (const [index, request] of requests.entries()) {
    test(`the ${status} number ${index + 1} writes one log line without a stack`, async (t) => {
      const { app, logged } = await startGateway(t)
      const reply = await app.inject(request)
      assert.equal(reply.statusCode, Number(status), reply.body)
      checkOneLine(logged)
      assert.equal(ofRequests(logged)[0]?.code, reply.json().code ?? reply.json().error.code)
    })
  }
}

test('a 401 and a 429 write one log line each', async (t) => {
  const limits = { namespace: '', submit: 1, recover: 1, extend: 1, library: 1 }
  const { app, logged } = await startGateway(t, { authenticator: twoPeople, rateLimits: limits })
  assert.equal((await app.inject(post(plainBody))).statusCode, 401)
  checkOneLine(logged.splice(0))
  const asAlice = { 'x-api-key': 'alice-secret-key' }
  assert.equal((await app.inject(post(plainBody, asAlice))).statusCode, 202)
  logged.splice(0)
  assert.equal((await app.inject(post(plainBody, asAlice))).statusCode, 429)
  checkOneLine(logged)
})

/** An error of ioredis, which contains the whole command. */
const refusedByRedis = Object.assign(new ReplyError('OOM command not allowed'), {
  command: { name: 'evalsha', args: ['sha', 'a prompt nobody shall read'] },
})

const outages: readonly [what: string, status: number, changes: Parameters<typeof startGateway>[1]][] = [
  [
    'Redis is unavailable',
    503,
    {
      authenticator: {
        readAccessMode: () => 'keys',
        identify: () => Promise.reject(new RedisUnavailable(refusedByRedis)),
      },
    },
  ],
  ['the disk is full', 507, { storage: faultyStorage(true) }],
  ['storage is unavailable', 503, { storage: faultyStorage(false) }],
  [
    'no upstream has a key',
    503,
    {
      routing: {
        listUpstreams: () => [],
        isAvailable: () => false,
        rejectionMessage: () => undefined,
        describeMissingVariables: () => ['FAL: FAL_KEY'],
        adjustSeed: () => undefined,
        sandbox: false,
      },
    },
  ],
]

function faultyStorage(isFull: boolean) {
  const fault = new StorageUnavailable('keep a file', { isFull, cause: new Error('ENOSPC: no space left') })
  return { fault: () => fault, requireSpace: () => Promise.reject(fault) }
}

for (const [what, status, changes] of outages) {
  test(`while ${what}, a ${status} writes one log line with the reason and without a stack`, async (t) => {
    const { app, logged } = await startGateway(t, changes)
    assert.equal((await app.inject(post(plainBody))).statusCode, status)
    checkOneLine(logged)
    const [line] = ofRequests(logged)
    assert.equal(line?.level, 40)
    assert.ok(line?.reason !== undefined || line?.setOneOf !== undefined)
    assert.doesNotMatch(JSON.stringify(logged), /nobody shall read/)
  })
}

test('an unexpected error is logged with its stack', async (t) => {
  const authenticator = {
    readAccessMode: () => 'keys' as const,
    identify: () => Promise.reject(new TypeError('a bug')),
  }
  const { app, logged } = await startGateway(t, { authenticator })
  assert.equal((await app.inject(post(plainBody))).statusCode, 500)
  const [line, ...others] = ofRequests(logged)
  assert.match(String(Reflect.get(Object(line?.err), 'stack')), /TypeError: a bug\n\s+at /)
  assert.equal(others.length, 1)
})

async function open(app: FastifyInstance): Promise<Socket> {
  const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const socket = connect(Number(port), '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

/** Until the server has closed its side of every connection, so that all of its lines are written. */
async function closed(app: FastifyInstance): Promise<void> {
  const countConnections = () =>
    new Promise<number>((resolve) => app.server.getConnections((_, count) => resolve(count)))
  while ((await countConnections()) > 0) await new Promise(setImmediate)
  await new Promise(setImmediate)
}

const half =
  'POST /api/generate-video HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: '

const brokenOff: readonly [what: string, bytes: string, reply?: RegExp][] = [
  ['malformed HTTP', 'GARBAGE\r\n\r\n', / 400 /],
  ['headers too large', `GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(20_000)}\r\n\r\n`, / 431 /],
  ['a bad length', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n', / 400 /],
  ['a short body that is broken off', `${half}100\r\n\r\n{"model"`],
  ['a long body that is broken off', `${half}900000\r\n\r\n{"model":"${'x'.repeat(100_000)}`],
  ['a form that is broken off', formHead()],
  ['a request line that is broken off', 'GET /api/vid'],
]

function formHead(): string {
  const type = 'multipart/form-data; boundary=x'
  const head = `POST /v1/videos HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: 5000\r\n\r\n`
  return `${head}--x\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na`
}

for (const [what, bytes, reply] of brokenOff) {
  test(`${what} writes at most one log line`, async (t) => {
    const { app, logged } = await startGateway(t)
    const socket = await open(app)
    socket.on('error', () => undefined)
    if (reply === undefined) {
      const arrived = once(app.server, 'request').catch(() => undefined)
      socket.write(bytes)
      if (bytes.includes('\r\n\r\n')) await arrived
      socket.destroy()
    } else {
      socket.write(bytes)
      const [response] = (await once(socket, 'data')) as [Buffer]
      assert.match(response.toString(), reply)
      socket.destroy()
    }
    await closed(app)
    checkOneLine(logged)
  })
}

test('a listener that disconnects, and one whose job ends, write at most one log line each', async (t) => {
  const { app, engine, logged } = await startGateway(t)
  const id = await submitted(app)
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  logged.splice(0)
  const leaving = await listen(`${address}/api/jobs/${id}/events`)
  await leaving.until(1)
  leaving.close()
  await leaving.ended
  await closed(app)
  checkOneLine(logged.splice(0))
  const staying = await listen(`${address}/api/jobs/${id}/events`)
  await staying.until(1)
  engine.advance(id, { state: 'failed', completedAt: 1 })
  await staying.ended
  await closed(app)
  checkOneLine(logged)
})
