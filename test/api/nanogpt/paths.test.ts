import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plainBody, startGateway, submitted } from '../gateway.ts'

const prefixes = ['/api', '', '/api/v1', '/v1', '/api/v1/api']

const queued = { seed: 'queued', current: 'queued', first: 'PENDING' }

/** Path below a prefix -> its response format under each of the five prefixes. */
const statusPaths = {
  '/video-status': ['seed', 'seed', 'seed', 'seed', 'seed'],
  '/generate-video/status': ['current', 'current', 'current', 'current', 'current'],
  '/video/status': ['current', 'current', 'first', 'first', 'current'],
  '/v1/video/status': ['first', 'first', 'first', 'first', 'first'],
} as const

const done = { seed: 'succeeded', current: 'completed', first: 'COMPLETED' }

for (const [path, dialects] of Object.entries(statusPaths)) {
  test(`GET ${path} works under every prefix, each in its format`, async (t) => {
    const { app, engine } = await startGateway(t)
    for (const [index, prefix] of prefixes.entries()) {
      const dialect = dialects[index] ?? 'current'
      const url = prefix + path
      const id = await submitted(app)
      engine.advance(id, { state: 'queued' })
      const waiting = await app.inject(`${url}?runId=${id}`)
      assert.equal(waiting.statusCode, 200, url)
      assert.equal(waiting.json().status, queued[dialect], url)
      assert.equal(waiting.json().data.status, 'IN_QUEUE', url)
      engine.advance(id, { state: 'succeeded', videos: [{ url: '/files/x.mp4' }] })
      const ended = await app.inject(`${url}?runId=${id}`)
      assert.equal(ended.json().status, done[dialect], url)
      assert.equal(ended.json().data.status, 'COMPLETED', url)
    }
  })
}

const lists = [
  '/v1/video-models',
  '/subscription/v1/video-models',
  '/paid/v1/video-models',
  '/models/video',
  '/v1/models',
  '/models',
  '/models/image',
  '/v1/images/models',
  '/v1/image-models',
  '/v1/audio-models',
  '/v1/embedding-models',
  '/subscription/v1/models',
  '/paid/v1/models',
  '/personalized/v1/models',
]

for (const prefix of prefixes) {
  test(`submit, recover, cancel and check-balance work under '${prefix}'`, async (t) => {
    const { app } = await startGateway(t)
    const accepted = await app.inject({
      method: 'POST',
      url: `${prefix}/generate-video`,
      payload: plainBody,
    })
    assert.equal(accepted.statusCode, 202)
    const id = accepted.json().runId
    const recovered = await app.inject(`${prefix}/generate-video/recover`)
    assert.deepEqual(
      recovered.json().data.map((entry: { runId: string }) => entry.runId),
      [id],
    )
    const canceled = await app.inject({
      method: 'POST',
      url: `${prefix}/generate-video/cancel`,
      payload: { runId: id },
    })
    assert.equal(canceled.statusCode, 200)
    const balance = await app.inject({ method: 'POST', url: `${prefix}/check-balance` })
    assert.equal(balance.statusCode, 200)
  })

  test(`the submit of March 2025 returns 200 under '${prefix}'`, async (t) => {
    const { app } = await startGateway(t)
    const reply = await app.inject({ method: 'POST', url: `${prefix}/v1/video`, payload: plainBody })
    assert.equal(reply.statusCode, 200)
    const { status, isCompleted, isSuccess } = reply.json()
    assert.deepEqual(
      { status, isCompleted, isSuccess },
      { status: 'PENDING', isCompleted: false, isSuccess: false },
    )
  })

  test(`every list works under '${prefix}'`, async (t) => {
    const { app } = await startGateway(t)
    for (const path of lists) {
      const reply = await app.inject(prefix + path)
      assert.equal(reply.statusCode, 200, path)
      assert.ok(path === '/models/video' ? reply.json().models.video : reply.json().object === 'list', path)
    }
    assert.equal((await app.inject(`${prefix}/subscription/v1/usage`)).statusCode, 200)
  })
}

test('repeated and trailing slashes are ignored', async (t) => {
  const { app } = await startGateway(t)
  const id = await submitted(app, { url: '//api//generate-video/' })
  for (const url of ['//api/video-status', '/api/video/status/', '/api///generate-video//status/']) {
    const reply = await app.inject(`${url}?runId=${id}`)
    assert.equal(reply.statusCode, 200, url)
    assert.equal(reply.json().runId, id)
  }
})

test('HEAD of a status returns no body', async (t) => {
  const { app } = await startGateway(t)
  const id = await submitted(app)
  const reply = await app.inject({ method: 'HEAD', url: `/api/video-status?runId=${id}` })
  assert.equal(reply.statusCode, 200)
  assert.equal(reply.body, '')
})
