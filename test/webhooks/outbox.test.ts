import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { createKeys } from '../../src/engine/keys.ts'
import { createStore } from '../../src/engine/store.ts'
import { createOutbox, type Outbox } from '../../src/webhooks/outbox.ts'
import { createSecrets } from '../../src/webhooks/secrets.ts'
import { createCleanup, startRedis } from '../setup.ts'

const keys = createKeys('outbox:')
const keepMs = 3_600_000

describe('the outbox', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let outbox: Outbox

  before(async () => {
    redis = (await startRedis(cleanup)).redis
    outbox = createOutbox({ redis, keys, keepMs })
  })
  after(() => cleanup.run())

  async function putJob(id: string, state = 'succeeded') {
    const view = JSON.stringify({ id, state })
    await redis.hset(keys.job(id), { owner: 'o', view, state, version: 7, webhook: 'https://a.example/' })
    await redis.rpush(keys.events(id), '{}')
  }
  const score = async (id: string) => Number(await redis.zscore(keys.webhooks, id))

  it('does not let an attempt for one end count for the next one', async () => {
    await putJob('anew')
    await redis.zadd(keys.webhooks, 5, 'anew')
    await outbox.note('anew', { at: 1, outcome: 'delivered', version: 6 })
    await outbox.note('anew', { at: 2, outcome: 'failed', nextAt: 1e12, version: 6 })
    assert.equal(await score('anew'), 5)
    assert.equal((await outbox.log('anew')).length, 2)
    await outbox.note('anew', { at: 3, outcome: 'delivered', version: 7 })
    assert.equal(await redis.zscore(keys.webhooks, 'anew'), null)
  })

  it('drops only webhooks of jobs that have none, or have not ended', async () => {
    for (const id of ['ended', 'running', 'absent']) await redis.zadd(keys.webhooks, 5, id)
    await putJob('ended')
    await putJob('running', 'queued')
    for (const id of ['ended', 'running', 'absent']) await outbox.drop(id)
    assert.deepEqual(await redis.zrange(keys.webhooks, 0, '-1'), ['ended'])
    await redis.hdel(keys.job('ended'), 'webhook')
    await outbox.drop('ended')
    assert.equal(await redis.zcard(keys.webhooks), 0)
  })

  it('gives the record its time only after the end, and only where it has none', async () => {
    await putJob('running', 'queued')
    await outbox.note('running', { at: 1, outcome: 'delivered' })
    assert.equal(await redis.pttl(keys.job('running')), -1)
    await putJob('timed')
    await redis.pexpire(keys.job('timed'), 1000)
    await outbox.note('timed', { at: 1, outcome: 'delivered' })
    const ttl = await redis.pttl(keys.job('timed'))
    assert.ok(ttl > 0 && ttl <= 1000, String(ttl))
  })

  it('keeps 50 lines of a job', async () => {
    for (let at = 1; at <= 60; at++) await outbox.note('long', { at, outcome: 'failed', nextAt: at })
    const log = await outbox.log('long')
    assert.deepEqual([log.length, log.at(-1)?.at], [50, 60])
  })

  it('keeps nothing of a deleted job without a pending webhook', async () => {
    const store = createStore({ redis, keys, keepMs })
    await putJob('deleted')
    assert.equal(await store.remove('deleted'), true)
    assert.equal(await redis.exists(keys.deletedJob('deleted')), 0)
    await putJob('waiting')
    await redis.zadd(keys.webhooks, 5, 'waiting')
    await redis.hset(keys.notes('waiting'), '1', '{}')
    await store.remove('waiting')
    assert.equal((await outbox.deletedJob('waiting'))?.webhook?.url, 'https://a.example/')
    assert.equal(await redis.exists(keys.job('waiting'), keys.events('waiting'), keys.notes('waiting')), 0)
    assert.equal(await outbox.deletedJob('none'), undefined)
  })
})

describe('the secret of webhooks', () => {
  const cleanup = createCleanup()
  after(() => cleanup.run())

  it('is known for a day under the key of the operation that made it', async () => {
    const { redis } = await startRedis(cleanup)
    const secrets = createSecrets({ redis, keys })
    await secrets.rotate('o', 'k')
    const [name = ''] = await redis.keys(`${keys.operation('')}*`)
    assert.ok((await redis.pttl(name)) > 86_000_000)
    await secrets.rotate('o')
    assert.equal((await redis.keys(`${keys.operation('')}*`)).length, 1)
    assert.equal((await secrets.signing('o')).length, 2)
  })
})
