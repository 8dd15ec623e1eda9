import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  createCleanup,
  startRedis,
  startTestGateway,
  startUpstreams,
  submit,
  waitForEnd,
} from '../support/setup.ts'

describe('a job through the whole gateway', () => {
  const cleanup = createCleanup()
  let address: string
  let upstreams: Awaited<ReturnType<typeof startUpstreams>>

  before(async () => {
    const { redis } = await startRedis(cleanup)
    upstreams = await startUpstreams(cleanup, redis)
    address = (await startTestGateway(cleanup, upstreams.env)).address
  })
  after(() => cleanup.run())

  it('ends COMPLETED with a playable file, after one submission', async () => {
    const reply = await submit(address, { model: 'veo3-video', prompt: 'a boat', duration: '8' })
    assert.equal(reply.status, 202)
    const end = await waitForEnd(address, reply.body.runId)
    assert.equal(end.data.status, 'COMPLETED')
    const file = await fetch(end.data.output?.video.url ?? '', { headers: { range: 'bytes=4-7' } })
    assert.equal(file.status, 206)
    assert.equal(file.headers.get('content-type'), 'video/mp4')
    assert.equal(await file.text(), 'ftyp')
    assert.equal((await upstreams.host.tasks('fal')).length, 1)
  })

  it('returns 202 before the upstream has replied', async () => {
    const patient = await startTestGateway(cleanup, { ...upstreams.env, UPSTREAM_TIMEOUT_SECONDS: '60' })
    const tasks = () => upstreams.host.tasks('fal')
    const before = (await tasks()).length
    upstreams.host.injectFault({ provider: 'fal', operation: 'submit', kind: 'late', ms: 5000, times: 1 })
    const reply = await submit(patient.address, { model: 'veo3-video', prompt: 'a boat', duration: '8' })
    assert.equal(reply.status, 202)
    while ((await tasks()).length === before) await new Promise(setImmediate)
    // The upstream has the task and has not replied yet; without the reply the job cannot be queued.
    const status = await fetch(`${patient.address}/api/video/status?requestId=${reply.body.runId}`)
    assert.equal(((await status.json()) as { stage: string }).stage, 'pending')
    assert.equal((await waitForEnd(patient.address, reply.body.runId)).data.status, 'COMPLETED')
  })

  it('waits for an upstream that is busy at first', async () => {
    const before = (await upstreams.host.tasks('fal')).length
    const reply = await submit(address, { model: 'veo3-video', prompt: 'sandbox:busy', duration: '8' })
    const end = await waitForEnd(address, reply.body.runId)
    assert.equal(end.data.status, 'COMPLETED')
    assert.equal((await upstreams.host.tasks('fal')).length, before + 1)
  })

  it('returns the details of a content rejection', async () => {
    const reply = await submit(address, { model: 'veo3-video', prompt: 'sandbox:refuse', duration: '8' })
    const end = await waitForEnd(address, reply.body.runId)
    assert.equal(end.data.status, 'FAILED')
    assert.equal(end.data.isNSFWError, true)
  })
})
