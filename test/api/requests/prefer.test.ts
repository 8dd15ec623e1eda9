import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readPreferences } from '../../../src/api/requests/prefer.ts'
import { type Gateway, plainBody, startGateway } from '../gateway.ts'

const readable: readonly (readonly [string | string[] | undefined, string | undefined])[] = [
  [undefined, undefined],
  ['', undefined],
  ['handling=strict', 'strict'],
  ['Handling = strict', 'strict'],
  ['HANDLING="strict"', 'strict'],
  ['respond-async, handling=lenient', 'lenient'],
  ['respond-async; wait=10, handling=strict; why="a, handling=lenient"', 'strict'],
  ['note="handling=lenient, \\"x\\"", handling=strict', 'strict'],
  ['handling=strict, handling=lenient', 'strict'],
  [['wait=5', 'handling=strict'], 'strict'],
  ['handling', ''],
  ['handling=""', ''],
  ['mishandling=strict', undefined],
  [',,, handling=strict', 'strict'],
  ['"handling=strict', undefined],
]

for (const [header, handling] of readable) {
  test(`Prefer: ${JSON.stringify(header)} means ${handling}`, () => {
    assert.equal(readPreferences(header).get('handling'), handling)
  })
}

const beyond = { ...plainBody, duration: 30 }

async function send({ app }: Gateway, headers: Record<string, string> = {}, url = '/api/generate-video') {
  const reply = await app.inject({ method: 'POST', url, payload: beyond, headers })
  return [reply.statusCode, reply.headers['preference-applied'], reply.json().warnings?.length]
}

test('a request decides whether a value is adjusted or rejected', async (t) => {
  const gateway = await startGateway(t)
  for (const url of ['/api/generate-video', '/generate-video', '/api/v1/generate-video']) {
    assert.deepEqual(await send(gateway, {}, url), [202, undefined, 1])
  }
  assert.deepEqual(await send(gateway, {}, '/api/v1/video'), [200, undefined, 1])
  assert.deepEqual(await send(gateway, { prefer: 'wait=1, Handling=STRICT' }), [
    400,
    'handling=strict',
    undefined,
  ])
  assert.deepEqual(await send(gateway, { prefer: 'handling=lenient' }), [202, 'handling=lenient', 1])
  assert.deepEqual(await send(gateway, { prefer: 'handling=other' }), [202, undefined, 1])
  const strict = { prefer: 'handling=strict' }
  assert.deepEqual(await send(gateway, strict, '/api/price'), [400, 'handling=strict', undefined])
  assert.deepEqual(await send(gateway, strict, '/api/v1/video'), [400, 'handling=strict', undefined])
})

test('the operator sets the default', async (t) => {
  const gateway = await startGateway(t, { config: { bodyLimitBytes: 1e6, validation: 'strict' } })
  assert.deepEqual(await send(gateway), [400, undefined, undefined])
  assert.deepEqual(await send(gateway, { prefer: 'handling=lenient' }), [202, 'handling=lenient', 1])
})

test('the submit and the price preview return the price of the adjusted request', async (t) => {
  const { app } = await startGateway(t)
  const submitted = await app.inject({ method: 'POST', url: '/api/generate-video', payload: beyond })
  const priced = await app.inject({ method: 'POST', url: '/api/price', payload: beyond })
  assert.equal(submitted.json().cost, 4)
  assert.deepEqual([priced.json().usd, priced.json().warnings], [4, submitted.json().warnings])
})

test('a repeated submit gets the same warnings, whatever it prefers', async (t) => {
  const { app } = await startGateway(t)
  const submit = (prefer: string) =>
    app.inject({
      method: 'POST',
      url: '/api/generate-video',
      payload: beyond,
      headers: { 'idempotency-key': 'k1', prefer },
    })
  const first = await submit('handling=lenient')
  const again = await submit('handling=strict')
  assert.deepEqual(again.json(), first.json())
  assert.deepEqual([again.statusCode, again.headers['preference-applied']], [202, undefined])
})

test('the OpenAI API adjusts values for other models, and rejects for Sora what OpenAI rejects', async (t) => {
  const { app } = await startGateway(t)
  const create = async (payload: Record<string, unknown>, headers: Record<string, string> = {}) => {
    const reply = await app.inject({
      method: 'POST',
      url: '/v1/videos',
      payload: { prompt: 'a fox', ...payload },
      headers,
    })
    const { seconds, size, warnings, error } = reply.json()
    return reply.statusCode === 200 ? [200, seconds, size, warnings?.length] : [reply.statusCode, error.param]
  }
  assert.deepEqual(await create({ seconds: '5' }), [200, '8', '720x1280', 1])
  assert.deepEqual(await create({ seconds: '30' }), [400, 'seconds'])
  assert.deepEqual(await create({ size: '640x480' }), [400, 'size'])
  assert.deepEqual(await create({ seconds: '30' }, { prefer: 'handling=lenient' }), [
    200,
    '12',
    '720x1280',
    1,
  ])
  assert.deepEqual(await create({ model: 'hunyuan-video', size: '640x480' }), [200, null, '854x480', 1])
  assert.deepEqual(await create({ model: 'veo2-video', seconds: '12', size: '720x1280' }), [
    200,
    '8',
    null,
    1,
  ])
  const strict = { prefer: 'handling=strict' }
  assert.deepEqual(await create({ model: 'hunyuan-video', size: '640x480' }, strict), [400, 'size'])
})

test('if no upstream supports the requested value, the closest supported one is used', async (t) => {
  const routing = {
    listUpstreams: (_: unknown, { aspect_ratio }: { aspect_ratio?: string }) =>
      aspect_ratio === undefined ? (['fal'] as const) : [],
    rejectionMessage: () => 'FAL gives the video the ratio of the image',
    isAvailable: () => true,
    adjustSeed: () => undefined,
    describeMissingVariables: () => [],
    sandbox: false,
  }
  const { app, engine } = await startGateway(t, { routing })
  const payload = {
    model: 'kling-v21-pro',
    prompt: 'a fox',
    imageUrl: 'https://a.example/1.png',
    aspect_ratio: '16:9',
  }
  const submit = (headers = {}) =>
    app.inject({ method: 'POST', url: '/api/generate-video', payload, headers })
  const reply = await submit()
  assert.equal(reply.statusCode, 202)
  assert.match(reply.json().warnings[0], /^`aspect_ratio` "16:9" is not supported by the upstreams/)
  assert.equal(engine.requests[0]?.input.aspect_ratio, undefined)
  assert.equal((await submit({ prefer: 'handling=strict' })).statusCode, 400)
})
