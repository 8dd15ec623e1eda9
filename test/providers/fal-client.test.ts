import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ApiError, createFalClient, type QueueStatus, ValidationError } from '@fal-ai/client'
import { fal } from '../../providers/fal/index.ts'
import { falMock } from '../../src/sandbox/upstreams/fal.ts'
import { serveMock } from './serve-mock.ts'

const endpoint = 'fal-ai/kling-video/v2/master/text-to-video'
const hosts: Readonly<Record<string, string>> = {
  'https://queue.fal.run': 'queue',
  'https://rest.fal.ai': 'storage',
}

/** The mock and FAL's own client, told nothing but where to call. */
async function open(t: TestContext, { key = 'id:secret' } = {}) {
  const upstream = await serveMock(t, falMock, fal)
  const client = createFalClient({
    credentials: key,
    requestMiddleware: async (request) => {
      const { origin, pathname, search } = new URL(request.url)
      const host = hosts[origin] ?? assert.fail(`the client calls ${origin}`)
      return { ...request, url: `${upstream.baseUrl(host)}${pathname}${search}` }
    },
  })
  return { ...upstream, client }
}

test('the client subscribes to a job and gets its video', async (t) => {
  const upstream = await open(t)
  const seen: QueueStatus['status'][] = []
  const result = await upstream.client.subscribe(endpoint, {
    input: { prompt: 'A red kite' },
    pollInterval: 1,
    onQueueUpdate: ({ status }) => {
      seen.push(status)
      upstream.clock.now += 500
    },
  })
  assert.deepEqual(seen, ['IN_QUEUE', 'IN_PROGRESS', 'COMPLETED'])
  assert.match(result.data.video.url, /^http:\/\/127\.0\.0\.1:\d+\/videos\/[\w-]+\.mp4$/)
  assert.equal(result.requestId, [...upstream.tasks.keys()][0])
})

test('the client reads a validation error field by field, only in the result', async (t) => {
  const upstream = await open(t)
  const { client, clock } = upstream
  const { request_id: requestId } = await client.queue.submit('fal-ai/veo3/image-to-video', {
    input: { prompt: 'A red kite' } as { prompt: string; image_url: string },
  })
  clock.now += 1000
  assert.equal((await client.queue.status(endpoint, { requestId })).status, 'COMPLETED')
  await assert.rejects(client.queue.result('fal-ai/veo3/image-to-video', { requestId }), (error) => {
    assert(error instanceof ValidationError)
    assert.deepEqual(error.getFieldErrors('image_url'), [
      { loc: ['body', 'image_url'], msg: 'Field required', type: 'missing' },
    ])
    return error.fieldErrors.length === 1
  })
})

test('the client is told of refused content', async (t) => {
  const upstream = await open(t)
  const { client, clock } = upstream
  const { request_id: requestId } = await client.queue.submit(endpoint, {
    input: { prompt: 'sandbox:refuse' },
  })
  clock.now += 1000
  await assert.rejects(
    client.queue.result(endpoint, { requestId }),
    (error) => error instanceof ValidationError && error.fieldErrors[0]?.type === 'content_policy_violation',
  )
})

test('a result asked for too early is a 400', async (t) => {
  const upstream = await open(t)
  const { client } = upstream
  const { request_id: requestId } = await client.queue.submit(endpoint, { input: { prompt: 'A red kite' } })
  await assert.rejects(
    client.queue.result(endpoint, { requestId }),
    (error) => error instanceof ApiError && error.status === 400,
  )
})

test('the client cancels a job, once', async (t) => {
  const upstream = await open(t)
  const { client, tasks } = upstream
  const { request_id: requestId } = await client.queue.submit(endpoint, { input: { prompt: 'sandbox:hang' } })
  await client.queue.cancel(endpoint, { requestId })
  assert.notEqual(tasks.get(requestId)?.canceledAt, undefined)
  assert.equal((await client.queue.status(endpoint, { requestId })).status, 'COMPLETED')
  await assert.rejects(client.queue.result(endpoint, { requestId }), (error) => {
    assert(error instanceof ApiError)
    return error.status === 499 && (error.body as { error_type: string }).error_type === 'client_cancelled'
  })
  await assert.rejects(
    client.queue.cancel(endpoint, { requestId }),
    (error) => error instanceof ApiError && error.status === 400,
  )
  await assert.rejects(
    client.queue.cancel(endpoint, { requestId: '019fd35a-0000-7000-8000-000000000000' }),
    (error) => error instanceof ApiError && error.status === 404,
  )
})

test('the client uploads a file', async (t) => {
  const upstream = await open(t)
  const image = new File([new Uint8Array([137, 80, 78, 71])], 'kite one.png', { type: 'image/png' })
  const url = await upstream.client.storage.upload(image)
  assert.match(url, /\/fal\/storage\/files\/[\w-]+\/kite%20one\.png$/)
})

test('the hook that the client names is kept with the task', async (t) => {
  const upstream = await open(t)
  const webhookUrl = 'https://gateway.example/hints/1?s=a&b=c'
  const { request_id } = await upstream.client.queue.submit(endpoint, { input: { prompt: 'A' }, webhookUrl })
  assert.equal(upstream.tasks.get(request_id)?.hook, webhookUrl)
})

test('a wrong key is a 401, with the upload too', async (t) => {
  const upstream = await open(t, { key: 'wrong' })
  const refused = (error: unknown) => error instanceof ApiError && error.status === 401
  await assert.rejects(upstream.client.queue.submit(endpoint, { input: { prompt: 'A' } }), refused)
  await assert.rejects(upstream.client.storage.upload(new Blob(['x'])), refused)
})

test('an endpoint that FAL does not have is a 404, of an application and of a path in it', async (t) => {
  const { client, tasks } = await open(t)
  for (const [unknown, said] of [
    ['fal-ai/veo9', "Application 'veo9' not found"],
    ['fal-ai/veo3/slow', 'Path /slow not found'],
  ] as const) {
    await assert.rejects(client.queue.submit(unknown, { input: { prompt: 'A' } }), (error) => {
      assert(error instanceof ApiError)
      return error.status === 404 && error.body.detail === said
    })
  }
  assert.equal(tasks.size, 0)
})

test('the result names what is wrong with an input, as FAL does', async (t) => {
  const { client, clock } = await open(t)
  const input = { prompt: 'A red kite', duration: '7', cfg_scale: 2, negative_prompt: 5, seed: null } as never
  const { request_id: requestId } = await client.queue.submit(endpoint, { input })
  clock.now += 1000
  await assert.rejects(client.queue.result(endpoint, { requestId }), (error) => {
    assert(error instanceof ValidationError)
    assert.deepEqual(
      error.fieldErrors.map(({ loc, type, msg }) => [loc.join('.'), type, msg]),
      [
        ['body.duration', 'one_of', "Input should be '5' or '10'"],
        ['body.negative_prompt', 'string_type', 'Input should be a valid string'],
        ['body.cfg_scale', 'less_than_equal', 'Input should be less than or equal to 1'],
      ],
    )
    return true
  })
})
