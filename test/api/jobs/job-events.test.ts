import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { listen, type SentEvent } from '../../support/listen.ts'
import { asAlice, asBobby, plainBody, startGateway, submitted, twoPeople } from '../gateway.ts'

const versions = (events: readonly SentEvent[]) => events.map(({ id }) => id)

async function addressOf(app: FastifyInstance): Promise<string> {
  return app.listen({ host: '127.0.0.1', port: 0 })
}

test('a listener receives the state of a job, then every change, until the job has ended', async (t) => {
  const { app, engine } = await startGateway(t)
  const address = await addressOf(app)
  const id = await submitted(app)
  const listener = await listen(`${address}/api/jobs/${id}/events`)
  await listener.until(1)
  engine.advance(id, { state: 'processing' })
  engine.advance(id, { progress: 40 })
  engine.advance(id, {
    state: 'succeeded',
    progress: 100,
    completedAt: 1e12,
    videos: [{ url: '/files/v.mp4' }],
  })
  await listener.ended

  assert.equal(listener.contentType, 'text/event-stream')
  assert.deepEqual(versions(listener.events), [1, 2, 3, 4])
  const stages = listener.events.map(({ body }) => [body.stage, body.progress])
  assert.deepEqual(stages, [
    ['pending', 0],
    ['processing', 0],
    ['processing', 40],
    ['succeeded', 100],
  ])
  const statusReply = await app.inject(`/api/video/status?requestId=${id}`)
  const { videoUrl, ...last } = listener.events.at(-1)?.body ?? {}
  assert.equal(videoUrl, `${address}/files/v.mp4`)
  assert.deepEqual(Object.keys(statusReply.json()), Object.keys({ ...statusReply.json(), ...last }))
})

for (const how of ['header', 'query']) {
  test(`a listener resumes after its last event, which it sends in the ${how}`, async (t) => {
    const { app, engine } = await startGateway(t)
    const address = `${await addressOf(app)}/api/jobs/${await submitted(app)}/events`
    const id = /vid_\w+/.exec(address)?.[0] ?? ''
    for (let progress = 10; progress < 60; progress += 10)
      engine.advance(id, { state: 'processing', progress })
    const listener =
      how === 'header'
        ? await listen(address, { 'last-event-id': '3' })
        : await listen(`${address}?lastEventId=3`)
    await listener.until(3)
    engine.advance(id, {
      state: 'failed',
      completedAt: 1e12,
      error: { code: 'timeout', message: 'too late' },
    })
    await listener.ended
    assert.deepEqual(versions(listener.events), [4, 5, 6, 7])
    assert.deepEqual(
      listener.events.map(({ body }) => [body.progress, body.error, body.completedAt === null]),
      [
        [30, null, true],
        [40, null, true],
        [50, null, true],
        [50, 'too late', false],
      ],
    )
    const again = await fetch(address, { headers: { 'last-event-id': '7' } })
    assert.equal(again.status, 204)
  })
}

test('an invalid last event ID starts with the current state', async (t) => {
  const { app, engine } = await startGateway(t)
  const address = await addressOf(app)
  const id = await submitted(app)
  engine.advance(id, { state: 'canceled', error: { code: 'canceled', message: 'The job was canceled' } })
  for (const lastEventId of ['-1', 'x', '99', '']) {
    const listener = await listen(`${address}/api/jobs/${id}/events`, { 'last-event-id': lastEventId })
    await listener.ended
    assert.deepEqual(versions(listener.events), [2])
  }
})

test('only the owner receives the events of a job', async (t) => {
  const { app } = await startGateway(t, { authenticator: twoPeople })
  const id = await submitted(app, { headers: asAlice })
  const url = `/api/jobs/${id}/events`
  assert.equal((await app.inject({ url })).statusCode, 401)
  assert.equal((await app.inject({ url, headers: asBobby })).statusCode, 403)
  assert.equal((await app.inject({ url: '/api/jobs/vid_none/events', headers: asBobby })).statusCode, 404)
})

test('streams end when the server closes, and a waiting request gets its reply', {
  timeout: 20_000,
}, async (t) => {
  const { app } = await startGateway(t)
  const address = await addressOf(app)
  const id = await submitted(app)
  const listener = await listen(`${address}/api/jobs/${id}/events`)
  await listener.until(1)
  const waiting = fetch(`${address}/api/video-status?runId=${id}&wait=60`)
  await new Promise((resolve) => setTimeout(resolve, 50))
  await Promise.all([app.close(), listener.ended])
  assert.equal((await waiting).status, 200)
})

test('a silent stream has a heartbeat', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { app } = await startGateway(t)
  const address = await addressOf(app)
  const listener = await listen(`${address}/api/jobs/${await submitted(app)}/events`)
  await listener.until(1)
  t.mock.timers.tick(15_000)
  await listener.waitForText(/\n:\n\n$/)
})

test('a listener that does not read is disconnected', { timeout: 20_000 }, async (t) => {
  const { app, engine } = await startGateway(t)
  const { port } = new URL(await addressOf(app))
  const id = await submitted(app)
  const accepted = once(app.server, 'connection')
  const reader = connect(Number(port), '127.0.0.1')
  t.after(() => reader.destroy())
  reader.on('error', () => undefined)
  reader.write(`GET /api/jobs/${id}/events HTTP/1.1\r\nHost: x\r\n\r\n`)
  await once(reader, 'readable')
  const [socket] = (await accepted) as [Socket]
  const dropped = once(socket, 'close')
  for (let turn = 0; turn < 2000; turn++) {
    engine.advance(id, { model: 'x'.repeat(8192) })
    if (turn % 20 === 0) await setImmediate()
  }
  await dropped
})

const path = '/api/video/status'

test('a waiting status request returns on the next change', async (t) => {
  const { app, engine } = await startGateway(t)
  const id = await submitted(app)
  const began = Date.now()
  const waiting = app.inject(`${path}?requestId=${id}&wait=30`)
  setTimeout(() => engine.advance(id, { state: 'processing', progress: 7 }), 50)
  const { stage, progress } = (await waiting).json()
  assert.deepEqual([stage, progress], ['processing', 7])
  assert.ok(Date.now() - began < 10_000)
})

test('a waiting status request returns the current state after its time, on every path', async (t) => {
  const { app } = await startGateway(t)
  const id = await submitted(app)
  const paths = ['/api/video-status', '/api/generate-video/status', '/v1/video/status', path]
  const replies = await Promise.all(paths.map((one) => app.inject(`${one}?runId=${id}&wait=0.1`)))
  for (const reply of replies) assert.equal(reply.json().stage, 'pending')
})

test('a status request does not wait for a job that has ended, or with an invalid wait', async (t) => {
  const { app, engine } = await startGateway(t)
  const began = Date.now()
  const open = await submitted(app)
  for (const wait of ['0', '-3', 'x', '']) await app.inject(`${path}?requestId=${open}&wait=${wait}`)
  const id = await submitted(app, { payload: { ...plainBody, prompt: 'b' } })
  engine.advance(id, { state: 'canceled', error: { code: 'canceled', message: 'The job was canceled' } })
  assert.equal((await app.inject(`${path}?requestId=${id}&wait=60`)).json().stage, 'canceled')
  assert.ok(Date.now() - began < 10_000)
})
