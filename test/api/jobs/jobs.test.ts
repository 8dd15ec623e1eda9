import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asAlice, asBobby, plainBody, startGateway, submitted, twoPeople } from '../gateway.ts'

test('a job is returned with its history', async (t) => {
  const { app, engine } = await startGateway(t)
  const id = await submitted(app)
  engine.advance(id, { state: 'submitting' })
  engine.advance(id, {
    state: 'succeeded',
    progress: 100,
    completedAt: Date.now(),
    videos: [{ url: '/files/a.mp4' }],
  })
  const job = (
    await app.inject({ url: `/api/jobs/${id}`, headers: { 'x-forwarded-host': 'reel.example' } })
  ).json()
  assert.deepEqual(
    {
      ...job,
      createdAt: '',
      completedAt: '',
      events: job.events.map(({ state }: { state: string }) => state),
    },
    {
      id,
      object: 'job',
      model: plainBody.model,
      state: 'succeeded',
      progress: 100,
      createdAt: '',
      completedAt: '',
      expectedAt: null,
      costUsd: job.costUsd,
      videos: [{ url: 'http://reel.example/files/a.mp4' }],
      error: null,
      conversationUUID: null,
      prompt: plainBody.prompt,
      events: ['pending', 'pending', 'succeeded'],
      notes: [],
    },
  )
  assert.equal(new Date(job.events[0].at).toISOString(), job.events[0].at)
})

test('a list continues at its cursor while new jobs arrive', async (t) => {
  const { app } = await startGateway(t)
  const ids: string[] = []
  for (let count = 0; count < 5; count++) ids.unshift(await submitted(app))
  const page = async (query: string) => (await app.inject(`/api/jobs?${query}`)).json()
  const first = await page('limit=2')
  await submitted(app)
  const second = await page(`limit=2&cursor=${first.next}`)
  const third = await page(`limit=2&cursor=${second.next}`)
  const seen = [first, second, third].flatMap(({ data }) => data.map(({ id }: { id: string }) => id))
  assert.deepEqual(seen, ids)
  assert.equal(third.next, null)
  const wrong = await app.inject('/api/jobs?cursor=nowhere')
  assert.deepEqual([wrong.statusCode, wrong.json().error.param], [400, 'cursor'])
})

test('a list can be filtered by state and model', async (t) => {
  const { app, engine } = await startGateway(t)
  const [waiting, submitting, failed] = [await submitted(app), await submitted(app), await submitted(app)]
  engine.advance(submitting, { state: 'submitting' })
  engine.advance(failed, { state: 'failed', error: { code: 'timeout', message: 'too late' } })
  const listIds = async (query: string) =>
    (await app.inject(`/api/jobs?${query}`)).json().data.map(({ id }: { id: string }) => id)
  assert.deepEqual(await listIds('state=pending'), [submitting, waiting])
  assert.deepEqual(await listIds('state=failed'), [failed])
  assert.deepEqual(await listIds('state=failed,pending'), [failed, submitting, waiting])
  assert.deepEqual(await listIds('state=failed&state=pending'), [failed, submitting, waiting])
  assert.deepEqual(await listIds(`model=${plainBody.model}&state=failed`), [failed])
  assert.deepEqual(await listIds('model=sora-2'), [])
  for (const query of ['state=submitting', 'state=done', 'limit=0', 'limit=many']) {
    assert.equal((await app.inject(`/api/jobs?${query}`)).statusCode, 400, query)
  }
})

test('deleting a job cancels it', async (t) => {
  const { app } = await startGateway(t)
  const id = await submitted(app)
  const reply = await app.inject({ method: 'DELETE', url: `/api/jobs/${id}` })
  assert.deepEqual(
    [reply.statusCode, reply.json().state, reply.json().error.code],
    [200, 'canceled', 'canceled'],
  )
  assert.equal((await app.inject(`/api/jobs/${id}`)).json().state, 'canceled')
})

test('a job is visible to its owner only', async (t) => {
  const { app } = await startGateway(t, { authenticator: twoPeople })
  const id = await submitted(app, { headers: asAlice })
  for (const path of ['/api/jobs', '/v1/videos']) {
    assert.deepEqual((await app.inject({ url: path, headers: asBobby })).json().data, [])
    for (const method of ['GET', 'DELETE'] as const) {
      const reply = await app.inject({ method, url: `${path}/${id}`, headers: asBobby })
      assert.equal(reply.statusCode, 403, `${method} ${path}`)
    }
    assert.equal((await app.inject(path)).statusCode, 401)
    assert.equal((await app.inject({ url: `${path}/${id}`, headers: asAlice })).statusCode, 200)
  }
})
