import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import type { InjectOptions } from 'fastify'
import { ApiError, buildErrorBody, type ErrorCode, errors } from '../../../src/api/errors.ts'
import { contentRefusalPattern } from '../../../src/api/responses/job-failure.ts'
import { asAlice, plainBody, startGateway, twoPeople } from '../gateway.ts'

type Case = {
  what: string
  request: InjectOptions
  status: number
  code: ErrorCode
  param?: string
}

const post = (payload: string, type?: string): InjectOptions => ({
  method: 'POST',
  url: '/api/generate-video',
  headers: { 'x-api-key': 'alice-secret-key', ...(type !== undefined && { 'content-type': type }) },
  payload,
})

const json = 'application/json'

const cases: readonly Case[] = [
  { what: 'a path that is none', request: { url: '/nowhere' }, status: 404, code: 'not_found' },
  {
    what: 'a POST to nowhere',
    request: { ...post('{bad', json), url: '/no' },
    status: 404,
    code: 'not_found',
  },
  {
    what: 'another method',
    request: { url: '/api/generate-video', headers: asAlice },
    status: 405,
    code: 'method_not_allowed',
  },
  {
    what: 'a method of file servers',
    request: { method: 'DELETE', url: '//api/video-status/?runId=x' },
    status: 405,
    code: 'method_not_allowed',
  },
  {
    what: 'a path that cannot be decoded',
    request: { url: '/api/%zz' },
    status: 400,
    code: 'invalid_request',
  },
  { what: 'bad JSON', request: post('{"model":', json), status: 400, code: 'invalid_json' },
  {
    what: 'bad JSON sent as text',
    request: post('{"model":', 'text/plain'),
    status: 400,
    code: 'invalid_json',
  },
  { what: 'bad JSON of no type', request: post('model'), status: 400, code: 'invalid_json' },
  {
    what: 'a key that reaches into a prototype',
    request: post('{"model":"veo2-video","__proto__":{"x":1}}', json),
    status: 400,
    code: 'invalid_json',
  },
  {
    what: 'a list in a list, ten thousand times',
    request: post(`{"model":"veo2-video","prompt":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, json),
    status: 400,
    code: 'invalid_request',
  },
  {
    what: 'an object in an object, ten thousand times',
    request: post(
      `{"model":"veo2-video","storyConfig":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}`,
      json,
    ),
    status: 400,
    code: 'invalid_request',
  },
  {
    what: 'a form',
    request: post('model=veo2-video', 'application/x-www-form-urlencoded'),
    status: 415,
    code: 'unsupported_media_type',
  },
  { what: 'a type that is none', request: post('x=1', 'json'), status: 415, code: 'unsupported_media_type' },
  {
    what: 'a body too large',
    request: post(JSON.stringify({ prompt: 'x'.repeat(2_000_000) }), json),
    status: 413,
    code: 'payload_too_large',
  },
  {
    what: 'a missing model',
    request: post('{}', json),
    status: 400,
    code: 'missing_required_parameter',
    param: 'model',
  },
  { what: 'no key', request: { url: '/api/video-status?runId=vid_1' }, status: 401, code: 'missing_api_key' },
  {
    what: 'a wrong key',
    request: { url: '/api/video-status?runId=vid_1', headers: { authorization: 'Bearer wrong' } },
    status: 401,
    code: 'invalid_api_key',
  },
  {
    what: 'no key with a body that is too large, which is not read',
    request: { method: 'POST', url: '/api/generate-video', payload: 'x'.repeat(2_000_000) },
    status: 401,
    code: 'missing_api_key',
  },
  {
    what: 'no job id',
    request: { url: '/api/video/status', headers: asAlice },
    status: 400,
    code: 'missing_required_parameter',
    param: 'runId',
  },
  {
    what: 'an unknown job',
    request: { url: '/api/video/status?requestId=vid_1', headers: asAlice },
    status: 404,
    code: 'not_found',
  },
]

for (const { what, request, status, code, param = null } of cases) {
  test(`${what}: ${status} ${code}, in the common error body`, async (t) => {
    const { app, engine } = await startGateway(t, { authenticator: twoPeople })
    const reply = await app.inject(request)
    assert.equal(reply.statusCode, status)
    assert.equal(reply.headers['content-type'], 'application/json')
    assert.equal(reply.headers['cache-control'], 'no-store')
    assert.equal(reply.headers['access-control-allow-origin'], '*')
    assert.ok(String(reply.headers['x-request-id']).length > 0)
    const body = reply.json()
    const { message, details, ...error } = body.error
    assert.deepEqual(error, { type: errors[code].type, code, param })
    assert.deepEqual({ ...body, error: undefined }, { error: undefined, message, code, status })
    assert.ok(message.length > 0)
    assert.doesNotMatch(message, contentRefusalPattern)
    assert.equal(engine.requests.length, 0)
  })
}

test('a rejected method names the allowed ones', async (t) => {
  const { app } = await startGateway(t)
  const allow = async (method: 'GET' | 'POST' | 'PUT', url: string) =>
    (await app.inject({ method, url })).headers.allow
  assert.equal(await allow('GET', '/api/generate-video'), 'POST, OPTIONS')
  assert.equal(await allow('PUT', '/api/video/status'), 'GET, HEAD, OPTIONS')
  assert.equal(await allow('POST', '/files/x.mp4'), 'GET, HEAD, OPTIONS')
  assert.equal(await allow('POST', '/nowhere'), undefined)
})

test('without the store: 503 with a short Retry-After', async (t) => {
  const { app, engine } = await startGateway(t)
  engine.breakDown()
  const requests: InjectOptions[] = [
    { method: 'POST', url: '/api/generate-video', payload: plainBody },
    { url: '/api/video-status?runId=vid_1' },
    { url: '/api/generate-video/recover' },
    { method: 'POST', url: '/api/generate-video/cancel', payload: { runId: 'vid_1' } },
  ]
  for (const request of requests) {
    const reply = await app.inject(request)
    assert.deepEqual([reply.statusCode, reply.json().code], [503, 'service_unavailable'])
    assert.equal(reply.headers['retry-after'], '1')
  }
})

test('an internal error hides its details from the client and logs them', async (t) => {
  const storeInput = async () => {
    throw new Error('secret path /var/lib/reelgate')
  }
  const { app, logged } = await startGateway(t, { media: { storeInput } })
  const reply = await app.inject({ method: 'POST', url: '/api/generate-video', payload: plainBody })
  assert.deepEqual([reply.statusCode, reply.json().code], [500, 'internal_error'])
  assert.doesNotMatch(reply.body, /secret|reelgate\//)
  assert.ok(logged.some((line) => line.level === 50 && JSON.stringify(line).includes('secret path')))
})

test('a schema error names the field and the allowed values', async (t) => {
  const { app } = await startGateway(t)
  const schema = {
    body: {
      type: 'object',
      required: ['model'],
      properties: { size: { type: 'string', enum: ['small', 'large'] } },
    },
  }
  await app.register(async (scope) => {
    scope.post('/strict', { schema }, async () => ({}))
  })
  const reply = await app.inject({ method: 'POST', url: '/strict', payload: { size: 'huge' } })
  assert.equal(reply.statusCode, 400)
  const { error } = reply.json()
  assert.equal(error.code, 'invalid_parameter_value')
  assert.deepEqual(
    error.details.map(({ field }: { field: string }) => field),
    ['model', 'size'],
  )
  assert.match(error.message, /small, large/)
})

test('no reply and no log line contains the API key of the caller', async (t) => {
  const key = 'alice-secret-key'
  const { app, logged } = await startGateway(t, { authenticator: twoPeople })
  const requests: InjectOptions[] = [
    { url: `/api/${key}`, headers: { 'x-api-key': key } },
    { url: `/nowhere?api_key=another-secret-key`, headers: { authorization: `Bearer ${key}` } },
    { url: '/sk-nano-0123456789abcdef' },
    {
      method: 'POST',
      url: '/api/generate-video',
      headers: { 'x-api-key': key },
      payload: { model: key, prompt: 'x' },
    },
    {
      method: 'POST',
      url: '/api/generate-video',
      headers: { authorization: `bearer ${key}` },
      payload: { ...plainBody, duration: key },
    },
  ]
  for (const request of requests)
    assert.doesNotMatch((await app.inject(request)).body, /-secret-key|0123456789abcdef/)
  assert.equal(logged.length, requests.length)
  assert.doesNotMatch(JSON.stringify(logged), /-secret-key|0123456789abcdef/)
})

test('a short placeholder key is not removed from texts', async (t) => {
  const { app } = await startGateway(t)
  const reply = await app.inject({ url: '/nowhere', headers: { 'x-api-key': 'no' } })
  assert.equal(reply.json().message, 'Not found: /nowhere')
})

test('a request that is not HTTP gets the same error body', async (t) => {
  const { app } = await startGateway(t)
  const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const say = (text: string) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.write(text))
      let received = ''
      socket.on('data', (chunk) => {
        received += chunk
      })
      socket.on('error', reject)
      socket.on('close', () => resolve(received))
    })
  const overlong = `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`
  for (const [text, status, code] of [
    ['nonsense\r\n\r\n', 400, 'invalid_request'],
    [overlong, 431, 'payload_too_large'],
  ] as const) {
    const [head = '', body = ''] = (await say(text)).split('\r\n\r\n')
    assert.match(head, new RegExp(`^HTTP/1.1 ${status} `))
    assert.match(head, /X-Request-ID: .+/)
    assert.equal(JSON.parse(body).code, code)
    assert.equal(JSON.parse(body).status, status)
  }
})

test('every code has a body that names it', () => {
  for (const [code, { status, type }] of Object.entries(errors)) {
    const body = JSON.parse(buildErrorBody(new ApiError(code as ErrorCode, 'text')))
    assert.deepEqual(body, {
      error: { message: 'text', type, code, param: null },
      message: 'text',
      code,
      status,
    })
  }
})
