import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError } from '../../../src/api/errors.ts'
import { createJobId, readJobId } from '../../../src/api/requests/job-id.ts'
import { startGateway, submitted } from '../gateway.ts'

const names = ['requestId', 'runId', 'id', 'request_id', 'run_id', 'taskId', 'task_id']

for (const name of names) {
  test(`${name} names a job on every status path`, async (t) => {
    const { app } = await startGateway(t)
    const id = await submitted(app)
    for (const path of ['/video-status', '/video/status', '/generate-video/status', '/v1/video/status']) {
      const reply = await app.inject(`/api${path}?${name}=${id}`)
      assert.equal(reply.statusCode, 200, path)
      assert.equal(reply.json().runId, id)
    }
  })
}

test('other query parameters are accepted and not required', async (t) => {
  const { app } = await startGateway(t)
  const id = await submitted(app)
  const query = `runId=${id}&model=another&modelSlug=x&projectId=p&cost=1&paymentSource=USD&isApiRequest=true`
  assert.equal((await app.inject(`/api/generate-video/status?${query}`)).statusCode, 200)
})

test('new IDs are long, alphanumeric and unique', () => {
  const ids = Array.from({ length: 1000 }, createJobId)
  assert.equal(new Set(ids).size, 1000)
  for (const id of ids) assert.match(id, /^vid_[0-9a-f]{32}$/)
})

test('the first name with a value is used', () => {
  assert.equal(readJobId({ requestId: '', runId: ' ', id: 'vid_1' }), 'vid_1')
  assert.equal(readJobId({ runId: ['vid_1', 'vid_1'] }, { taskId: 'vid_1' }), 'vid_1')
  assert.equal(readJobId(undefined, null, 'text', { run_id: 'vid_2' }), 'vid_2')
})

const refused = [
  { what: 'no id', source: { model: 'x' }, code: 'missing_required_parameter', param: 'runId' },
  { what: 'an empty id', source: { requestId: '' }, code: 'missing_required_parameter', param: 'runId' },
  { what: 'a number', source: { runId: 5 }, code: 'missing_required_parameter', param: 'runId' },
  {
    what: 'two different ids',
    source: { runId: 'vid_1', requestId: 'vid_2' },
    code: 'invalid_parameter_value',
    param: 'runId',
  },
  {
    what: 'one name twice with different ids',
    source: { id: ['vid_1', 'vid_2'] },
    code: 'invalid_parameter_value',
    param: 'id',
  },
  { what: 'a path', source: { taskId: '../etc' }, code: 'invalid_parameter_value', param: 'taskId' },
  { what: 'a text too long', source: { id: 'v'.repeat(129) }, code: 'invalid_parameter_value', param: 'id' },
] as const

for (const { what, source, code, param } of refused) {
  test(`${what} is rejected as ${code} of ${param}`, () => {
    assert.throws(
      () => readJobId(source),
      (error) =>
        error instanceof ApiError && error.code === code && error.param === param && error.status === 400,
    )
  })
}
