import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import type { NewJobRecord } from '../../src/jobs/store/create-job.ts'
import { createJobStore } from '../../src/jobs/store/store.ts'
import { createKeys } from '../../src/redis/keys.ts'
import { createCleanup, startRedis } from '../support/setup.ts'

const keys = createKeys('gather:')

function orderOf(id: string): NewJobRecord {
  const view = {
    id,
    version: 1,
    model: 'sora-2',
    state: 'pending',
    progress: 0,
    createdAt: Date.now(),
    costUsd: 1,
  } as const
  const work = { route: ['fal'], deadlineAt: Date.now() + 60_000, refusals: 0, misses: 0, polls: 0 } as const
  return {
    view,
    owner: `owner-of-${id}`,
    input: {},
    work,
    callbackSecret: 'h',
    dueAt: Date.now() + 60_000,
    queue: 'fal',
  }
}

describe('store calls in one turn of the event loop', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let store: ReturnType<typeof createJobStore>

  before(async () => {
    redis = (await startRedis(cleanup)).redis
    store = createJobStore({ redis, keys, keepMs: 3_600_000 })
  })
  after(() => cleanup.run())

  async function commands(name: string): Promise<number> {
    const match = new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(await redis.info('commandstats'))
    return Number(match?.[1] ?? 0)
  }

  it('are sent together, and each gets its own reply', async () => {
    const ids = Array.from({ length: 250 }, (_, n) => `vid_${n}`)
    const before = (await commands('eval')) + (await commands('evalsha'))
    const accepted = await Promise.all(ids.map((id) => store.create(orderOf(id))))
    assert.deepEqual(new Set(accepted.map(({ kind }) => kind)), new Set(['accepted']))
    const match = await Promise.all([...ids, 'vid_unknown'].map((id) => store.readStatus(id)))
    assert.deepEqual(
      match.map((one) => one?.view.id),
      [...ids, undefined],
    )
    assert.deepEqual(
      match.map((one) => one?.owner),
      [...ids.map((id) => `owner-of-${id}`), undefined],
    )
    assert.equal((await commands('eval')) + (await commands('evalsha')) - before, 63 + 3)
  })

  it('fail separately if one cannot be executed', async () => {
    await redis.set(keys.account('owner-of-vid_wrong'), 'no hash')
    const outcomes = await Promise.allSettled(
      ['vid_a', 'vid_wrong', 'vid_b'].map((id) => store.create(orderOf(id))),
    )
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    const [, wrong] = outcomes
    assert.ok(wrong?.status === 'rejected' && wrong.reason instanceof Error)
    assert.equal(wrong.reason.name, 'ReplyError')
    assert.match(wrong.reason.message, /WRONGTYPE/)
    assert.equal(await store.readStatus('vid_wrong'), undefined)
    assert.equal((await store.readStatus('vid_b'))?.view.state, 'pending')
  })

  it('fail together when Redis does not reply', async () => {
    redis.disconnect()
    const outcomes = await Promise.allSettled([
      store.create(orderOf('vid_c')),
      store.create(orderOf('vid_d')),
    ])
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', 'rejected'],
    )
  })
})
