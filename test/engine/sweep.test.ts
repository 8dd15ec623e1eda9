import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { createKeys, type Keys } from '../../src/engine/keys.ts'
import type { Queues } from '../../src/engine/queues.ts'
import { createSlots } from '../../src/engine/slots.ts'
import { createStore, type Store } from '../../src/engine/store.ts'
import { createSweep } from '../../src/engine/sweep.ts'
import { createCleanup, quiet, startRedis } from '../setup.ts'

describe('the sweep', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let keys: Keys
  let store: Store

  before(async () => {
    redis = (await startRedis(cleanup)).redis
    keys = createKeys('sweep:')
    store = createStore({ redis, keys, keepMs: 60_000 })
  })
  after(() => cleanup.run())

  async function addJob(id: string, dueAt: number) {
    await store.accept({
      view: {
        id,
        version: 1,
        model: 'any',
        state: 'pending',
        progress: 0,
        createdAt: Date.now(),
        costUsd: 0,
      },
      owner: 'ann',
      input: {},
      work: { route: ['fal'], deadlineAt: 0, refusals: 0, misses: 0, polls: 0 },
      hint: '',
      dueAt,
      queue: 'fal',
    })
  }

  const start = (options: { isSkewed?: boolean; caps?: { fal: number } } = {}) => {
    const forwarded: string[] = []
    const sweep = createSweep({
      redis,
      keys,
      store,
      queues: { bringForward: async (_: string, id: string) => void forwarded.push(id) } as unknown as Queues,
      slots: createSlots({ redis, keys, caps: options.caps ?? {} }),
      clock: { now: Date.now, isSkewed: () => options.isSkewed === true },
      sweepWebhooks: async () => undefined,
      logger: quiet,
    })
    sweep.start()
    cleanup.add(() => sweep.stop())
    const until = async (isSo: () => boolean | Promise<boolean>) => {
      while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return { forwarded, sweep, until }
  }

  it('reaches the jobs behind five hundred whose records cannot be read', async () => {
    for (let n = 0; n < 510; n += 1) {
      await redis.hset(keys.job(`broken${n}`), { owner: 'ann', view: '{', state: 'pending' })
      await redis.zadd(keys.open, 1, `broken${n}`)
    }
    await addJob('whole', 2)
    const { forwarded, sweep, until } = start()
    await until(() => forwarded.includes('whole'))
    await sweep.stop()
    assert.ok(await redis.zscore(keys.open, 'broken0'), 'what cannot be read is not forgotten')
    await redis.del(keys.open, keys.sweep)
  })

  it('forgets what has no record', async () => {
    await redis.zadd(keys.open, 1, 'gone')
    const { sweep, until } = start()
    await until(async () => (await redis.zscore(keys.open, 'gone')) === null)
    await sweep.stop()
    await redis.del(keys.open, keys.sweep)
  })

  it('takes no jobs for overdue while the clock of its machine is wrong', async () => {
    await addJob('due', 1)
    const skewed = start({ isSkewed: true })
    await new Promise((resolve) => setTimeout(resolve, 1500))
    assert.deepEqual(skewed.forwarded, [])
    await skewed.sweep.stop()
    const { forwarded, sweep, until } = start()
    await until(() => forwarded.includes('due'))
    await sweep.stop()
  })
})
