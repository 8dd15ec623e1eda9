import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it, mock } from 'node:test'
import type { Redis } from 'ioredis'
import type { JobView } from '../../src/jobs/job.ts'
import { createJobStore } from '../../src/jobs/store/store.ts'
import { AddressRefused } from '../../src/net/safe-fetch.ts'
import { createKeys } from '../../src/redis/keys.ts'
import { deliverWebhook } from '../../src/webhooks/deliver-webhook.ts'
import { createWebhookOutbox, type WebhookOutbox } from '../../src/webhooks/outbox.ts'
import { createWebhookSecrets } from '../../src/webhooks/secrets.ts'
import { createCleanup, startRedis } from '../support/setup.ts'

const keys = createKeys('attempt:')
const now = 1_800_000_000_000
const day = 86_400_000
const url = 'https://a.example/hook'

type DeliveryDeps = Parameters<typeof deliverWebhook>[0]

/** With a manual clock and random numbers, and a destination whose replies the test sets. */
describe('an attempt to deliver a webhook', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let outbox: WebhookOutbox
  let deps: DeliveryDeps
  let stop: AbortController
  let released: boolean[]
  let warnings: object[]
  let requestCount: number
  let reply: () => number

  before(async () => {
    redis = (await startRedis(cleanup)).redis
  })
  after(() => cleanup.run())

  afterEach(() => mock.reset())
  beforeEach(async () => {
    mock.timers.enable({ apis: ['Date'], now })
    mock.method(Math, 'random', () => 0.5)
    await redis.flushall()
    ;[released, warnings, requestCount, reply, stop] = [[], [], 0, () => 204, new AbortController()]
    outbox = createWebhookOutbox({ redis, keys, keepMs: 3_600_000 })
    const request = async () => {
      requestCount++
      return { statusCode: reply(), headers: {}, body: { dump: async () => undefined } }
    }
    deps = {
      store: createJobStore({ redis, keys, keepMs: 3_600_000 }),
      outbox,
      secrets: createWebhookSecrets({ redis, keys }),
      limiter: { acquire: () => ({ release: (well) => void released.push(well) }) },
      safeFetch: request as unknown as DeliveryDeps['safeFetch'],
      buildStatus: () => ({}),
      stopping: stop.signal,
      retriesMs: [1000, 20_000],
      logger: { warn: (entry: object) => void warnings.push(entry) } as unknown as DeliveryDeps['logger'],
    }
  })

  async function put(changes: Partial<JobView> = {}, id = 'vid_1') {
    const view = {
      id,
      model: 'm',
      state: 'failed',
      progress: 0,
      createdAt: now - 9,
      completedAt: now,
      costUsd: 0,
    }
    const job = { owner: 'ann', state: 'failed', version: 3, webhook: url, address: 'https://us.example' }
    await redis.hset(keys.job(id), {
      ...job,
      view: JSON.stringify({ ...view, ...changes }),
      input: '{}',
      work: '{}',
    })
    await redis.zadd(keys.webhooks, 1, id)
  }
  const run = () => deliverWebhook(deps, 'vid_1')
  const log = async () => (await outbox.log('vid_1')).map(({ id: _, ...entry }) => entry)
  const waits = async () => {
    const next = await run()
    return next.kind === 'wait' ? next.at - now : assert.fail(next.kind)
  }
  const note = (entry: Parameters<WebhookOutbox['logAttempt']>[1]) => outbox.logAttempt('vid_1', entry)
  const failed = { at: now, outcome: 'failed', nextAt: now } as const

  it('with a 2xx reply is the last one', async () => {
    await put()
    reply = () => 200
    assert.deepEqual(await run(), { kind: 'end' })
    assert.deepEqual(await log(), [{ at: now, tookMs: 0, status: 200, outcome: 'delivered', version: 3 }])
    assert.deepEqual([released, warnings], [[true], []])
  })

  for (const status of [199, 300, 404, 500])
    it(`with a ${status} reply is followed by another one`, async () => {
      await put()
      reply = () => status
      assert.equal(await waits(), 1000)
      const entry = { at: now, tookMs: 0, status, outcome: 'failed', nextAt: now + 1000, version: 3 }
      assert.deepEqual(await log(), [entry])
      assert.deepEqual([released, warnings], [[false], [{ job: 'vid_1', ...entry }]])
    })

  it('without a reply is followed by another one', async () => {
    await put()
    reply = () => {
      throw new Error('out of order')
    }
    assert.equal(await waits(), 1000)
    const [entry] = await log()
    assert.deepEqual(
      [entry?.outcome, entry?.error, entry && 'status' in entry],
      ['failed', 'out of order', false],
    )
    assert.deepEqual(released, [false])
  })

  it('to a private address is the last one', async () => {
    await put()
    reply = () => {
      throw new AddressRefused('10.0.0.1')
    }
    assert.deepEqual(await run(), { kind: 'end' })
    assert.deepEqual([(await log())[0]?.outcome, released], ['gave_up', [false]])
  })

  it('that is interrupted by a stop does not count', async () => {
    await put()
    reply = () => {
      stop.abort()
      throw new Error('stopped')
    }
    assert.deepEqual(await run(), { kind: 'wait', at: now })
    assert.deepEqual([await log(), released], [[], [false]])
  })

  it('with a reply before a stop counts', async () => {
    await put()
    reply = () => {
      stop.abort()
      return 204
    }
    assert.deepEqual(await run(), { kind: 'end' })
    assert.equal((await log())[0]?.outcome, 'delivered')
  })

  it('releases its slot as failed if it cannot be logged', async () => {
    await put()
    deps.outbox = { ...outbox, logAttempt: () => Promise.reject(new Error('away')) }
    reply = () => 500
    await assert.rejects(run(), /away/)
    assert.deepEqual(released, [false])
  })

  it('is spread over half of its delay', async () => {
    await put()
    reply = () => 500
    for (const [random, wait] of [
      [0, 750],
      [1, 1250],
    ] as const) {
      mock.method(Math, 'random', () => random)
      await redis.del(keys.webhookLog('vid_1'))
      assert.equal(await waits(), wait)
    }
  })

  it('has the delay of its position in the log', async () => {
    await put()
    reply = () => 500
    await note({ ...failed, version: 3 })
    assert.equal(await waits(), 20_000)
    assert.deepEqual(await run(), { kind: 'end' })
    assert.equal((await log()).at(-1)?.outcome, 'gave_up')
  })

  it('counts those of version 0.1, and none of another end', async () => {
    await put()
    reply = () => 500
    await note({ ...failed, version: 2 })
    assert.equal(await waits(), 1000)
    await redis.del(keys.webhookLog('vid_1'))
    await note(failed)
    assert.equal(await waits(), 20_000)
  })

  it('restarts its delays after the last replay', async () => {
    await put()
    reply = () => 500
    for (const outcome of ['failed', 'replayed', 'failed', 'replayed'] as const)
      await note({ ...failed, outcome })
    assert.equal(await waits(), 1000)
    assert.equal(await waits(), 20_000)
  })

  describe('is the last one when the next would be more than a day after', () => {
    const isLast = async () => (await run()).kind === 'end'
    beforeEach(() => {
      reply = () => 500
    })

    it('the end', async () => {
      await put({ completedAt: now + 1000 - day })
      assert.equal(await isLast(), false)
      await put({ completedAt: now + 999 - day })
      await redis.del(keys.webhookLog('vid_1'))
      assert.equal(await isLast(), true)
    })

    it('the submit, if no end is known', async () => {
      await put({ completedAt: undefined as never, createdAt: now + 999 - day })
      assert.equal(await isLast(), true)
      await put({ completedAt: undefined as never, createdAt: now + 1000 - day })
      await redis.del(keys.webhookLog('vid_1'))
      assert.equal(await isLast(), false)
    })

    it('the replay', async () => {
      await put({ completedAt: now - 3 * day })
      await note({ ...failed, at: now + 1000 - day, outcome: 'replayed' })
      assert.equal(await isLast(), false)
      await redis.del(keys.webhookLog('vid_1'))
      await note({ ...failed, at: now + 999 - day, outcome: 'replayed' })
      assert.equal(await isLast(), true)
    })
  })

  it('is postponed for the given time if there is no slot', async () => {
    await put()
    deps.limiter = { acquire: () => ({ waitMs: 300 }) }
    assert.equal(await waits(), 300)
    assert.equal(await redis.zscore(keys.webhooks, 'vid_1'), String(now + 5300))
    assert.deepEqual([requestCount, await log()], [0, []])
  })

  it('is not made if the webhook is already delivered', async () => {
    await put()
    await redis.zrem(keys.webhooks, 'vid_1')
    assert.deepEqual(await run(), { kind: 'end' })
    assert.deepEqual([requestCount, await log()], [0, []])
  })

  it('is not made to a destination that returned 410', async () => {
    await put()
    reply = () => 410
    assert.deepEqual(await run(), { kind: 'end' })
    assert.equal(await redis.hget(keys.webhooksGone('ann'), url), String(now))
    assert.deepEqual(released, [false])
    await put()
    assert.deepEqual(await run(), { kind: 'end' })
    assert.deepEqual((await log()).at(-1), { at: now, outcome: 'disabled', version: 3 })
    assert.equal(requestCount, 1)
  })

  it('records its duration', async () => {
    await put()
    reply = () => {
      mock.timers.tick(70)
      return 204
    }
    await run()
    assert.equal((await log())[0]?.tookMs, 70)
  })
})
