import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { asAlice, plainBody, startGateway, submitted, twoPeople } from '../gateway.ts'

const isRequestLine = ({ msg }: Record<string, unknown>) => msg === 'request'
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const spanId = '00f067aa0ba902b7'

test('a submit writes one line with the IDs of the request, the job, the key and the model', async (t) => {
  const { app, logged } = await startGateway(t, { authenticator: twoPeople })
  const id = await submitted(app, { headers: { ...asAlice, 'x-request-id': 'order-17' } })
  const lines = logged.filter(isRequestLine)
  assert.equal(lines.length, 1)
  const { requestId, job, key, model, method, route, path, status, durationMs, level } = lines[0] ?? {}
  assert.deepEqual([requestId, job, key, model], ['order-17', id, 'alice', 'veo2-video'])
  assert.deepEqual([method, route, path, status], ['POST', '/api/generate-video', '/api/generate-video', 202])
  assert.deepEqual([level, typeof durationMs], [30, 'number'])
})

test('a poll is logged at debug, a failed one at info; both name the job and hold no query', async (t) => {
  const { app, logged } = await startGateway(t)
  const id = await submitted(app)
  logged.splice(0)
  await app.inject(`/api/video-status?runId=${id}&prompt=secret-prompt`)
  await app.inject('/api/video-status?runId=vid_unknown')
  const lines = logged.map(({ level, path, status, job, model }) => ({ level, path, status, job, model }))
  assert.deepEqual(lines, [
    { level: 20, path: '/api/video-status', status: 200, job: id, model: 'veo2-video' },
    { level: 30, path: '/api/video-status', status: 404, job: 'vid_unknown', model: undefined },
  ])
})

test('a repeated submit names the job that it replays', async (t) => {
  const { app, logged } = await startGateway(t)
  const headers = { 'idempotency-key': 'once' }
  const id = await submitted(app, { headers })
  assert.equal(await submitted(app, { headers }), id)
  assert.deepEqual(
    logged.filter(isRequestLine).map(({ job, model }) => [job, model]),
    [
      [id, 'veo2-video'],
      [id, 'veo2-video'],
    ],
  )
})

test('neither the prompt nor the key of a request is logged', async (t) => {
  const { app, logged } = await startGateway(t, { authenticator: twoPeople })
  const headers = { ...asAlice, 'x-request-id': asAlice['x-api-key'] }
  await submitted(app, { headers })
  await app.inject({ url: `/api/${asAlice['x-api-key']}?prompt=${plainBody.prompt}`, headers })
  assert.doesNotMatch(JSON.stringify(logged), /red fox|alice-secret-key/)
})

for (const [given, isAccepted] of [
  ['order-17', true],
  ['a.b:c/d+e=f@g_h', true],
  ['x'.repeat(128), true],
  ['x'.repeat(129), false],
  ['', false],
  ['two words', false],
  ['"quoted"', false],
  ['sk-0123456789abcdef', false],
] as const) {
  test(`the request ID ${given.slice(0, 20)} is ${isAccepted ? 'accepted' : 'replaced'}`, async (t) => {
    const { app, logged } = await startGateway(t)
    for (const url of ['/health', '/nowhere', '/api/%zz']) {
      const reply = await app.inject({ url, headers: { 'x-request-id': given } })
      const id = reply.headers['x-request-id']
      if (isAccepted) assert.equal(id, given)
      else assert.match(String(id), /^[\da-f]{32}$/)
      assert.equal(logged.at(-1)?.requestId, id)
    }
  })
}

for (const [given, isValid] of [
  [`00-${traceId}-${spanId}-01`, true],
  [`cc-${traceId}-${spanId}-01-what-the-future-adds`, true],
  [`00-${traceId}-${spanId}-01-more`, false],
  [`ff-${traceId}-${spanId}-01`, false],
  [`00-${'0'.repeat(32)}-${spanId}-01`, false],
  [`00-${traceId}-${'0'.repeat(16)}-01`, false],
  [`00-${traceId.toUpperCase()}-${spanId}-01`, false],
  [`00-${traceId}-${spanId}`, false],
  ['', false],
] as const) {
  test(`the traceparent ${given} is ${isValid ? 'logged' : 'ignored'}`, async (t) => {
    const { app, logged } = await startGateway(t)
    await app.inject({ url: '/health', headers: { traceparent: given } })
    const { trace_id, span_id } = logged.at(-1) ?? {}
    assert.deepEqual([trace_id, span_id], isValid ? [traceId, spanId] : [undefined, undefined])
  })
}

test('a request whose client leaves before the reply is logged as aborted', async (t) => {
  const { promise: released, resolve: release } = Promise.withResolvers<boolean>()
  const { app, logged } = await startGateway(t, { isReady: () => released })
  const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const socket = connect(Number(port), '127.0.0.1')
  const arrived = once(app.server, 'request')
  socket.write('GET /ready HTTP/1.1\r\nhost: x\r\n\r\n')
  await arrived
  socket.destroy()
  while (!logged.some(isRequestLine)) await new Promise(setImmediate)
  release(true)
  await new Promise(setImmediate)
  const lines = logged.filter(isRequestLine)
  assert.deepEqual(
    lines.map(({ path, aborted }) => [path, aborted]),
    [['/ready', true]],
  )
})
