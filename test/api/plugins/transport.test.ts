import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { asAlice, plainBody, startGateway, submitted, twoPeople } from '../gateway.ts'

async function addressOf(app: FastifyInstance): Promise<string> {
  return app.listen({ host: '127.0.0.1', port: 0 })
}

test('over real HTTP: submit, poll, result', async (t) => {
  const { app, engine } = await startGateway(t)
  const address = await addressOf(app)
  const submit = await fetch(`${address}/api/generate-video`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(plainBody),
  })
  assert.equal(submit.status, 202)
  const { runId } = (await submit.json()) as { runId: string }
  engine.advance(runId, { state: 'succeeded', videos: [{ url: '/files/a.mp4' }] })
  const status = await fetch(`${address}/api/video/status?runId=${runId}`, {
    headers: { 'content-type': 'application/json' },
  })
  const { videoUrl } = (await status.json()) as { videoUrl: string }
  assert.equal(videoUrl, `${address}/files/a.mp4`)
})

test('a body far over the limit gets its reply over real HTTP, and the connection stays open', async (t) => {
  const { app } = await startGateway(t)
  const address = await addressOf(app)
  const body = JSON.stringify({ ...plainBody, imageDataUrl: 'x'.repeat(40 * 1024 * 1024) })
  for (let round = 0; round < 3; round++) {
    const reply = await fetch(`${address}/api/generate-video`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    assert.equal(reply.status, 413)
    const { code, message } = (await reply.json()) as { code: string; message: string }
    assert.equal(code, 'payload_too_large')
    assert.match(message, /1048576/)
  }
  assert.equal((await fetch(`${address}/health`)).status, 200)
})

test('a body without a length that grows over the limit is rejected', async (t) => {
  const { app } = await startGateway(t)
  const address = await addressOf(app)
  const chunk = new Uint8Array(256 * 1024).fill(32)
  const body = new ReadableStream({
    start(controller) {
      for (let count = 0; count < 20; count++) controller.enqueue(chunk)
      controller.close()
    },
  })
  const reply = await fetch(`${address}/api/generate-video`, { method: 'POST', body, duplex: 'half' })
  assert.equal(reply.status, 413)
  assert.equal(((await reply.json()) as { code: string }).code, 'payload_too_large')
})

test('an empty body with a JSON content type is accepted', async (t) => {
  const { app } = await startGateway(t)
  const headers = { 'content-type': 'application/json' }
  const balance = await app.inject({ method: 'POST', url: '/api/check-balance', headers })
  assert.equal(balance.statusCode, 200)
  const blank = await app.inject({ method: 'POST', url: '/api/check-balance', headers, payload: ' \n' })
  assert.equal(blank.statusCode, 200)
  const address = await addressOf(app)
  const real = await fetch(`${address}/api/check-balance`, { method: 'POST', headers })
  assert.equal(real.status, 200)
  assert.equal((await fetch(`${address}/api/v1/models`, { headers })).status, 200)
})

for (const type of [
  'application/json',
  'application/json; charset=utf-8',
  'text/plain',
  'application/x-www-form-urlencoded',
  'application/vnd.api+json',
  undefined,
]) {
  test(`JSON is read under the type ${type}`, async (t) => {
    const { app } = await startGateway(t)
    const reply = await app.inject({
      method: 'POST',
      url: '/api/generate-video',
      headers: type === undefined ? {} : { 'content-type': type },
      payload: Buffer.from(`\uFEFF${JSON.stringify(plainBody)}`),
    })
    assert.equal(reply.statusCode, 202, reply.body)
  })
}

const paths = [
  '/api/generate-video',
  '/api/v1/video',
  '/api/video-status',
  '/v1/video-models',
  '/api/check-balance',
  '/anything',
]

test('a browser may call every route from any origin', async (t) => {
  const { app } = await startGateway(t, { authenticator: twoPeople })
  for (const url of paths) {
    const reply = await app.inject({
      method: 'OPTIONS',
      url,
      headers: {
        origin: 'https://app.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'x-api-key, X-Custom',
      },
    })
    assert.equal(reply.statusCode, 204)
    assert.equal(reply.headers['access-control-allow-origin'], '*')
    assert.equal(reply.headers['access-control-allow-methods'], 'GET, POST, OPTIONS')
    const allowed = String(reply.headers['access-control-allow-headers']).split(', ')
    for (const name of ['x-api-key', 'X-Custom', 'authorization', 'content-type', 'accept']) {
      assert.ok(allowed.includes(name), name)
    }
    assert.ok(String(reply.headers['x-request-id']).length > 0)
  }
  assert.equal((await app.inject({ method: 'OPTIONS', url: '/api/generate-video' })).statusCode, 204)
})

test('every reply has its own request ID, can be read by any origin, and is never cached', async (t) => {
  const { app } = await startGateway(t, { authenticator: twoPeople })
  const id = await submitted(app, { headers: asAlice })
  const seen = new Set<string>()
  const urls = ['/health', '/ready', '/nowhere', '/api/v1/models', `/api/video-status?runId=${id}`]
  for (const url of urls) {
    const { headers } = await app.inject({
      url,
      headers: { origin: 'https://app.example' },
    })
    assert.equal(headers['cache-control'], 'no-store')
    assert.equal(headers['access-control-allow-origin'], '*')
    const exposed = 'retry-after, x-request-id, idempotent-replayed, preference-applied'
    assert.equal(headers['access-control-expose-headers'], exposed)
    assert.equal(headers['content-type'], 'application/json')
    seen.add(String(headers['x-request-id']))
  }
  assert.equal(seen.size, urls.length)
})

const keys: readonly { what: string; headers: Record<string, string>; owner: string | undefined }[] = [
  { what: 'x-api-key', headers: { 'X-API-Key': 'alice-secret-key' }, owner: 'alice' },
  { what: 'a bearer', headers: { Authorization: 'Bearer alice-secret-key' }, owner: 'alice' },
  {
    what: 'a bearer in small letters',
    headers: { authorization: 'bearer  bobby-secret-key ' },
    owner: 'bobby',
  },
  { what: 'both', headers: { ...asAlice, authorization: 'Bearer alice-secret-key' }, owner: 'alice' },
  {
    what: 'two different ones',
    headers: { ...asAlice, authorization: 'Bearer bobby-secret-key' },
    owner: 'alice',
  },
  {
    what: 'an empty one and a bearer',
    headers: { 'x-api-key': '', authorization: 'Bearer bobby-secret-key' },
    owner: 'bobby',
  },
  { what: 'another scheme', headers: { authorization: 'Basic YTpi' }, owner: undefined },
  { what: 'a payment instead of a key', headers: { 'x-x402': 'true' }, owner: undefined },
]

for (const { what, headers, owner } of keys) {
  test(`the key is taken from ${what}`, async (t) => {
    const { app, engine } = await startGateway(t, { authenticator: twoPeople })
    const reply = await app.inject({
      method: 'POST',
      url: '/api/generate-video',
      headers,
      payload: plainBody,
    })
    assert.equal(reply.statusCode, owner === undefined ? 401 : 202)
    assert.equal(engine.requests[0]?.owner, owner)
  })
}

test('without API keys on the server any key is accepted', async (t) => {
  const { app } = await startGateway(t)
  const id = await submitted(app, { headers: { 'x-api-key': 'whatever' } })
  assert.equal((await app.inject(`/api/video-status?runId=${id}`)).statusCode, 200)
})

test('health reports liveness, ready reports readiness', async (t) => {
  let storeAnswers = true
  const { app } = await startGateway(t, { isReady: async () => storeAnswers })
  const request = async (url: string) => (await app.inject(url)).statusCode
  assert.deepEqual([await request('/health'), await request('/ready')], [200, 200])
  storeAnswers = false
  assert.deepEqual([await request('/health'), await request('/ready')], [200, 503])
})
