import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { createQueues } from '../../src/jobs/queues.ts'
import type { NewJobRecord } from '../../src/jobs/store/create-job.ts'
import { createJobStore } from '../../src/jobs/store/store.ts'
import { createKeys } from '../../src/redis/keys.ts'
import { createCleanup, startRedis } from '../support/setup.ts'

/** The script that accepts a job also writes its queue entry, which must equal that of `Queue.add`. */
describe('the queue entry of an accepted job', () => {
  const cleanup = createCleanup()
  let redis: Redis

  before(async () => {
    redis = (await startRedis(cleanup)).redis
  })
  after(() => cleanup.run())

  async function open(prefix: string) {
    const keys = createKeys(prefix)
    const queues = createQueues({ redis, keys, names: ['fal'] })
    cleanup.add(() => queues.close())
    await queues.waitUntilReady()
    return { keys, queues, store: createJobStore({ redis, keys, keepMs: 60_000 }) }
  }

  function orderOf(id: string, more: Partial<NewJobRecord> = {}): NewJobRecord {
    const createdAt = Date.now()
    return {
      view: { id, version: 1, model: 'm', state: 'pending', progress: 0, createdAt, costUsd: 1 },
      owner: 'ann',
      input: {},
      work: { route: ['fal'], deadlineAt: createdAt + 60_000, refusals: 0, misses: 0, polls: 0 },
      callbackSecret: 'secret',
      dueAt: createdAt,
      queue: 'fal',
      ...more,
    }
  }

  /** The Redis data of a queue without its events and ID counter, which are not read. */
  async function dump(prefix: string): Promise<Record<string, unknown>> {
    const all = await redis.keys(`${prefix}bull:*`)
    const createdKeys = all.filter((key) => !/:(events|id)$/.test(key))
    const entries = await Promise.all(
      createdKeys.sort().map(async (key) => [key.slice(prefix.length), await contentOf(key)] as const),
    )
    return Object.fromEntries(entries)
  }

  async function contentOf(key: string): Promise<unknown> {
    const type = await redis.type(key)
    if (type === 'list') return redis.lrange(key, 0, -1)
    if (type === 'zset') return redis.zrange(key, '0', '-1', 'WITHSCORES')
    const { timestamp, opts, ...fields } = await redis.hgetall(key)
    if (timestamp !== undefined) assert.ok(Math.abs(Date.now() - Number(timestamp)) < 60_000)
    return { ...fields, isDated: timestamp !== undefined, opts: JSON.parse(opts ?? '{}') }
  }

  it('equals an entry that BullMQ creates', async () => {
    const [own, theirs] = [await open('own:'), await open('theirs:')]
    for (const id of ['vid_1', 'vid_2']) {
      await own.store.create(orderOf(id))
      await theirs.queues.add('fal', id)
    }
    const made = await dump('own:')
    assert.deepEqual(made['bull:fal:wait'], ['vid_2', 'vid_1'])
    assert.deepEqual(made, await dump('theirs:'))
  })

  it('is not created for a rejected job, and only once per job', async () => {
    const { keys, store } = await open('refused:')
    await redis.hset(keys.account('ann'), 'balance', '10')
    assert.equal((await store.create(orderOf('vid_1'))).kind, 'balance')
    assert.equal(await redis.llen(`${keys.queuePrefix('fal')}wait`), 0)
    await redis.hset(keys.account('ann'), 'balance', '9000000')
    const idempotencyKey = { key: 'k', fingerprint: 'f' }
    assert.equal((await store.create(orderOf('vid_1', { idempotencyKey }))).kind, 'accepted')
    assert.equal((await store.create(orderOf('vid_2', { idempotencyKey }))).kind, 'replayed')
    assert.deepEqual(await redis.lrange(`${keys.queuePrefix('fal')}wait`, 0, -1), ['vid_1'])
  })
})
