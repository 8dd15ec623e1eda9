import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { asAlice, asBobby, startGateway, twoPeople } from '../gateway.ts'

const image = 'https://media.example/start.png'
const model = 'midjourney-video'
const videos = [0, 1, 2, 3].map((clip) => ({ url: `/files/clip-${clip}.mp4` })) as [
  { url: string },
  { url: string },
]

type Call = { payload: Record<string, unknown>; headers?: Record<string, string> }

/** A gateway in which Alice has one job, of which the upstream's task is 1757399847039557. */
async function start(t: TestContext, body: Record<string, unknown> = { model, image }) {
  const { app, engine } = await startGateway(t, { authenticator: twoPeople })
  engine.readTaskReference = async () => ({ id: '1757399847039557' })
  const post = (url: string, { payload, headers = asAlice }: Call) =>
    app.inject({ method: 'POST', url, payload, headers })
  const runId: string = (await post('/api/generate-video', { payload: body })).json().runId
  return {
    engine,
    runId,
    extend: (payload: Record<string, unknown>, headers?: Record<string, string>) =>
      post('/api/generate-video/extend', { payload, ...(headers && { headers }) }),
    check: (payload: Record<string, unknown>, headers?: Record<string, string>) =>
      post('/api/check-midjourney-status', { payload, ...(headers && { headers }) }),
  }
}

test('a clip of a finished job is extended, at the price of the job', async (t) => {
  const { engine, runId, extend } = await start(t, { model, image, resolution: '720p' })
  engine.advance(runId, { state: 'succeeded', videos })
  const reply = await extend({ runId, index: '2', prompt: 'it goes on', motion: 'high' })
  assert.equal(reply.statusCode, 202)
  const body = reply.json()
  assert.equal(body.success, true)
  assert.equal(body.status, 'pending')
  assert.equal(body.model, model)
  assert.equal(body.cost, 0.225)
  assert.equal(typeof body.message, 'string')
  assert.equal(typeof body.eta, 'number')
  assert.ok(body.runId !== runId && body.runId === body.id && body.id === body.taskId)
  assert.deepEqual(engine.requests.at(-1)?.input, {
    prompt: 'it goes on',
    motion: 'high',
    extendTask: '1757399847039557',
    extendIndex: 2,
  })
})

test('the first clip is index 0, and each name of the job ID is accepted', async (t) => {
  const { engine, runId, extend } = await start(t)
  engine.advance(runId, { state: 'succeeded', videos })
  assert.equal((await extend({ taskId: runId, index: 0 })).statusCode, 202)
  const request = engine.requests.at(-1)
  assert.deepEqual(request?.input, { motion: 'low', extendTask: '1757399847039557', extendIndex: 0 })
  assert.equal(request?.costUsd, 0.075)
})

test('only a clip of the caller’s own finished job can be extended', async (t) => {
  const { engine, runId, extend } = await start(t)
  assert.equal((await extend({ runId, index: 0 })).statusCode, 409)
  engine.advance(runId, { state: 'succeeded', videos })
  assert.equal((await extend({ runId, index: 0 }, asBobby)).statusCode, 403)
  assert.equal((await extend({ runId: 'vid_nothing', index: 0 })).statusCode, 404)
  for (const wrong of [{ index: 0 }, { runId }, { runId, index: 4 }, { runId, index: 'x' }]) {
    assert.equal((await extend(wrong)).statusCode, 400)
  }
  const strict = { ...asAlice, prefer: 'handling=strict' }
  assert.equal((await extend({ runId, index: 1, motion: 'wild' }, strict)).statusCode, 400)
  engine.readTaskReference = async () => undefined
  assert.equal((await extend({ runId, index: 1 })).statusCode, 409)
  assert.equal(engine.requests.length, 1)
})

test('jobs of other models cannot be extended', async (t) => {
  const { engine, runId, extend } = await start(t, { model: 'veo2-video', prompt: 'a fox' })
  engine.advance(runId, { state: 'succeeded', videos })
  assert.equal((await extend({ runId, index: 0 })).statusCode, 400)
})

test('with a source video and a model it is a normal submit', async (t) => {
  const { engine, extend } = await start(t)
  const video = 'https://media.example/source.mp4'
  const reply = await extend({
    model: 'wan-wavespeed-22-spicy-extend',
    videoUrl: video,
    prompt: 'on',
    duration: 5,
  })
  assert.equal(reply.statusCode, 202)
  assert.equal(engine.requests.at(-1)?.input.video, video)
})

test('the status has the format of Midjourney', async (t) => {
  const { engine, runId, check } = await start(t)
  const body = async () => (await check({ task_id: runId })).json()
  assert.deepEqual(await body(), { status: 'NOT_START', task_id: runId, progress: '0%' })
  engine.advance(runId, { state: 'processing', progress: 50 })
  assert.deepEqual(await body(), { status: 'IN_PROGRESS', task_id: runId, progress: '50%' })
  engine.advance(runId, { state: 'succeeded', progress: 100, videos })
  const done = await body()
  assert.equal(done.status, 'SUCCESS')
  assert.match(done.imageUrl, /^http:.*\/files\/clip-0\.mp4$/)
  assert.equal(new Set(done.videoUrls).size, 4)
  engine.advance(runId, { state: 'failed', error: { code: 'upstream_error', message: 'It broke' } })
  const failed = await body()
  assert.equal(failed.status, 'FAILED')
  assert.equal(failed.failReason, 'It broke')
})

test('an unknown ID is not an error, a missing one is', async (t) => {
  const { runId, check } = await start(t)
  const unknown = await check({ task_id: '1757399847039557' })
  assert.equal(unknown.statusCode, 200)
  assert.deepEqual(unknown.json(), { status: 'unknown', task_id: '1757399847039557' })
  assert.equal((await check({})).statusCode, 400)
  assert.equal((await check({ task_id: runId }, asBobby)).statusCode, 403)
})
