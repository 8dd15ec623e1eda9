import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { createKeys } from '../../src/redis/keys.ts'
import { createWebhookSecrets, type WebhookSecrets } from '../../src/webhooks/secrets.ts'
import { createCleanup, startRedis } from '../support/setup.ts'

const keys = createKeys('secrets:')
const day = 86_400_000

describe('the secret that signs webhooks', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let secrets: WebhookSecrets
  before(async () => {
    redis = (await startRedis(cleanup)).redis
    secrets = createWebhookSecrets({ redis, keys })
  })
  beforeEach(() => redis.flushall())
  after(() => cleanup.run())

  it('is created on first use, one per owner, and does not change', async () => {
    const first = await secrets.current('ann')
    assert.match(first, /^whsec_[A-Za-z0-9+/]{43}=$/)
    assert.equal(await secrets.current('ann'), first)
    assert.notEqual(await secrets.current('bob'), first)
    assert.deepEqual(await secrets.listValid('ann'), [first])
  })

  it('is the same for concurrent first requests', async () => {
    const secretsRead = await Promise.all(Array.from({ length: 5 }, () => secrets.current('ann')))
    assert.equal(new Set(secretsRead).size, 1)
  })

  it('is created by the first webhook if it was never read', async () => {
    const signing = await secrets.listValid('ann')
    assert.deepEqual(signing, [await secrets.current('ann')])
  })

  it('signs together with the new one for a day after a rotation', async (t) => {
    const old = await secrets.current('ann')
    t.mock.timers.enable({ apis: ['Date'], now: 1_800_000_000_000 })
    const rotated = await secrets.rotateSecret('ann')
    assert.notEqual(rotated, old)
    assert.equal(await secrets.current('ann'), rotated)
    assert.deepEqual(await secrets.listValid('ann'), [rotated, old])
    t.mock.timers.tick(day - 1)
    assert.deepEqual(await secrets.listValid('ann'), [rotated, old])
    t.mock.timers.tick(1)
    assert.deepEqual(await secrets.listValid('ann'), [rotated])
  })

  it('is one of at most two, however often it is rotated', async () => {
    await secrets.current('ann')
    const second = await secrets.rotateSecret('ann')
    const third = await secrets.rotateSecret('ann')
    assert.deepEqual(await secrets.listValid('ann'), [third, second])
  })

  it('has no previous secret if it is rotated before its first use', async () => {
    const rotated = await secrets.rotateSecret('ann')
    assert.deepEqual(await secrets.listValid('ann'), [rotated])
  })

  it('is rotated once by one operation, for its owner only', async () => {
    const old = await secrets.current('ann')
    const rotated = await secrets.rotateSecret('ann', 'op')
    assert.equal(await secrets.rotateSecret('ann', 'op'), rotated)
    assert.deepEqual(await secrets.listValid('ann'), [rotated, old])
    assert.notEqual(await secrets.rotateSecret('ann', 'other'), rotated)
    const bobs = await secrets.current('bob')
    assert.notEqual(await secrets.rotateSecret('bob', 'op'), bobs)
  })

  it('is rotated each time without an operation ID', async () => {
    const rotated = [
      await secrets.rotateSecret('ann'),
      await secrets.rotateSecret('ann'),
      await secrets.rotateSecret('ann', 'op'),
    ]
    assert.equal(new Set(rotated).size, 3)
  })

  it('is rotated once by a command that Redis receives twice', async () => {
    const old = await secrets.current('ann')
    const twice = new Proxy(redis, {
      get(target, name) {
        const value = Reflect.get(target, name)
        if (name !== 'eval') return typeof value === 'function' ? value.bind(target) : value
        return async (...args: unknown[]) => {
          await value.apply(target, args)
          return value.apply(target, args)
        }
      },
    })
    const rotated = await createWebhookSecrets({ redis: twice, keys }).rotateSecret('ann')
    assert.deepEqual(await secrets.listValid('ann'), [rotated, old])
  })

  it('is rotated by an operation from before the secret existed', async () => {
    await secrets.rotateSecret('ann', 'op')
    await redis.del(keys.webhookSecret('ann'))
    const rotated = await secrets.rotateSecret('ann', 'op')
    assert.deepEqual(await secrets.listValid('ann'), [rotated])
  })

  it('stores an operation for a day', async () => {
    await secrets.rotateSecret('ann', 'op')
    const [name = '', ...others] = await redis.keys(`${keys.operation('')}*`)
    assert.deepEqual(others, [])
    const ttl = await redis.pttl(name)
    assert.ok(ttl > day - 60_000 && ttl <= day)
  })
})
