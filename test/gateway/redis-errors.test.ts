import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { createCleanup, startRedis, startTestGateway, submit } from '../support/setup.ts'

const body = { model: 'kling-video', prompt: 'a boat' }

describe('an error of Redis during a request', () => {
  const cleanup = createCleanup()
  let store: Awaited<ReturnType<typeof startRedis>>
  let address: string

  before(async () => {
    store = await startRedis(cleanup)
    address = (await startTestGateway(cleanup, { REDIS_URL: store.url, ROLE: 'api' })).address
  })
  beforeEach(() => store.redis.config('SET', 'maxmemory', '0'))
  after(() => cleanup.run())

  async function expectSubmit(status: number, code: string, message: string): Promise<void> {
    const reply = await submit(address, body)
    const { error } = reply.body as unknown as { error: { code: string; message: string } }
    assert.deepEqual([reply.status, error.code, error.message], [status, code, message])
  }

  it('is 503 when Redis is out of memory', async () => {
    await store.redis.config('SET', 'maxmemory', '1')
    await expectSubmit(503, 'service_unavailable', 'Redis is unavailable; try again')
  })

  it('is 500 when a script fails: that is a bug, not an outage', async () => {
    await store.redis.rename('reelgate:open', 'saved').catch(() => undefined)
    await store.redis.set('reelgate:open', 'not a sorted set')
    await expectSubmit(500, 'internal_error', 'Internal error of the gateway')
    await store.redis.del('reelgate:open')
  })

  it('is 503 while Redis is unreachable', async () => {
    await store.redis.shutdown('NOSAVE').catch(() => undefined)
    await expectSubmit(503, 'service_unavailable', 'Redis is unavailable; try again')
  })
})
