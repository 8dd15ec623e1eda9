import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Input } from '../../../providers/input.ts'
import { findModel } from '../../../src/catalogue/models/index.ts'
import { asAlice, everythingOnFal, plainBody, startGateway, twoPeople } from '../gateway.ts'

const strict = { prefer: 'handling=strict' }

function post(payload: unknown, headers: Record<string, string> = {}) {
  return {
    method: 'POST',
    url: '/api/generate-video',
    headers: { 'content-type': 'application/json', ...headers },
    payload: JSON.stringify(payload),
  } as const
}

test('the exact body of a 202 reply', async (t) => {
  const { app } = await startGateway(t)
  const reply = await app.inject(post({ ...plainBody, duraton: 5 }))
  assert.equal(reply.statusCode, 202)
  assert.equal(reply.headers['content-type'], 'application/json')
  const { runId, createdAt, warnings, ...rest } = reply.json()
  assert.match(runId, /^vid_[a-z0-9]{20,}$/)
  assert.equal(new Date(createdAt).toISOString(), createdAt)
  assert.equal(warnings.length, 1)
  assert.match(warnings[0], /`duraton`.*`duration`/)
  const { cost, ...others } = rest
  assert.equal(typeof cost, 'number')
  assert.deepEqual(others, {
    id: runId,
    requestId: runId,
    taskId: runId,
    projectId: runId,
    status: 'pending',
    model: 'veo2-video',
    paymentSource: 'USD',
    remainingBalance: 1_000_000,
    prechargeLabel: `$${cost.toFixed(2)}`,
  })
})

test('without warnings the list is empty, and sandbox is present only when true', async (t) => {
  const { app } = await startGateway(t)
  const body = (await app.inject(post(plainBody))).json()
  assert.deepEqual(body.warnings, [])
  assert.equal('sandbox' in body, false)
  const { app: toy, engine } = await startGateway(t, { routing: { ...everythingOnFal, sandbox: true } })
  assert.equal((await toy.inject(post(plainBody))).json().sandbox, true)
  assert.equal(engine.requests[0]?.sandbox, true)
})

test('the engine receives the complete request', async (t) => {
  const { app, engine } = await startGateway(t, {
    authenticator: twoPeople,
    routing: { ...everythingOnFal, listUpstreams: () => ['fal', 'runware'] },
  })
  const body = { ...plainBody, seed: 0, duration: '6s', conversationUUID: 'c-1' }
  const reply = await app.inject(post(body, asAlice))
  const [request] = engine.requests
  assert.equal(request?.id, reply.json().runId)
  assert.equal(request?.owner, 'alice')
  assert.equal(request?.model, 'veo2-video')
  assert.deepEqual(request?.route, ['fal', 'runware'])
  assert.equal(request?.deadlineSeconds, findModel('veo2-video')?.deadlineSeconds)
  assert.equal(request?.conversationUUID, 'c-1')
  assert.equal(request?.costUsd, reply.json().cost)
  assert.equal(request?.input.seed, 0)
  assert.equal(request?.input.duration, 6)
})

test('the queued input is the stored input', async (t) => {
  const storeInput = async (input: Input) => ({
    input: { ...input, image: 'https://stored.example/1' },
    discard: async () => undefined,
  })
  const { app, engine } = await startGateway(t, { media: { storeInput } })
  await app.inject(post({ ...plainBody, imageDataUrl: 'data:image/png;base64,AAAA' }))
  assert.equal(engine.requests[0]?.input.image, 'https://stored.example/1')
})

test('the status of a job is available as soon as it is accepted', async (t) => {
  const { app } = await startGateway(t)
  const { runId } = (await app.inject(post(plainBody))).json()
  const status = await app.inject(`/api/video/status?requestId=${runId}`)
  assert.equal(status.statusCode, 200)
  assert.equal(status.json().data.status, 'IN_QUEUE')
})

const lenient = [
  { as: 'duration as text', body: { duration: '5' }, field: 'duration', value: 5 },
  { as: 'duration with a unit', body: { duration: '5s' }, field: 'duration', value: 5 },
  { as: 'duration as a number', body: { duration: 5 }, field: 'duration', value: 5 },
  { as: 'seconds', body: { seconds: '8' }, field: 'duration', value: 8 },
  { as: 'orientation', body: { orientation: 'portrait' }, field: 'aspect_ratio', value: '9:16' },
  { as: 'aspectRatio', body: { aspectRatio: '9:16' }, field: 'aspect_ratio', value: '9:16' },
  { as: 'a seed as text', body: { seed: '7' }, field: 'seed', value: 7 },
  { as: 'a random seed', body: { seed: -1 }, field: 'seed', value: undefined },
  { as: 'a null', body: { duration: null }, field: 'duration', value: 5 },
  { as: 'an empty text', body: { duration: '' }, field: 'duration', value: 5 },
  {
    as: 'imageUrl',
    body: { imageUrl: 'https://a.example/i.png' },
    field: 'image',
    value: 'https://a.example/i.png',
  },
] as const

for (const { as, body, field, value } of lenient) {
  test(`a submit reads ${as}`, async (t) => {
    const { app, engine } = await startGateway(t)
    const reply = await app.inject(post({ ...plainBody, ...body }))
    assert.equal(reply.statusCode, 202, reply.body)
    assert.equal(engine.requests[0]?.input[field], value)
  })
}

const refused = [
  { what: 'no body', payload: undefined, status: 400, code: 'missing_required_parameter', param: 'model' },
  { what: 'null', payload: null, status: 400, code: 'missing_required_parameter', param: 'model' },
  {
    what: 'no model',
    payload: { prompt: 'x' },
    status: 400,
    code: 'missing_required_parameter',
    param: 'model',
  },
  {
    what: 'an unknown model',
    payload: { ...plainBody, model: 'veo9-video' },
    status: 404,
    code: 'model_not_found',
    param: 'model',
  },
  {
    what: 'no prompt',
    payload: { model: 'veo2-video' },
    status: 400,
    code: 'missing_required_parameter',
    param: 'prompt',
  },
  {
    what: 'no image for a model of images',
    payload: { ...plainBody, model: 'veo2-video-image-to-video' },
    status: 400,
    code: 'missing_required_parameter',
    param: 'image',
  },
  {
    what: 'a file that cannot be read',
    payload: { ...plainBody, imageUrl: 'one.png' },
    status: 400,
    code: 'invalid_parameter_value',
    param: 'imageUrl',
  },
  { what: 'a list', payload: [plainBody], status: 400, code: 'invalid_parameter_value', param: null },
  { what: 'a text', payload: 'veo2', status: 400, code: 'invalid_parameter_value', param: null },
] as const

for (const { what, payload, status, code, param } of refused) {
  test(`${what} gets ${status} ${code} and queues nothing`, async (t) => {
    const { app, engine } = await startGateway(t)
    const reply = await app.inject(
      payload === undefined ? { method: 'POST', url: '/api/generate-video' } : post(payload),
    )
    assert.equal(reply.statusCode, status)
    assert.equal(reply.json().error.code, code)
    assert.equal(reply.json().error.param, param)
    assert.equal(engine.requests.length, 0)
  })
}

test('every problem is reported, with the allowed values', async (t) => {
  const { app } = await startGateway(t)
  const reply = await app.inject(post({ ...plainBody, duration: 30, aspect_ratio: '5:1' }, strict))
  const { error, message } = reply.json()
  assert.deepEqual(error.details.map(({ field }: { field: string }) => field).sort(), [
    'aspect_ratio',
    'duration',
  ])
  assert.match(message, /`duration`.*5, 6, 7, 8/)
  assert.match(message, /`aspect_ratio`.*16:9/)
  assert.equal(error.param, error.details[0].field)
})

test('pro_required has its own error type', async (t) => {
  const { app } = await startGateway(t)
  const payload = { model: 'sora-2', prompt: 'a fox', resolution: '1792x1024' }
  const reply = await app.inject(post(payload, strict))
  assert.equal(reply.statusCode, 400)
  assert.equal(reply.json().error.type, 'PRO_REQUIRED')
})

test('an input that no configured upstream supports has another error than an unavailable model', async (t) => {
  const message = async (available: boolean) => {
    const routing = { ...everythingOnFal, listUpstreams: () => [], isAvailable: () => available }
    const { app } = await startGateway(t, { routing })
    return (await app.inject(post(plainBody))).json().message
  }
  assert.match(await message(true), /exactly this/)
  assert.doesNotMatch(await message(false), /exactly this/)
})

test('without an upstream: 503, and only the log names the variable to set', async (t) => {
  const { app, engine, logged } = await startGateway(t, {
    routing: { ...everythingOnFal, listUpstreams: () => [], isAvailable: () => false },
  })
  const reply = await app.inject(post(plainBody))
  assert.equal(reply.statusCode, 503)
  assert.equal(reply.json().code, 'service_unavailable')
  assert.doesNotMatch(reply.body, /FAL_KEY/)
  assert.ok(logged.some((line) => line.level === 40 && JSON.stringify(line).includes('FAL_KEY')))
  assert.equal(engine.requests.length, 0)
})

test('the submit of March 2025 has its own default model', async (t) => {
  const { app } = await startGateway(t)
  const submit = async (model: unknown) => {
    const reply = await app.inject({ method: 'POST', url: '/v1/video', payload: { model, prompt: 'a fox' } })
    return [reply.statusCode, reply.json().model ?? reply.json().message]
  }
  const named = await submit('longstories-movie')
  for (const blank of [undefined, null, '', ' ']) assert.deepEqual(await submit(blank), named)
  assert.deepEqual(await submit('veo2-video'), [200, 'veo2-video'])
})
