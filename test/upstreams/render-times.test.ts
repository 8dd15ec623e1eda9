import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { createRenderTimes } from '../../src/upstreams/render-times.ts'
import { createCleanup, startRedis } from '../support/setup.ts'

describe('the typical render time', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let keys = 0
  before(async () => {
    redis = (await startRedis(cleanup)).redis
  })
  after(() => cleanup.run())

  const create = (key = `times${++keys}`) => ({ key, times: createRenderTimes({ redis, key }) })

  it('is that of the model until one is measured', async () => {
    const { key, times } = create()
    assert.equal(await times.estimateMs('veo', 'fal', 60_000), 60_000)
    await times.addMeasurement('veo', 'fal', 20_000)
    const { times: others } = create(key)
    assert.equal(await others.estimateMs('veo', 'fal', 60_000), 20_000)
    assert.equal(await others.estimateMs('veo', 'runware', 60_000), 60_000)
    assert.equal(await others.estimateMs('kling', 'fal', 60_000), 60_000)
  })

  it('follows each measurement by a fifth', async () => {
    const { key, times } = create()
    await times.addMeasurement('veo', 'fal', 10_000)
    await times.addMeasurement('veo', 'fal', 20_000)
    assert.equal(await redis.hget(key, 'veo@fal'), '12000')
    await times.addMeasurement('veo', 'fal', 12_003)
    assert.equal(await redis.hget(key, 'veo@fal'), '12001')
  })

  it('is read again after five seconds, and not before', async (t) => {
    const { key, times } = create()
    t.mock.timers.enable({ apis: ['Date'], now: 1_800_000_000_000 })
    await times.estimateMs('veo', 'fal', 1)
    await redis.hset(key, 'veo@fal', '7')
    t.mock.timers.tick(5000)
    assert.equal(await times.estimateMs('veo', 'fal', 1), 1)
    t.mock.timers.tick(1)
    assert.equal(await times.estimateMs('veo', 'fal', 1), 7)
  })

  it('ignores an implausible stored value', async () => {
    for (const broken of ['0', '-5', 'x', '']) {
      const { key, times } = create()
      await redis.hset(key, 'veo@fal', broken)
      assert.equal(await times.estimateMs('veo', 'fal', 9), 9)
      await times.addMeasurement('veo', 'fal', 30)
      assert.equal(await redis.hget(key, 'veo@fal'), '30')
    }
  })
})
