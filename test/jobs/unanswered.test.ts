import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  createCleanup,
  startRedis,
  startTestGateway,
  startUpstreams,
  submit,
  waitForEnd,
} from '../support/setup.ts'

const small = { model: 'kling-video', prompt: 'a boat' }

describe('work whose client no longer waits', () => {
  const cleanup = createCleanup()
  let store: Awaited<ReturnType<typeof startRedis>>
  let upstreams: Awaited<ReturnType<typeof startUpstreams>>
  let env: Record<string, string>

  before(async () => {
    store = await startRedis(cleanup)
    upstreams = await startUpstreams(cleanup, (await startRedis(cleanup)).redis, 100)
    env = { ...upstreams.env, REDIS_URL: store.url }
  })
  after(() => cleanup.run())

  it('a job that reaches Redis after its client received 503 is not accepted', async () => {
    const { address } = await startTestGateway(cleanup, env)
    const ids = () => store.redis.zrange('reelgate:owner:anonymous', 0, '-1')
    const { body } = await submit(address, small)
    await waitForEnd(address, body.runId)
    await store.redis.client('PAUSE', 4000)
    assert.equal((await submit(address, { ...small, prompt: 'unheard of' })).status, 503)
    let next = await submit(address, small)
    while (next.status !== 202) next = await submit(address, small)
    assert.deepEqual(await ids(), [body.runId, next.body.runId])
    const tasks = await upstreams.host.tasks('fal')
    assert.equal(tasks.filter(({ body }) => JSON.stringify(body).includes('unheard of')).length, 0)
  })

  it('a job that no replica has is neither accepted nor purchased', async () => {
    const { url, redis } = await startRedis(cleanup)
    const more = { REDIS_URL: url, REDIS_WAIT_REPLICAS: '1', REDIS_WAIT_MS: '50' }
    const { address } = await startTestGateway(cleanup, { ...env, ...more })
    assert.equal((await submit(address, { ...small, prompt: 'on one machine only' })).status, 503)
    const [id = ''] = await redis.zrange('reelgate:owner:anonymous', 0, '-1')
    assert.equal((await waitForEnd(address, id)).data.status, 'CANCELED')
    const tasks = await upstreams.host.tasks('fal')
    assert.equal(tasks.filter(({ body }) => JSON.stringify(body).includes('one machine')).length, 0)
  })

  it('a stopping gateway runs no more steps, however slow a client is', async () => {
    const { url, redis } = await startRedis(cleanup)
    const gateway = await startTestGateway(cleanup, { ...env, REDIS_URL: url })
    const countTakers = async () => String(await redis.client('LIST')).split('cmd=bzpopmin').length - 1
    while ((await countTakers()) === 0) await sleep(20)
    const client = connect(Number(new URL(gateway.address).port), '127.0.0.1')
    client.on('error', () => undefined)
    cleanup.add(() => client.destroy())
    client.write('POST /api/generate-video HTTP/1.1\r\nhost: reelgate\r\n')
    client.write('content-type: application/json\r\ncontent-length: 1000\r\n\r\n{')
    await sleep(100)
    const stopping = gateway.stop()
    for (let attempt = 0; attempt < 300 && (await countTakers()) > 0; attempt++) await sleep(20)
    assert.equal(await countTakers(), 0)
    client.destroy()
    await stopping
  })
})
