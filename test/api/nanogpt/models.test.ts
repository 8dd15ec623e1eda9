import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildLegacyListEntry, buildListEntry, buildModelSummary } from '../../../src/catalogue/listing.ts'
import { models } from '../../../src/catalogue/models/index.ts'
import { asAlice, asBobby, everythingOnFal, startGateway, submitted, twoPeople } from '../gateway.ts'

const asJson = (value: unknown) => JSON.parse(JSON.stringify(value))

test('the list of video models is detailed unless the short form is requested', async (t) => {
  const available = (model: { id: string }) => model.id === 'veo2-video'
  const { app } = await startGateway(t, { routing: { ...everythingOnFal, isAvailable: available } })
  const full = (await app.inject('/api/v1/video-models')).json()
  assert.deepEqual(full.data, asJson(models.map((model) => buildListEntry(model, available(model)))))
  assert.equal(full.meta.count, models.length)
  assert.equal(new Date(full.meta.generated_at).toISOString(), full.meta.generated_at)
  const short = (await app.inject('/api/v1/video-models?detailed=false')).json()
  assert.deepEqual(short.data, asJson(models.map(buildModelSummary)))
})

test('all models in short form; the detailed list has text models only, so it is empty', async (t) => {
  const { app } = await startGateway(t)
  for (const path of ['/api/v1/models', '/models']) {
    const data = asJson(models.map(buildModelSummary))
    assert.deepEqual((await app.inject(path)).json(), { object: 'list', data })
    const detailed = await app.inject(`${path}?detailed=true`)
    assert.deepEqual([detailed.statusCode, detailed.json()], [200, { object: 'list', data: [] }])
  }
})

test('a program that joins the lists and takes the first entry of an id finds a video model', async (t) => {
  const { app } = await startGateway(t)
  const lists = ['/api/v1/models?detailed=true', '/api/models/image', '/api/models/video']
  const replies = await Promise.all(lists.map(async (url) => (await app.inject(url)).json()))
  const kinds = replies.flatMap(({ data = [], models: { image = {}, video = {} } = {} }) => [
    ...data.map(({ id }: { id: string }) => [id, 'text']),
    ...Object.keys(image).map((id) => [id, 'image']),
    ...Object.keys(video).map((id) => [id, 'video']),
  ])
  assert.equal(kinds.find(([id]) => id === 'veo3-fast-video')?.[1], 'video')
})

test('a caller has no subscription, in the documented format', async (t) => {
  const { app } = await startGateway(t, { authenticator: twoPeople })
  const reply = await app.inject({ url: '/api/subscription/v1/usage', headers: asAlice })
  const { active, limits, daily, monthly, state } = reply.json()
  assert.deepEqual(
    [reply.statusCode, active, limits, state],
    [200, false, { daily: 0, monthly: 0 }, 'inactive'],
  )
  assert.ok(daily.resetAt > Date.now() && monthly.resetAt >= daily.resetAt)
  assert.equal((await app.inject('/api/subscription/v1/usage')).statusCode, 401)
})

test('the legacy list by model ID', async (t) => {
  const { app } = await startGateway(t)
  const { video } = (await app.inject('/api/models/video')).json().models
  assert.deepEqual(
    Object.keys(video),
    models.map((model) => model.id),
  )
  for (const model of models) assert.deepEqual(video[model.id], asJson(buildLegacyListEntry(model)))
})

test('a wrong key does not fail a list', async (t) => {
  const { app } = await startGateway(t, { authenticator: twoPeople })
  const reply = await app.inject({ url: '/api/v1/video-models', headers: { 'x-api-key': 'wrong' } })
  assert.equal(reply.statusCode, 200)
})

test('the balance is a string, and a wrong key has its own error', async (t) => {
  const { app } = await startGateway(t, { authenticator: twoPeople })
  const request = (headers: Record<string, string>) =>
    app.inject({ method: 'POST', url: '/api/check-balance', headers })
  assert.deepEqual((await request(asAlice)).json(), {
    usd_balance: '1000000.00000000',
    nano_balance: '0.00000000',
    nanoDepositAddress: '',
  })
  const wrong = await request({ 'x-api-key': 'wrong' })
  assert.deepEqual([wrong.statusCode, wrong.json().code], [401, 'invalid_api_key'])
  const none = await request({})
  assert.deepEqual([none.statusCode, none.json().code], [401, 'missing_api_key'])
})

test('the exact format of a recover entry', async (t) => {
  const { app, engine } = await startGateway(t)
  const id = await submitted(app)
  const createdAt = Date.parse('2026-11-01T12:00:00.250Z')
  engine.advance(id, { createdAt, conversationUUID: 'c-1' })
  const entry = {
    runId: id,
    id,
    model: 'veo2-video',
    status: 'pending',
    createdAt: '2026-11-01T12:00:00.250Z',
    conversationUUID: 'c-1',
    completedAt: null,
    videoUrl: null,
    error: null,
  }
  const recovered = async () =>
    (
      await app.inject({
        url: '/api/generate-video/recover',
        headers: { 'x-forwarded-host': 'reel.example' },
      })
    ).json()
  assert.deepEqual(await recovered(), { data: [entry] })
  engine.advance(id, { state: 'succeeded', completedAt: createdAt, videos: [{ url: '/a.mp4' }], costUsd: 1 })
  assert.deepEqual(await recovered(), {
    data: [
      {
        ...entry,
        status: 'completed',
        completedAt: entry.createdAt,
        videoUrl: 'http://reel.example/a.mp4',
        cost: 1,
      },
    ],
  })
})

test('recover has its own status values', async (t) => {
  const { app, engine } = await startGateway(t)
  const id = await submitted(app)
  const units = {
    pending: 'pending',
    submitting: 'pending',
    queued: 'queued',
    processing: 'processing',
    generating: 'processing',
    delivering: 'processing',
    succeeded: 'completed',
    failed: 'failed',
  } as const
  const body = async () => (await app.inject('/api/generate-video/recover')).json().data[0]
  for (const [state, word] of Object.entries(units)) {
    engine.advance(id, { state: state as keyof typeof units })
    assert.equal((await body()).status, word)
  }
  engine.advance(id, { state: 'canceled', error: { code: 'canceled', message: 'canceled' } })
  assert.equal((await body()).status, 'canceled')
})

test('recover lists the caller’s own jobs, newest first, up to the requested limit and the maximum', async (t) => {
  const { app } = await startGateway(t, { authenticator: twoPeople })
  const ids: string[] = []
  for (let count = 0; count < 55; count++) ids.unshift(await submitted(app, { headers: asAlice }))
  await submitted(app, { headers: asBobby })
  const recovered = async (query: string) => {
    const reply = await app.inject({ url: `/api/generate-video/recover?${query}`, headers: asAlice })
    return reply.json().data.map((entry: { id: string }) => entry.id)
  }
  assert.deepEqual(await recovered(''), ids.slice(0, 10))
  assert.deepEqual(await recovered('limit=3'), ids.slice(0, 3))
  assert.deepEqual(await recovered('limit=0'), ids.slice(0, 1))
  assert.deepEqual(await recovered('limit=-5'), ids.slice(0, 1))
  assert.deepEqual(await recovered('limit=nonsense'), ids.slice(0, 10))
  assert.deepEqual(await recovered('limit=1000'), ids.slice(0, 50))
  assert.deepEqual(await recovered('model=veo2-video&limit=2'), ids.slice(0, 2))
  assert.deepEqual(await recovered('model=another'), [])
  assert.deepEqual(await recovered('conversationUUID=another'), [])
})
