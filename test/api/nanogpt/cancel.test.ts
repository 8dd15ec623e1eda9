import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asAlice, asBobby, startGateway, submitted, twoPeople } from '../gateway.ts'

const url = '/api/generate-video/cancel'

test('a job can be canceled by body or by query, and every API reports it', async (t) => {
  const { app } = await startGateway(t)
  for (const name of ['runId', 'id', 'requestId', 'task_id']) {
    const id = await submitted(app)
    const reply = await app.inject({ method: 'POST', url, payload: { [name]: id } })
    assert.equal(reply.statusCode, 200)
    assert.equal(reply.json().data.status, 'CANCELED')
    assert.equal(reply.json().status, 'cancelled')
    const status = await app.inject(`/api/video/status?runId=${id}`)
    assert.deepEqual(status.json(), reply.json())
  }
  const id = await submitted(app)
  const reply = await app.inject({ method: 'POST', url: `${url}?runId=${id}` })
  assert.equal(reply.json().data.status, 'CANCELED')
})

test('a terminal state does not change', async (t) => {
  const { app, engine } = await startGateway(t)
  const id = await submitted(app)
  engine.advance(id, { state: 'succeeded', videos: [{ url: '/a.mp4' }] })
  const reply = await app.inject({ method: 'POST', url, payload: { runId: id } })
  assert.equal(reply.json().data.status, 'COMPLETED')
})

test('a cancel is rejected without an ID, for an unknown job, for two jobs, and for a job of another owner', async (t) => {
  const { app, engine } = await startGateway(t, { authenticator: twoPeople })
  const id = await submitted(app, { headers: asAlice })
  const cancel = async (payload: object, headers: Record<string, string>, query = '') => {
    const reply = await app.inject({ method: 'POST', url: url + query, payload, headers })
    return [reply.statusCode, reply.json().code]
  }
  assert.deepEqual(await cancel({}, asAlice), [400, 'missing_required_parameter'])
  assert.deepEqual(await cancel({ runId: 'vid_none' }, asAlice), [404, 'not_found'])
  assert.deepEqual(await cancel({ runId: id }, asAlice, '?id=vid_other'), [400, 'invalid_parameter_value'])
  assert.deepEqual(await cancel({ runId: id }, asBobby), [403, 'forbidden'])
  assert.equal((await engine.readStatus(id))?.view.state, 'pending')
})
