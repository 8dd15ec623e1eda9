import assert from 'node:assert/strict'
import { test } from 'node:test'
import { midjourney } from '../../providers/midjourney/index.ts'
import { midjourneyMock } from '../../src/sandbox/upstreams/midjourney.ts'
import { orderFor } from './fixtures.ts'
import { faultOf, startMock, ticketOf } from './mock-upstream.ts'

const model = 'midjourney-video'
const image = 'https://media.example/start.png'
const mapping = midjourney.models[model] ?? assert.fail()

test('an extension names the finished task and the clip, and brings no image', () => {
  const input = {
    prompt: 'it goes on --turbo',
    motion: 'high',
    extendTask: '1757399847039557',
    extendIndex: 3,
  }
  assert.deepEqual(midjourney.submit(mapping, orderFor(midjourney, input)), {
    method: 'POST',
    path: '/mj/submit/video',
    json: {
      prompt: 'it goes on',
      motion: 'high',
      action: 'extend',
      taskId: '1757399847039557',
      index: 3,
      state: 'vid_fixture0000000000',
    },
  })
})

test('an extension of a task that the proxy has lost fails for good', () => {
  const order = orderFor(midjourney, { extendTask: '1', extendIndex: 0 })
  const body = { code: 3, description: 'The parent task does not exist' }
  const outcome = midjourney.accept({ status: 404, headers: {}, body, baseUrl: '' }, order)
  assert.deepEqual(faultOf(outcome), ['failed', 'task_lost'])
})

test('an operator may choose a speed by another submit route', () => {
  const faster = { ...mapping, endpoints: { video: '/mj-fast/mj/submit/video' } }
  assert.equal(midjourney.submit(faster, orderFor(midjourney, { image })).path, '/mj-fast/mj/submit/video')
})

test('the secret goes under the header that the operator names', () => {
  const request = { method: 'GET', url: new URL('http://127.0.0.1'), headers: {}, body: '' }
  const sign = (settings: Record<string, string>) =>
    midjourney.hosts.proxy?.sign(request, { MIDJOURNEY_API_SECRET: 'fake', ...settings }, new Date(0))
  assert.deepEqual(sign({}), { 'mj-api-secret': 'fake' })
  assert.deepEqual(sign({ MIDJOURNEY_AUTH_HEADER: 'authorization' }), { authorization: 'fake' })
  const bearer = { MIDJOURNEY_AUTH_HEADER: 'authorization', MIDJOURNEY_AUTH_PREFIX: 'Bearer' }
  assert.deepEqual(sign(bearer), { authorization: 'Bearer fake' })
})

test('a callback gives the id of a task only to the job that it names', () => {
  const adopt = (body: unknown) => midjourney.adopt?.(body, orderFor(midjourney, {}), mapping)
  assert.deepEqual(adopt({ id: '17', state: 'vid_fixture0000000000' }), { id: '17' })
  assert.equal(adopt({ id: '17', state: 'vid_another' }), undefined)
  assert.equal(adopt({ id: '17' }), undefined)
  assert.equal(adopt('<html>'), undefined)
})

test('a task is asked for by its id, whatever that holds', () => {
  assert.deepEqual(midjourney.poll({ id: '../a?b' }), { method: 'GET', path: '/mj/task/..%2Fa%3Fb/fetch' })
  assert.deepEqual(midjourney.cancel?.({ id: '17' }), { method: 'POST', path: '/mj/task/17/cancel' })
})

test('the mock renders four clips, and extends one of them', async (t) => {
  const upstream = await startMock(t, midjourneyMock, midjourney)
  const ticket = ticketOf(await upstream.submit(model, { image, resolution: '720p' }))
  assert.match(String(ticket.id), /^\d{16}$/)
  assert.deepEqual(await upstream.look(ticket), { kind: 'running', ticket, stage: 'queued', progress: 0 })
  upstream.clock.now += 500
  assert.deepEqual(await upstream.look(ticket), {
    kind: 'running',
    ticket,
    stage: 'processing',
    progress: 50,
  })

  const extension = { extendTask: String(ticket.id), extendIndex: 2 }
  assert.deepEqual(faultOf(await upstream.submit(model, extension)), ['failed', 'invalid_input'])
  upstream.clock.now += 500
  const done = await upstream.look(ticket)
  assert.equal(done.kind, 'done')
  const urls = done.kind === 'done' ? done.videos.map(({ url }) => url) : []
  assert.equal(new Set(urls).size, 4)
  assert.ok(urls.every((url) => url.startsWith(`${upstream.origin}/videos/`)))

  const second = ticketOf(await upstream.submit(model, extension))
  assert.notDeepEqual(second, ticket)
  upstream.clock.now += 1000
  assert.equal((await upstream.look(second)).kind, 'done')
})

test('the mock ends a task as the prompt asks', async (t) => {
  const upstream = await startMock(t, midjourneyMock, midjourney)
  const submit = (prompt: string) => upstream.submit(model, { image, prompt })
  assert.deepEqual(faultOf(await submit('sandbox:invalid')), ['failed', 'invalid_input'])
  const endings = { refuse: 'content_policy', fail: 'upstream_error', empty: 'no_result' }
  for (const [word, code] of Object.entries(endings)) {
    const ticket = ticketOf(await submit(`a fox, sandbox:${word}`))
    upstream.clock.now += 1000
    assert.deepEqual(faultOf(await upstream.look(ticket)), ['failed', code])
  }
  const ticket = ticketOf(await submit('sandbox:hang'))
  upstream.clock.now += 1_000_000
  assert.equal((await upstream.look(ticket)).kind, 'running')
})

test('the mock cancels, forgets nothing and refuses what the proxy refuses', async (t) => {
  const upstream = await startMock(t, midjourneyMock, midjourney)
  const ticket = ticketOf(await upstream.submit(model, { image }))
  await upstream.send(midjourney.cancel?.(ticket) ?? assert.fail())
  assert.deepEqual(faultOf(await upstream.look(ticket)), ['failed', 'canceled'])
  assert.deepEqual(faultOf(await upstream.look({ id: '17' })), ['unclear', 'task_lost'])
  assert.deepEqual(faultOf(await upstream.submit(model, { image: 'start.png' })), ['failed', 'invalid_input'])
  assert.deepEqual(faultOf(await upstream.submit(model, { image, motion: 'wild' })), [
    'failed',
    'invalid_input',
  ])
  const lost = await upstream.submit(model, { extendTask: '17', extendIndex: 0 })
  assert.deepEqual(faultOf(lost), ['failed', 'task_lost'])
})

test('the mock lets nobody in without the secret, under either header', async (t) => {
  const settings = { MIDJOURNEY_AUTH_HEADER: 'authorization', MIDJOURNEY_AUTH_PREFIX: 'Bearer' }
  const relay = await startMock(t, midjourneyMock, midjourney, { settings })
  ticketOf(await relay.submit(model, { image }))
  const locked = await startMock(t, midjourneyMock, midjourney, {
    credentials: { MIDJOURNEY_API_SECRET: '' },
  })
  assert.deepEqual(faultOf(await locked.submit(model, { image })), ['failed', 'bad_credentials'])
})
