import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { createJobStore } from '../../src/jobs/store/store.ts'
import { createKeys } from '../../src/redis/keys.ts'
import { createWebhookOutbox, type WebhookOutbox } from '../../src/webhooks/outbox.ts'
import { createWebhookSecrets } from '../../src/webhooks/secrets.ts'
import { createCleanup, startRedis } from '../support/setup.ts'

const keys = createKeys('outbox:')
const keepMs = 3_600_000

describe('the outbox', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let outbox: WebhookOutbox

  before(async () => {
    redis = (await startRedis(cleanup)).redis
    outbox = createWebhookOutbox({ redis, keys, keepMs })
  })
  after(() => cleanup.run())

  async function putJob(id: string, state = 'succeeded') {
    const view = JSON.stringify({ id, state })
    await redis.hset(keys.job(id), { owner: 'o', view, state, version: 7, webhook: 'https://a.example/' })
    await redis.rpush(keys.history(id), '{}')
  }
  const score = async (id: string) => Number(await redis.zscore(keys.webhooks, id))

  it('counts attempts for each end separately', async () => {
    await putJob('anew')
    await redis.zadd(keys.webhooks, 5, 'anew')
    await outbox.logAttempt('anew', { at: 1, outcome: 'delivered', version: 6 })
    await outbox.logAttempt('anew', { at: 2, outcome: 'failed', nextAt: 1e12, version: 6 })
    assert.equal(await score('anew'), 5)
    assert.equal((await outbox.log('anew')).length, 2)
    await outbox.logAttempt('anew', { at: 3, outcome: 'delivered', version: 7 })
    assert.equal(await redis.zscore(keys.webhooks, 'anew'), null)
  })

  it('drops only webhooks of jobs that have none, or have not ended', async () => {
    for (const id of ['ended', 'running', 'absent']) await redis.zadd(keys.webhooks, 5, id)
    await putJob('ended')
    await putJob('running', 'queued')
    for (const id of ['ended', 'running', 'absent']) await outbox.remove(id)
    assert.deepEqual(await redis.zrange(keys.webhooks, 0, '-1'), ['ended'])
    await redis.hdel(keys.job('ended'), 'webhook')
    await outbox.remove('ended')
    assert.equal(await redis.zcard(keys.webhooks), 0)
  })

  it('sets the expiry of the record only after the end, and only if it has none', async () => {
    await putJob('running', 'queued')
    await outbox.logAttempt('running', { at: 1, outcome: 'delivered' })
    assert.equal(await redis.pttl(keys.job('running')), -1)
    await putJob('timed')
    await redis.pexpire(keys.job('timed'), 1000)
    await outbox.logAttempt('timed', { at: 1, outcome: 'delivered' })
    const ttl = await redis.pttl(keys.job('timed'))
    assert.ok(ttl > 0 && ttl <= 1000, String(ttl))
  })

  it('keeps record and history until a webhook is delivered, then until they expire', async () => {
    const ttls = () => Promise.all([keys.job('kept'), keys.history('kept')].map((key) => redis.pttl(key)))
    await putJob('kept')
    for (const key of [keys.job('kept'), keys.history('kept')]) await redis.pexpire(key, 1000)
    await outbox.logAttempt('kept', { at: 1, outcome: 'failed', nextAt: 1e12 })
    assert.deepEqual(await ttls(), [-1, -1])
    assert.equal(await score('kept'), 1e12 + 5000)
    await outbox.logAttempt('kept', { at: 2, outcome: 'delivered' })
    for (const ttl of await ttls()) assert.ok(ttl > keepMs - 60_000 && ttl <= keepMs, String(ttl))
    const ttl = await redis.pttl(keys.webhookLog('kept'))
    assert.ok(ttl > keepMs - 60_000 && ttl <= keepMs, String(ttl))
  })

  for (const state of ['succeeded', 'failed', 'canceled'])
    it(`treats ${state} as a terminal state`, async () => {
      await putJob(state, state)
      await redis.zadd(keys.webhooks, 5, state)
      await outbox.remove(state)
      assert.equal(await score(state), 5)
      await outbox.logAttempt(state, { at: 1, outcome: 'delivered' })
      assert.ok((await redis.pttl(keys.job(state))) > 0)
    })

  it('does not change the expiry of a running job', async () => {
    await putJob('going', 'queued')
    await redis.pexpire(keys.job('going'), 90_000)
    await outbox.logAttempt('going', { at: 1, outcome: 'failed', nextAt: 1e12 })
    assert.ok((await redis.pttl(keys.job('going'))) > 0)
  })

  it('writes one log line for a command that Redis receives twice, with the ID of the line', async () => {
    const twice = new Proxy(redis, {
      get(target, name) {
        const value = Reflect.get(target, name)
        if (name !== 'reelgateNoteAttempt') return typeof value === 'function' ? value.bind(target) : value
        return async (...args: unknown[]) => {
          await value.apply(target, args)
          return value.apply(target, args)
        }
      },
    })
    await createWebhookOutbox({ redis: twice, keys, keepMs }).logAttempt('twice', {
      at: 1,
      outcome: 'failed',
    })
    await outbox.logAttempt('twice', { at: 1, outcome: 'failed' })
    const [first, second, ...others] = await outbox.log('twice')
    assert.deepEqual(others, [])
    assert.match(first?.id ?? '', /^[\da-f-]{36}$/)
    assert.notEqual(first?.id, second?.id)
  })

  it('logs the attempt for a job without a record, and removes its remaining data', async () => {
    await redis.hset(keys.deletedJob('gone'), { owner: 'o', view: '{}', webhook: 'https://a.example/' })
    await redis.zadd(keys.webhooks, 5, 'gone')
    await outbox.logAttempt('gone', { at: 1, outcome: 'failed', nextAt: 10, version: 3 })
    assert.equal(await score('gone'), 5010)
    assert.equal(await redis.exists(keys.deletedJob('gone')), 1)
    await outbox.logAttempt('gone', { at: 2, outcome: 'delivered', version: 3 })
    assert.equal(await redis.zscore(keys.webhooks, 'gone'), null)
    assert.equal(await redis.exists(keys.deletedJob('gone'), keys.job('gone')), 0)
  })

  it('removes the data of a deleted job with its webhook', async () => {
    await redis.hset(keys.deletedJob('dropped'), 'owner', 'o')
    await redis.zadd(keys.webhooks, 5, 'dropped')
    await outbox.remove('dropped')
    assert.equal(await redis.exists(keys.deletedJob('dropped')), 0)
  })

  it('reads the data of a deleted job only if it is complete', async () => {
    const deletedJob = { owner: 'o', view: '{"id":"left"}', version: '4', webhook: 'https://a.example/' }
    await redis.hset(keys.deletedJob('left'), deletedJob)
    const job = { owner: 'o', view: { id: 'left', version: 4 } }
    assert.deepEqual(await outbox.readDeletedJob('left'), {
      ...job,
      webhook: { url: deletedJob.webhook, baseUrl: '' },
    })
    await redis.hset(keys.deletedJob('left'), 'address', 'https://us.example')
    assert.equal((await outbox.readDeletedJob('left'))?.webhook?.baseUrl, 'https://us.example')
    for (const field of ['owner', 'view', 'webhook'] as const) {
      await redis.hdel(keys.deletedJob('left'), field)
      assert.equal(await outbox.readDeletedJob('left'), undefined)
      await redis.hset(keys.deletedJob('left'), field, deletedJob[field])
    }
  })

  it('lists what is overdue, the longest overdue first, up to a limit', async () => {
    await redis.del(keys.webhooks)
    await redis.zadd(keys.webhooks, 30, 'c', 10, 'a', 20, 'b', 31, 'later')
    assert.deepEqual(await outbox.listOverdue(30, 9), ['a', 'b', 'c'])
    assert.deepEqual(await outbox.listOverdue(30, 2), ['a', 'b'])
    await outbox.postpone('a', 50)
    await outbox.postpone('absent', 1)
    assert.deepEqual(await outbox.listOverdue(9e9, 9), ['b', 'c', 'later', 'a'])
    assert.equal(await score('a'), 5050)
    assert.equal(await outbox.isOpen('a'), true)
    assert.equal(await outbox.isOpen('absent'), false)
  })

  it('stores the gone destinations of an owner for 90 days from the last time', async () => {
    await outbox.disable('o', 'https://a.example/', 5)
    await redis.pexpire(keys.webhooksGone('o'), 1000)
    await outbox.disable('o', 'https://b.example/', 6)
    assert.deepEqual(await redis.hgetall(keys.webhooksGone('o')), {
      'https://a.example/': '5',
      'https://b.example/': '6',
    })
    assert.ok((await redis.pttl(keys.webhooksGone('o'))) > 89 * 86_400_000)
    await outbox.enable('o', 'https://a.example/')
    assert.equal(await outbox.isDisabled('o', 'https://a.example/'), false)
    assert.equal(await outbox.isDisabled('o', 'https://b.example/'), true)
    assert.equal(await outbox.isDisabled('p', 'https://b.example/'), false)
  })

  it('stores the default URL of an owner with its account', async () => {
    assert.equal(await outbox.readDefaultUrl('q'), undefined)
    await outbox.setDefaultUrl('q', 'https://a.example/')
    await redis.hset(keys.account('q'), 'name', 'quin')
    assert.equal(await outbox.readDefaultUrl('q'), 'https://a.example/')
    await outbox.setDefaultUrl('q', undefined)
    assert.equal(await outbox.readDefaultUrl('q'), undefined)
    assert.deepEqual(await redis.hgetall(keys.account('q')), { name: 'quin' })
  })

  it('keeps 50 lines of a job', async () => {
    for (let at = 1; at <= 60; at++) await outbox.logAttempt('long', { at, outcome: 'failed', nextAt: at })
    const log = await outbox.log('long')
    assert.deepEqual([log.length, log.at(-1)?.at], [50, 60])
  })

  it('stores nothing of a deleted job without a pending webhook', async () => {
    const store = createJobStore({ redis, keys, keepMs })
    await putJob('deleted')
    assert.equal(await store.remove('deleted'), true)
    assert.equal(await redis.exists(keys.deletedJob('deleted')), 0)
    await putJob('waiting')
    await redis.zadd(keys.webhooks, 5, 'waiting')
    await redis.hset(keys.notes('waiting'), '1', '{}')
    await store.remove('waiting')
    assert.equal((await outbox.readDeletedJob('waiting'))?.webhook?.url, 'https://a.example/')
    assert.equal(await redis.exists(keys.job('waiting'), keys.history('waiting'), keys.notes('waiting')), 0)
    assert.equal(await outbox.readDeletedJob('none'), undefined)
  })
})

describe('the webhook secret', () => {
  const cleanup = createCleanup()
  after(() => cleanup.run())

  it('is stored for a day with the ID of the operation that created it', async () => {
    const { redis } = await startRedis(cleanup)
    const secrets = createWebhookSecrets({ redis, keys })
    await secrets.rotateSecret('o', 'k')
    const [name = ''] = await redis.keys(`${keys.operation('')}*`)
    assert.ok((await redis.pttl(name)) > 86_000_000)
    await secrets.rotateSecret('o')
    assert.equal((await redis.keys(`${keys.operation('')}*`)).length, 1)
    assert.equal((await secrets.listValid('o')).length, 2)
  })
})
