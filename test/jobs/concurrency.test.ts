import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import {
  createCleanup,
  startRedis,
  startTestGateway,
  startUpstreams,
  submit,
  waitForEnd,
  waitForStage,
} from '../support/setup.ts'

const model = 'kling-video'

describe('jobs at an upstream that accepts one at a time', { timeout: 60_000 }, () => {
  const cleanup = createCleanup()
  let redis: Redis
  let address = ''
  let upstreams: Awaited<ReturnType<typeof startUpstreams>>

  before(async () => {
    const server = await startRedis(cleanup)
    redis = server.redis
    upstreams = await startUpstreams(cleanup, redis, 200)
    const env = { ...upstreams.env, REDIS_URL: server.url, FAL_MAX_IN_FLIGHT: '1', RECONCILE_SECONDS: '3' }
    address = (await startTestGateway(cleanup, env)).address
  })
  after(() => cleanup.run())

  const begin = async (prompt: string) => (await submit(address, { model, prompt })).body.runId
  const cancel = (runId: string) =>
    fetch(`${address}/api/generate-video/cancel?runId=${runId}`, { method: 'POST' })
  const isFree = async () => (await redis.scard('reelgate:slots:fal')) === 0

  it('are rendered one after the other', async () => {
    const ids = await Promise.all(['one', 'two', 'three'].map(begin))
    for (const id of ids) assert.equal((await waitForEnd(address, id)).data.status, 'COMPLETED')
    const starts = (await upstreams.host.tasks('fal')).map(({ createdAt }) => createdAt).sort((a, b) => a - b)
    for (const [at, start] of starts.slice(1).entries()) assert.ok(start - (starts[at] ?? start) >= 200)
    assert.ok(await isFree())
  })

  for (const [end, prompt] of [
    ['fails at once', 'sandbox:refuse'],
    ['fails while it renders', 'sandbox:fail'],
    ['is lost', 'sandbox:lost'],
  ] as const)
    it(`free their slot for the next one when one ${end}`, async () => {
      const [first, second] = [await begin(prompt), await begin('next')]
      assert.equal((await waitForEnd(address, first)).data.status, 'FAILED')
      assert.equal((await waitForEnd(address, second)).data.status, 'COMPLETED')
      assert.ok(await isFree())
    })

  it('free their slot for the next one when one is canceled, at the upstream or in the queue', async () => {
    const first = await begin('sandbox:hang')
    await waitForStage(address, first, /^(queued|processing)$/)
    const [second, third] = [await begin('in line'), await begin('next')]
    await cancel(second)
    assert.equal((await waitForEnd(address, second)).data.status, 'CANCELED')
    assert.equal((await waitForStage(address, third, /pending/)).stage, 'pending')
    await cancel(first)
    assert.equal((await waitForEnd(address, first)).data.status, 'CANCELED')
    assert.equal((await waitForEnd(address, third)).data.status, 'COMPLETED')
    assert.ok(await isFree())
  })
})
