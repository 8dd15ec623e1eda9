import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import document from '../../../src/api/openapi/openapi.json' with { type: 'json' }
import { createCleanup, startRedis, startTestGateway } from '../../support/setup.ts'
import { createRandom, type Random } from './random-request.ts'

type Schema = Readonly<Record<string, unknown>>
type Media = Readonly<Record<string, { schema: Schema }>>
type Operation = {
  operationId: string
  parameters?: { name: string; in: string; schema: Schema }[]
  requestBody?: { content: Media }
  responses: Readonly<Record<string, { content?: Media }>>
}

const seed = 20_261_123
const requestsPerOperation = 12
const submits = 200

const adminKey = 'fuzz-operator-0123456789-0123456789'
const schemas = document.components.schemas as unknown as Readonly<Record<string, Schema>>
const operations = Object.entries(
  document.paths as unknown as Record<string, Record<string, Operation>>,
).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method: method.toUpperCase(), ...operation })),
)

type DocumentedOperation = (typeof operations)[number]

test('every reply to random requests is documented, and none is a 5xx', {
  timeout: 60_000,
}, async (t) => {
  const cleanup = createCleanup()
  t.after(() => cleanup.run())
  const { url } = await startRedis(cleanup)
  const { address } = await startTestGateway(cleanup, {
    REDIS_URL: `unix://${url}`,
    SANDBOX: 'on',
    SANDBOX_RENDER_SECONDS: '0',
    ADMIN_KEY: adminKey,
    AUTH: 'off',
  })
  const random = createRandom(seed, schemas)
  const ids = ['nowhere']
  const statuses: Record<number, number> = {}
  const send = async (operation: DocumentedOperation) => {
    const status = await check(address, operation, random, ids)
    statuses[status] = (statuses[status] ?? 0) + 1
  }
  for (const operation of operations) {
    const often = operation.operationId === 'submitVideo' ? submits : requestsPerOperation
    for (let count = 0; count < often; count++) await send(operation)
  }
  for (const operation of operations.toReversed()) await send(operation)
  summary(t, statuses)
  assert.ok((statuses[202] ?? 0) > 50, 'too few submits were accepted to prove anything')
})

function summary(t: TestContext, statuses: Record<number, number>): void {
  const requests = Object.values(statuses).reduce((sum, count) => sum + count, 0)
  const counts = Object.entries(statuses).map(([status, count]) => `${status}: ${count}`)
  t.diagnostic(
    `fuzz: ${requests} requests to ${operations.length} operations, seed ${seed}; ${counts.join(', ')}; no 5xx, none undocumented`,
  )
}

/** Sends one request and compares the reply with the document. */
async function check(
  address: string,
  operation: DocumentedOperation,
  random: Random,
  ids: string[],
): Promise<number> {
  const { url, init } = requestFor(address, operation, random, ids)
  const reply = await fetch(url, { ...init, signal: AbortSignal.timeout(10_000) })
  const requestLine = `${operation.method} ${url} with ${String(init.body)}`.replace(/(.)\1{50,}/g, '$1…')
  const what = `${requestLine} returned ${reply.status}`
  assert.ok(reply.status < 500, what)
  const documented = operation.responses[reply.status]
  assert.ok(documented, `${what}, which is not documented`)
  const type = reply.headers.get('content-type')?.split(';')[0] ?? ''
  if (reply.status !== 204)
    assert.ok(documented.content?.[type], `${what} as ${type}, which is not documented`)
  if (type !== 'application/json') {
    await reply.body?.cancel()
    return reply.status
  }
  const body = (await reply.json()) as Record<string, unknown>
  if (reply.status >= 400) assertErrorBody(body, reply.status, what)
  else if (typeof body.id === 'string' && ids.length < 40) ids.push(body.id)
  return reply.status
}

function assertErrorBody(body: Record<string, unknown>, status: number, what: string): void {
  const error = body.error as Record<string, unknown>
  for (const name of ['message', 'type', 'code'])
    assert.equal(typeof error[name], 'string', `${what}: error.${name}`)
  assert.ok(error.param === null || typeof error.param === 'string', `${what}: error.param`)
  if (body.status === undefined) assert.deepEqual(Object.keys(body), ['error'], what)
  else assert.deepEqual([body.message, body.code, body.status], [error.message, error.code, status], what)
}

function requestFor(
  address: string,
  { path, method, parameters = [], requestBody }: DocumentedOperation,
  random: Random,
  ids: string[],
) {
  const headers: Record<string, string> = random.chance(0.9) ? { authorization: `Bearer ${adminKey}` } : {}
  const query = new URLSearchParams()
  let filled = path
  for (const { name, in: location, schema } of parameters) {
    if (location !== 'path' && random.chance(location === 'header' ? 0.9 : 0.4)) continue
    const isId = location === 'path' || /id$/i.test(name)
    const value =
      isId && random.chance(0.8) ? random.pick(ids) : random.draw(random.chance(0.2) ? {} : schema)
    if (location === 'path') filled = filled.replace(`{${name}}`, encodeURIComponent(String(value) || 'x'))
    else if (location === 'query') query.append(name, String(value))
    else if (/^[\x20-\x7e]+$/.test(String(value))) headers[name] = String(value)
  }
  const url = `${address}${filled}${query.size > 0 ? `?${query}` : ''}`
  return { url, init: { method, headers, ...bodyFor(requestBody, headers, random) } }
}

function bodyFor(
  requestBody: DocumentedOperation['requestBody'],
  headers: Record<string, string>,
  random: Random,
): { body?: string | FormData } {
  if (requestBody === undefined) return {}
  const type = random.pick(Object.keys(requestBody.content))
  const good = random.draw(requestBody.content[type]?.schema ?? {})
  const value = random.chance(0.5) ? good : random.spoil(good)
  if (type === 'multipart/form-data' && random.chance(0.8)) return { body: formOf(value) }
  headers['content-type'] = random.chance(0.9)
    ? type
    : random.pick(['text/plain', 'application/xml', 'multipart/form-data'])
  return { body: random.chance(0.05) ? '{"model":' : JSON.stringify(value) }
}

function formOf(value: unknown): FormData {
  const form = new FormData()
  for (const [name, member] of Object.entries(Object(value))) {
    const isFile = name === 'file' || (name === 'input_reference' && typeof member === 'string')
    if (isFile) form.append(name, new Blob([String(member)], { type: 'image/png' }), 'boat.png')
    else form.append(name, typeof member === 'string' ? member : JSON.stringify(member))
  }
  return form
}
