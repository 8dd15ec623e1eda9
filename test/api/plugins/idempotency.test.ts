import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { asAlice, asBobby, plainBody, startGateway, twoPeople } from '../gateway.ts'

async function post(
  app: FastifyInstance,
  key: string,
  payload: object = plainBody,
  url = '/api/generate-video',
) {
  const reply = await app.inject({ method: 'POST', url, payload, headers: { 'idempotency-key': key } })
  return { status: reply.statusCode, replayed: reply.headers['idempotent-replayed'], body: reply.json() }
}

test('a repeated submit gets the first reply, whatever the order of its keys', async (t) => {
  const { app, engine } = await startGateway(t)
  const first = await post(app, 'one', { ...plainBody, wings: [1, { a: 1, b: 2 }] })
  const again = await post(app, 'one', { wings: [1, { b: 2, a: 1 }], ...plainBody }, '/v1/generate-video')
  assert.equal(first.replayed, undefined)
  assert.deepEqual(again, { ...first, replayed: 'true' })
  assert.equal(first.body.warnings.length, 1)
  assert.equal(engine.requests.length, 1)
})

for (const [what, other] of Object.entries({
  'another value': { ...plainBody, seed: 2 },
  'a value more': { ...plainBody, seed: 1, aspect_ratio: '16:9' },
  'a list in another order': { ...plainBody, seed: 1, tags: [2, 1] },
  'a number as text': { ...plainBody, seed: '1' },
})) {
  test(`the key with ${what} is rejected`, async (t) => {
    const { app } = await startGateway(t)
    const body = { ...plainBody, seed: 1, ...('tags' in other && { tags: [1, 2] }) }
    assert.equal((await post(app, 'one', body)).status, 202)
    const refused = await post(app, 'one', other)
    assert.equal(refused.status, 422)
    assert.equal(refused.body.error.code, 'idempotency_key_reused')
  })
}

test('the same body on a route that does something else is another request', async (t) => {
  const { app } = await startGateway(t)
  await post(app, 'one')
  assert.equal((await post(app, 'one', plainBody, '/v1/video')).status, 422)
  const first = await post(app, 'two', plainBody, '/v1/video')
  const again = await post(app, 'two', plainBody, '/api/v1/video')
  assert.deepEqual(again, { ...first, replayed: 'true' })
  assert.equal(again.body.status, 'PENDING')
})

test('keys of different callers are independent', async (t) => {
  const { app, engine } = await startGateway(t, { authenticator: twoPeople })
  for (const who of [asAlice, asBobby]) {
    const headers = { ...who, 'idempotency-key': 'one' }
    const reply = await app.inject({
      method: 'POST',
      url: '/api/generate-video',
      payload: plainBody,
      headers,
    })
    assert.equal(reply.statusCode, 202)
  }
  assert.equal(engine.requests.length, 2)
})

for (const key of ['', 'x'.repeat(256), 'caf\u00e9', 'a\tb']) {
  test(`${JSON.stringify(key.slice(0, 10))} of ${key.length} characters is not a valid key`, async (t) => {
    const { app, engine } = await startGateway(t)
    const refused = await post(app, key)
    assert.equal(refused.status, 400)
    assert.equal(refused.body.error.param, 'Idempotency-Key')
    assert.equal(engine.requests.length, 0)
  })
}

test('a rejected submit does not use its key', async (t) => {
  const { app } = await startGateway(t)
  assert.equal((await post(app, 'x'.repeat(255), { model: 'veo2-video' })).status, 400)
  assert.equal((await post(app, 'x'.repeat(255))).status, 202)
})

test('a long data URL is compared by its content', async (t) => {
  const { app, engine } = await startGateway(t)
  const picture = (fill: number) => `data:image/png;base64,${Buffer.alloc(90_000, fill).toString('base64')}`
  const body = (fill: number) => ({ model: 'veo2-video-image-to-video', prompt: 'go', image: picture(fill) })
  const first = await post(app, 'one', body(1))
  assert.equal(first.status, 202)
  assert.deepEqual(await post(app, 'one', body(1)), { ...first, replayed: 'true' })
  assert.equal((await post(app, 'one', body(2))).status, 422)
  assert.equal(engine.requests.length, 1)
})

test('an extension is repeated like any submit', async (t) => {
  const { app, engine } = await startGateway(t)
  const { body } = await post(app, 'parent', {
    model: 'midjourney-video',
    prompt: 'x',
    image: 'https://a.example/a.png',
  })
  engine.advance(body.runId, { state: 'succeeded', videos: [{ url: '/files/v.mp4' }] })
  engine.readTaskReference = async () => ({ id: 'task-1' })
  const extendBody = { runId: body.runId, index: 2 }
  const first = await post(app, 'one', extendBody, '/api/generate-video/extend')
  assert.equal(first.body.success, true)
  const again = await post(app, 'one', extendBody, '/api/generate-video/extend')
  assert.deepEqual(again, { ...first, replayed: 'true' })
  assert.equal(
    (await post(app, 'one', { ...extendBody, index: 1 }, '/api/generate-video/extend')).status,
    422,
  )
  assert.equal(engine.requests.length, 2)
})
