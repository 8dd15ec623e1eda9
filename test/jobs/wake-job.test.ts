import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  createCleanup,
  startRedis,
  startTestGateway,
  startUpstreams,
  submit,
  waitForEnd,
  waitForStage,
} from '../support/setup.ts'

const small = { model: 'kling-video', prompt: 'a boat' }

/** The first poll of these jobs is 20 s away, so that an earlier poll was brought forward. */
describe('events during a step', () => {
  const cleanup = createCleanup()
  let redis: Awaited<ReturnType<typeof startRedis>>['redis']
  let upstreams: Awaited<ReturnType<typeof startUpstreams>>
  let address: string

  before(async () => {
    const store = await startRedis(cleanup)
    redis = store.redis
    upstreams = await startUpstreams(cleanup, (await startRedis(cleanup)).redis, 300)
    const env = {
      ...upstreams.env,
      REDIS_URL: store.url,
      POLL_MAX_MS: '20000',
      UPSTREAM_TIMEOUT_SECONDS: '10',
    }
    address = (await startTestGateway(cleanup, env)).address
  })
  after(() => cleanup.run())

  const submitSlowly = async () => {
    upstreams.host.injectFault({ provider: 'fal', operation: 'submit', kind: 'late', ms: 1500, times: 1 })
    const { body } = await submit(address, { ...small, prompt: 'sandbox:hang' })
    const key = `reelgate:job:${body.runId}`
    while ((await redis.hget(key, 'state')) !== 'submitting') await sleep(10)
    return { id: body.runId, callback: `${address}/hooks/${body.runId}/${await redis.hget(key, 'hint')}` }
  }
  const polls = async (id: string) =>
    (JSON.parse((await redis.hget(`reelgate:job:${id}`, 'work')) ?? '{}') as { polls: number }).polls

  it('a cancel during the purchase reaches the upstream right after it', async () => {
    const { id } = await submitSlowly()
    await fetch(`${address}/api/generate-video/cancel?runId=${id}`, { method: 'POST' })
    const began = Date.now()
    assert.equal((await waitForEnd(address, id)).data.status, 'CANCELED')
    assert.ok(Date.now() - began < 15_000)
    const [task] = await upstreams.host.tasks('fal')
    assert.notEqual(task?.canceledAt, undefined)
  })

  it('a callback during the purchase brings the first poll forward', async () => {
    const { id, callback } = await submitSlowly()
    assert.equal((await fetch(callback, { method: 'POST', body: '{}' })).status, 200)
    await waitForStage(address, id, /^(queued|processing)$/)
    const began = Date.now()
    while ((await polls(id)) === 0) await sleep(20)
    assert.ok(Date.now() - began < 15_000)
  })

  it('without an event the job waits', async () => {
    const { id } = await submitSlowly()
    await waitForStage(address, id, /^(queued|processing)$/)
    await sleep(300)
    assert.equal(await polls(id), 0)
  })
})
