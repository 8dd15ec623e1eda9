import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { fault } from '../../providers/faults.ts'
import { createQueues, webhookQueue } from '../../src/jobs/queues.ts'
import { createJobStore } from '../../src/jobs/store/store.ts'
import { createFailedTransition } from '../../src/jobs/store/transition.ts'
import { createKeys } from '../../src/redis/keys.ts'
import { createWebhooks } from '../../src/webhooks/webhooks.ts'
import { createCleanup, quiet, startRedis } from '../support/setup.ts'
import { startReceiver } from './receiver.ts'

const keys = createKeys('deliver:')
const keepMs = 3_600_000
const day = 86_400_000
const limits = { all: 64, failing: 16, destination: 4 }

describe('the delivery of a webhook', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let store: ReturnType<typeof createJobStore>
  let queues: ReturnType<typeof createQueues>
  let receiver: Awaited<ReturnType<typeof startReceiver>>
  let webhooks: ReturnType<typeof createWebhooks>
  let jobs = 0

  before(async () => {
    redis = (await startRedis(cleanup)).redis
    store = createJobStore({ redis, keys, keepMs })
    queues = createQueues({ redis, keys, names: [webhookQueue] })
    cleanup.add(() => queues.close())
    receiver = await startReceiver(cleanup, {
      '/broken': [500],
      '/moody': [500, 500, 204],
      '/gone': [410, 204],
      '/last': [299],
      '/next': [300],
      '/hang': ['hang'],
    })
    webhooks = create()
  })
  after(() => cleanup.run())

  function create(config: Partial<Parameters<typeof createWebhooks>[0]['config']> = {}) {
    const made = createWebhooks({
      redis,
      keys,
      store,
      queues,
      keepMs,
      config: { allowPrivateNetworks: true, retriesMs: [1000, 20_000], concurrency: limits, ...config },
      buildStatus: () => ({}),
      logger: quiet,
    })
    cleanup.add(() => made.close())
    return made
  }

  /** A job that has failed, or still runs. */
  async function put(path: string | undefined, { ended = true, endedAt = Date.now(), owner = 'ann' } = {}) {
    const id = `job${++jobs}`
    await store.create({
      view: {
        id,
        version: 1,
        model: 'veo3-video',
        state: 'pending',
        progress: 0,
        createdAt: endedAt - 1000,
        costUsd: 0,
      },
      owner,
      input: {},
      work: { route: ['fal'], deadlineAt: 9e15, refusals: 0, misses: 0, polls: 0 },
      callbackSecret: '',
      dueAt: 1,
      queue: 'fal',
      ...(path !== undefined && {
        webhook: { url: path.startsWith('/') ? receiver.url + path : path, baseUrl: 'https://us.example' },
      }),
    })
    const job = await store.claimStep(id, 1)
    if (ended && typeof job === 'object')
      await store.write(job, createFailedTransition(job, fault('timeout', 'late'), endedAt))
    return id
  }

  const outcomes = async (id: string) => (await webhooks.readDelivery(id)).log.map(({ outcome }) => outcome)
  const isOpen = async (id: string) => (await redis.zscore(keys.webhooks, id)) !== null
  const of = (id: string) => receiver.received.filter(({ headers }) => headers['webhook-id'] === `msg_${id}`)

  it('reaches its destination, once', async () => {
    const id = await put('/hook')
    assert.equal((await webhooks.readDelivery(id)).state, 'waiting')
    assert.deepEqual(await webhooks.deliver(id), { kind: 'end' })
    assert.deepEqual(await webhooks.deliver(id), { kind: 'end' })
    assert.equal(of(id).length, 1)
    assert.equal(await isOpen(id), false)
    const { state, log } = await webhooks.readDelivery(id)
    assert.equal(state, 'delivered')
    const [entry] = log
    assert.equal(log.length, 1)
    assert.equal(entry?.outcome, 'delivered')
    assert.equal(entry?.status, 204)
    assert.equal(entry?.version, 2)
    assert.ok((entry?.tookMs ?? -1) >= 0 && (entry?.tookMs ?? 1e9) < 60_000)
    assert.ok(Math.abs((entry?.at ?? 0) - Date.now()) < 60_000)
    assert.equal(entry && 'nextAt' in entry, false)
  })

  it('succeeds with 2xx only', async () => {
    const [last, next] = [await put('/last'), await put('/next')]
    assert.deepEqual(await webhooks.deliver(last), { kind: 'end' })
    assert.equal((await webhooks.deliver(next)).kind, 'wait')
    assert.deepEqual(await outcomes(last), ['delivered'])
    assert.deepEqual(await outcomes(next), ['failed'])
  })

  it('is retried after each delay, plus or minus a quarter, and then fails', async () => {
    const id = await put('/broken')
    for (const delay of [1000, 20_000]) {
      const before = Date.now()
      const next = await webhooks.deliver(id)
      assert.ok(next.kind === 'wait')
      assert.ok(next.at >= before + delay * 0.75 && next.at <= Date.now() + delay * 1.25)
      assert.equal(Number(await redis.zscore(keys.webhooks, id)), next.at + 5000)
      assert.equal((await webhooks.readDelivery(id)).state, 'waiting')
      assert.equal((await webhooks.readDelivery(id)).log.at(-1)?.nextAt, next.at)
      assert.equal((await webhooks.readDelivery(id)).log.at(-1)?.status, 500)
    }
    assert.deepEqual(await webhooks.deliver(id), { kind: 'end' })
    assert.deepEqual(await outcomes(id), ['failed', 'failed', 'gave_up'])
    assert.equal((await webhooks.readDelivery(id)).state, 'failed')
    assert.equal(await isOpen(id), false)
  })

  it('fails a day after the end', async () => {
    const id = await put('/broken', { endedAt: Date.now() - day + 500 })
    assert.deepEqual(await webhooks.deliver(id), { kind: 'end' })
    assert.deepEqual(await outcomes(id), ['gave_up'])
    const other = await put('/broken', { endedAt: Date.now() - day + 60_000 })
    assert.equal((await webhooks.deliver(other)).kind, 'wait')
  })

  it('restarts its delays after a replay, for one more day', async () => {
    const id = await put('/moody', { endedAt: Date.now() - 2 * day })
    await webhooks.deliver(id)
    assert.deepEqual(await outcomes(id), ['gave_up'])
    assert.equal(await webhooks.replay(id), true)
    assert.equal(await isOpen(id), true)
    assert.equal((await webhooks.readDelivery(id)).state, 'waiting')
    assert.equal(await redis.exists(`${keys.queuePrefix(webhookQueue)}${id}`), 1)
    assert.equal((await webhooks.deliver(id)).kind, 'wait')
    assert.deepEqual(await webhooks.deliver(id), { kind: 'end' })
    assert.deepEqual(await outcomes(id), ['gave_up', 'replayed', 'failed', 'delivered'])
  })

  it('cannot be replayed for a job that is running, has no webhook, or is unknown', async () => {
    assert.equal(await webhooks.replay(await put('/hook', { ended: false })), false)
    assert.equal(await webhooks.replay(await put(undefined)), false)
    assert.equal(await webhooks.replay('nobody'), false)
  })

  it('stops for a destination of this owner that returns 410, until a replay', async () => {
    const first = await put('/gone')
    assert.deepEqual(await webhooks.deliver(first), { kind: 'end' })
    assert.equal((await webhooks.readDelivery(first)).state, 'disabled')
    const second = await put('/gone')
    assert.deepEqual(await webhooks.deliver(second), { kind: 'end' })
    assert.equal(of(second).length, 0)
    assert.deepEqual(await outcomes(second), ['disabled'])
    assert.equal((await webhooks.readDelivery(second)).state, 'disabled')
    assert.equal(await isOpen(second), false)
    const others = await put('/gone', { owner: 'bob' })
    await webhooks.deliver(others)
    assert.deepEqual(await outcomes(others), ['delivered'])
    await webhooks.replay(second)
    await webhooks.deliver(second)
    assert.deepEqual(await outcomes(second), ['disabled', 'replayed', 'delivered'])
    const ttl = await redis.pttl(keys.webhooksGone('ann'))
    assert.equal(ttl, -2)
  })

  it('stores a destination that returned 410 for 90 days', async () => {
    const path = '/gone'
    const other = await startReceiver(cleanup, { [path]: [410] })
    await webhooks.deliver(await put(`${other.url}${path}`, { owner: 'cid' }))
    const ttl = await redis.pttl(keys.webhooksGone('cid'))
    assert.ok(ttl > 89 * day && ttl <= 90 * day)
  })

  it('fails at once for a private address', async () => {
    const strict = create({ allowPrivateNetworks: false })
    const id = await put('/hook')
    assert.deepEqual(await strict.deliver(id), { kind: 'end' })
    assert.deepEqual(await outcomes(id), ['gave_up'])
    assert.ok((await webhooks.readDelivery(id)).log[0]?.error)
    assert.equal(of(id).length, 0)
  })

  it('does not exist for a job that is running, has no webhook, or is unknown', async () => {
    const [running, quietly] = [await put('/hook', { ended: false }), await put(undefined)]
    for (const id of [running, quietly, 'nobody']) {
      await redis.zadd(keys.webhooks, 1, id)
      assert.deepEqual(await webhooks.deliver(id), { kind: 'end' })
      assert.equal(await isOpen(id), false)
    }
    assert.equal(of(running).length, 0)
    assert.equal((await webhooks.readDelivery(running)).state, 'waiting')
    assert.equal((await webhooks.readDelivery(quietly)).state, 'none')
    assert.equal((await webhooks.readDelivery('nobody')).state, 'none')
  })

  it('is reported as failed if its log has expired', async () => {
    const id = await put('/hook')
    await webhooks.deliver(id)
    await redis.del(keys.webhookLog(id))
    assert.deepEqual(await webhooks.readDelivery(id), { state: 'failed', log: [] })
  })

  it('is made for a deleted job', async () => {
    const id = await put('/hook')
    await store.remove(id)
    assert.deepEqual(await webhooks.deliver(id), { kind: 'end' })
    assert.equal(of(id).length, 1)
    assert.equal(await redis.exists(keys.deletedJob(id)), 0)
  })

  it('waits for a slot if too many wait for the same destination, and stays due', {
    timeout: 30_000,
  }, async () => {
    const narrow = create({ concurrency: { ...limits, destination: 1 } })
    const [first, second] = [await put('/hang'), await put('/hang')]
    const sending = narrow.deliver(first)
    while (of(first).length === 0) await new Promise(setImmediate)
    const before = Date.now()
    const next = await narrow.deliver(second)
    assert.ok(next.kind === 'wait')
    assert.ok(next.at >= before + 125 && next.at <= Date.now() + 375)
    assert.equal(Number(await redis.zscore(keys.webhooks, second)), next.at + 5000)
    assert.deepEqual(await outcomes(second), [])
    // The result of an attempt during the stop is unknown, so it is retried.
    narrow.stop()
    const stopped = await sending
    assert.ok(stopped.kind === 'wait' && stopped.at <= Date.now())
    assert.deepEqual(await outcomes(first), [])
    assert.equal(await isOpen(first), true)
  })

  it('releases its slot after every result, and has fewer slots while it fails', async () => {
    const narrow = create({ concurrency: { ...limits, destination: 1 } })
    const id = await put('/broken')
    assert.equal((await narrow.deliver(id)).kind, 'wait')
    assert.equal((await narrow.deliver(id)).kind, 'wait')
    assert.deepEqual(await outcomes(id), ['failed', 'failed'])
  })

  it('is requeued when it is lost from its queue and overdue', async () => {
    const [overdue, later] = [await put('/hook'), await put('/hook')]
    await redis.zadd(keys.webhooks, Date.now() - 1, overdue)
    await redis.zadd(keys.webhooks, Date.now() + 60_000, later)
    await webhooks.sweep()
    assert.equal(await redis.exists(`${keys.queuePrefix(webhookQueue)}${overdue}`), 1)
    assert.equal(await redis.exists(`${keys.queuePrefix(webhookQueue)}${later}`), 0)
    const score = Number(await redis.zscore(keys.webhooks, overdue))
    assert.ok(score > Date.now() + 10_000 && score <= Date.now() + 15_000)
  })

  it('goes to the default URL of an owner, who can change it', async () => {
    assert.equal(await webhooks.readDefaultUrl('dan'), undefined)
    await webhooks.setDefaultUrl('dan', 'https://a.example/')
    assert.equal(await webhooks.readDefaultUrl('dan'), 'https://a.example/')
    await webhooks.setDefaultUrl('dan', undefined)
    assert.equal(await webhooks.readDefaultUrl('dan'), undefined)
  })

  it('has a secret that its owner reads and rotates', async () => {
    const secret = await webhooks.readSecret('eve')
    const rotated = await webhooks.rotateSecret('eve', 'op')
    assert.notEqual(rotated, secret)
    assert.equal(await webhooks.rotateSecret('eve', 'op'), rotated)
    assert.equal(await webhooks.readSecret('eve'), rotated)
  })

  it('rejects private addresses, unless the operator allows them', () => {
    assert.equal(webhooks.findUrlProblem('http://127.0.0.1/'), undefined)
    assert.notEqual(create({ allowPrivateNetworks: false }).findUrlProblem('http://127.0.0.1/'), undefined)
  })
})
