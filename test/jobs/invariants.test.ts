import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  createCleanup,
  startRedis,
  startTestGateway,
  startUpstreams,
  submit,
  waitForEnd,
  waitForStage,
} from '../support/setup.ts'

const adminKey = 'the-operators-own-key'
const small = { model: 'kling-video', prompt: 'a boat' }

describe('the invariants of a job', () => {
  const cleanup = createCleanup()
  let upstreams: Awaited<ReturnType<typeof startUpstreams>>
  let store: Awaited<ReturnType<typeof startRedis>>
  let address: string

  const tasks = async (mark: string) =>
    (await upstreams.host.tasks('fal')).filter(({ body }) => JSON.stringify(body).includes(mark))
  const seed = async (runId: string, at = address) =>
    (await (await fetch(`${at}/api/video-status?runId=${runId}`)).json()) as {
      status: string
      error: null | { code: string }
    }

  before(async () => {
    store = await startRedis(cleanup)
    upstreams = await startUpstreams(cleanup, store.redis, 600)
    const env = { ...upstreams.env, REDIS_URL: store.url, RECONCILE_SECONDS: '3', ADMIN_KEY: adminKey }
    address = (await startTestGateway(cleanup, env)).address
  })
  after(() => cleanup.run())

  it('accepted jobs are durable: the sweep finds a job with a lost queue entry', async () => {
    const { body } = await submit(address, { ...small, prompt: 'sandbox:slow swept' })
    await store.redis.del(...(await store.redis.keys('reelgate:bull:fal:*')))
    assert.equal((await waitForEnd(address, body.runId)).data.status, 'COMPLETED')
    assert.equal((await tasks('swept')).length, 1)
  })

  it('a lost reply that cannot be recovered ends as submission_unknown, and is not sent again', async () => {
    const { body } = await submit(address, { ...small, prompt: 'sandbox:lost once' })
    await waitForEnd(address, body.runId)
    assert.deepEqual(
      { ...(await seed(body.runId)).error, message: '' },
      { code: 'submission_unknown', type: 'api_error', message: '' },
    )
    assert.equal((await tasks('once')).length, 1)

    const operator = { headers: { 'x-api-key': adminKey, 'content-type': 'application/json' } }
    const listed = (await (await fetch(`${address}/api/admin/unknown`, operator)).json()) as {
      data: { id: string; provider: string }[]
    }
    assert.deepEqual(
      listed.data.map(({ id, provider }) => ({ id, provider })),
      [{ id: body.runId, provider: 'fal' }],
    )
    const decide = () =>
      fetch(`${address}/api/admin/unknown/${body.runId}`, {
        ...operator,
        method: 'POST',
        body: '{"decision":"release"}',
      })
    assert.equal((await decide()).status, 200)
    assert.equal((await decide()).headers.get('idempotent-replayed'), 'true')
  })

  it('fails over before acceptance', async () => {
    upstreams.host.injectFault({
      provider: 'fal',
      operation: 'submit',
      kind: 'status',
      status: 402,
      times: 1,
    })
    const { body } = await submit(address, { model: 'veo3-fast-video', prompt: 'failover', duration: 8 })
    assert.equal((await waitForEnd(address, body.runId)).data.status, 'COMPLETED')
    assert.equal((await tasks('failover')).length, 0)
    const runware = await upstreams.host.tasks('runware')
    assert.equal(runware.filter(({ body }) => JSON.stringify(body).includes('failover')).length, 1)
  })

  it('does not fail over after an unknown outcome', async () => {
    const { body } = await submit(address, {
      model: 'veo3-fast-video',
      prompt: 'sandbox:lost stays',
      duration: 8,
    })
    await waitForEnd(address, body.runId)
    const runware = await upstreams.host.tasks('runware')
    assert.equal(runware.filter(({ body }) => JSON.stringify(body).includes('stays')).length, 0)
  })

  describe('a callback', () => {
    /** A gateway without scheduled polls for minutes. */
    let rare: string
    before(async () => {
      const env = { ...upstreams.env, REDIS_URL: store.url, REDIS_PREFIX: 'rare:', POLL_MAX_MS: '600000' }
      rare = (await startTestGateway(cleanup, env)).address
    })

    async function begin(prompt: string) {
      upstreams.host.clearFaults('fal')
      const { runId } = (await submit(rare, { ...small, prompt })).body
      await waitForStage(rare, runId, /^(queued|processing)$/)
      const secret = await store.redis.hget(`rare:job:${runId}`, 'hint')
      const callback = async (given: string | null) => {
        const url = `${rare}/hooks/${runId}/${given}`
        const headers = { 'content-type': 'application/json' }
        const body = '{"status":"OK","payload":{"video":{"url":"https://evil.example/x.mp4"}}}'
        return (await fetch(url, { method: 'POST', headers, body })).status
      }
      return { runId, secret, callback }
    }

    it('brings the next poll forward', { timeout: 30_000 }, async () => {
      const { runId, secret, callback } = await begin('called back')
      const [task] = await tasks('called back')
      while (Date.now() < (task?.createdAt ?? 0) + 700) await new Promise((wake) => setTimeout(wake, 50))
      assert.equal(await callback(secret), 200)
      assert.equal((await waitForEnd(rare, runId)).data.status, 'COMPLETED')
      assert.equal(await callback(secret), 200)
    })

    it('does not end a job: only the poll counts', { timeout: 30_000 }, async () => {
      const { runId, secret, callback } = await begin('sandbox:hang called back')
      upstreams.host.injectFault({
        provider: 'fal',
        operation: 'poll',
        kind: 'status',
        status: 500,
        times: 1,
      })
      assert.equal(await callback(secret), 200)
      while (upstreams.host.countPending('fal') > 0) await new Promise((wake) => setTimeout(wake, 20))
      const status = await (await fetch(`${rare}/api/video/status?requestId=${runId}`)).text()
      assert.match(status, /"stage":"(queued|processing)"/)
      assert.doesNotMatch(status, /evil/)
    })

    it('that is forged is rejected, and nothing is polled', async () => {
      const { secret, callback } = await begin('sandbox:hang forged')
      upstreams.host.injectFault({
        provider: 'fal',
        operation: 'poll',
        kind: 'status',
        status: 500,
        times: 1,
      })
      for (const forged of ['f'.repeat(32), '', `${secret}0`, String(secret).slice(1)])
        assert.equal(await callback(forged), 404)
      assert.equal(upstreams.host.countPending('fal'), 1)
      upstreams.host.clearFaults('fal')
    })
  })

  it('every job ends: one that never finishes fails at its deadline', async () => {
    const hasty = await startTestGateway(cleanup, { ...upstreams.env, MAX_JOB_SECONDS: '1' })
    const { body } = await submit(hasty.address, { ...small, prompt: 'sandbox:hang' })
    await waitForEnd(hasty.address, body.runId)
    assert.equal((await seed(body.runId, hasty.address)).error?.code, 'timeout')
  })

  for (const status of [403, 404, 500]) {
    it(`the result link returns ${status} at first`, async () => {
      upstreams.host.injectFault({ provider: 'video', operation: 'fetch', kind: 'status', status, times: 1 })
      const { body } = await submit(address, small)
      assert.equal((await waitForEnd(address, body.runId)).data.status, 'COMPLETED')
    })
  }

  it('cancel reaches the upstream and ends once', async () => {
    const { body } = await submit(address, { ...small, prompt: 'sandbox:hang stop me' })
    await waitForStage(address, body.runId, /^(queued|processing)$/)
    await fetch(`${address}/api/generate-video/cancel`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ runId: body.runId }),
    })
    const end = await waitForEnd(address, body.runId)
    assert.equal(end.data.status, 'CANCELED')
    assert.notEqual((await tasks('stop me'))[0]?.canceledAt, undefined)
  })

  it('cancel before any upstream has the job purchases nothing', async () => {
    upstreams.host.injectFault({
      provider: 'fal',
      operation: 'submit',
      kind: 'status',
      status: 429,
      headers: { 'retry-after': '2' },
      times: 1,
    })
    const { body } = await submit(address, { ...small, prompt: 'never bought' })
    await new Promise((resolve) => setTimeout(resolve, 300))
    await fetch(`${address}/api/generate-video/cancel?runId=${body.runId}`, { method: 'POST' })
    assert.equal((await waitForEnd(address, body.runId)).data.status, 'CANCELED')
    assert.equal((await tasks('never bought')).length, 0)
    upstreams.host.clearFaults('fal')
  })
})
