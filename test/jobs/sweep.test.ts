import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it, mock } from 'node:test'
import type { Redis } from 'ioredis'
import type { Queues } from '../../src/jobs/queues.ts'
import { createJobStore, type JobStore } from '../../src/jobs/store/store.ts'
import { createSweep } from '../../src/jobs/sweep.ts'
import { createKeys, type Keys } from '../../src/redis/keys.ts'
import { createUpstreamSlots, type UpstreamSlots } from '../../src/upstreams/slots.ts'
import { createCleanup, quiet, startRedis } from '../support/setup.ts'

describe('the sweep', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let keys: Keys
  let store: JobStore

  before(async () => {
    redis = (await startRedis(cleanup)).redis
    keys = createKeys('sweep:')
    store = createJobStore({ redis, keys, keepMs: 60_000 })
  })
  after(() => cleanup.run())

  async function addJob(id: string, dueAt: number) {
    await store.create({
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
      callbackSecret: '',
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
      slots: createUpstreamSlots({ redis, keys, maxJobs: options.caps ?? {} }),
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

  it('reaches the jobs after five hundred with unreadable records', async () => {
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

  it('drops entries without a record', async () => {
    await redis.zadd(keys.open, 1, 'gone')
    const { sweep, until } = start()
    await until(async () => (await redis.zscore(keys.open, 'gone')) === null)
    await sweep.stop()
    await redis.del(keys.open, keys.sweep)
  })

  it('requeues no jobs while the clock of its machine is wrong', async () => {
    await addJob('due', 1)
    const skewed = start({ isSkewed: true })
    await new Promise((resolve) => setTimeout(resolve, 1500))
    assert.deepEqual(skewed.forwarded, [])
    await skewed.sweep.stop()
    const { forwarded, sweep, until } = start()
    await until(() => forwarded.includes('due'))
    await sweep.stop()
  })

  describe('round by round', () => {
    beforeEach(async () => {
      await redis.flushall()
    })

    type Options = { route?: string[]; state?: string; holders?: string[] }
    async function add(id: string, { route = ['fal'], state = 'pending' }: Options = {}) {
      await addJob(id, 1)
      const [view, work] = await redis.hmget(keys.job(id), 'view', 'work')
      await redis.hset(keys.job(id), {
        state,
        view: JSON.stringify({ ...JSON.parse(view ?? ''), state }),
        work: JSON.stringify({ ...JSON.parse(work ?? ''), route }),
      })
    }
    const create = (
      more: { slots?: UpstreamSlots; sweepWebhooks?: () => Promise<void>; now?: () => number } = {},
    ) => {
      const forwarded: string[] = []
      const sweep = createSweep({
        redis,
        keys,
        store,
        queues: {
          bringForward: async (queue: string, id: string) => void forwarded.push(`${queue} ${id}`),
        } as unknown as Queues,
        slots: more.slots ?? createUpstreamSlots({ redis, keys, maxJobs: { fal: 1 } }),
        clock: { now: more.now ?? Date.now, isSkewed: () => false },
        sweepWebhooks: more.sweepWebhooks ?? (async () => undefined),
        logger: quiet,
      })
      return { ...sweep, forwarded }
    }

    it('requeues a job at its upstream, or for its delivery', async () => {
      await add('submitted')
      await add('rendered', { state: 'delivering' })
      await add('nowhere', { route: [] })
      const { sweep, forwarded } = create()
      await sweep()
      assert.deepEqual(forwarded.sort(), ['delivery rendered', 'fal submitted'])
    })

    it('does not requeue a job again for ten seconds', async () => {
      await add('job')
      let now = Date.now()
      const { sweep, forwarded } = create({ now: () => now })
      await sweep()
      assert.equal(await redis.zscore(keys.open, 'job'), String(now + 10_000))
      now += 9999
      await sweep()
      assert.equal(forwarded.length, 1)
      now += 1
      await sweep()
      assert.equal(forwarded.length, 2)
    })

    it('runs in one process at a time, for five seconds after its last round', async () => {
      const [first, second] = [create(), create()]
      await first.sweep()
      await redis.pexpire(keys.sweep, 1000)
      await first.sweep()
      const ttl = await redis.pttl(keys.sweep)
      assert.ok(ttl > 4000 && ttl <= 5000, String(ttl))
      await add('job')
      await second.sweep()
      assert.deepEqual(second.forwarded, [])
      await first.sweep()
      assert.deepEqual(first.forwarded, ['fal job'])
      await redis.del(keys.sweep)
      await second.sweep()
      const own = await redis.pttl(keys.sweep)
      assert.ok(own > 4000 && own <= 5000, String(own))
      await add('other')
      await first.sweep()
      assert.equal(first.forwarded.length, 1)
    })

    it('sweeps the webhooks too', async () => {
      const rounds: string[] = []
      const { sweep } = create({ sweepWebhooks: async () => void rounds.push('webhooks') })
      await sweep()
      assert.deepEqual(rounds, ['webhooks'])
    })

    it('processes five hundred jobs at a time', async () => {
      for (let n = 0; n < 510; n += 1) await redis.zadd(keys.open, 1, `gone${n}`)
      const { sweep } = create()
      await sweep()
      assert.equal(await redis.zcard(keys.open), 10)
    })

    describe('in each fifteenth round', () => {
      /** A slot of one job, for which another one waits. */
      async function roundsWith(id: string, rounds = 15) {
        const slots = createUpstreamSlots({ redis, keys, maxJobs: { fal: 1 } })
        const { sweep, forwarded } = create({ slots })
        assert.equal((await slots.acquire('fal', { id, owner: 'ann', createdAt: 1 })).isAcquired, true)
        assert.equal(
          (await slots.acquire('fal', { id: 'next', owner: 'bob', createdAt: 2 })).isAcquired,
          false,
        )
        for (let round = 0; round < rounds; round += 1) await sweep()
        return forwarded.filter((entry) => entry === 'fal next').length
      }

      for (const [what, options, freed] of [
        ['has ended', { state: 'succeeded' }, 1],
        ['is fetched', { state: 'delivering' }, 1],
        ['has gone on to another upstream', { state: 'pending', route: ['runware'] }, 1],
        ['is being purchased', { state: 'submitting' }, 0],
        ['renders', { state: 'processing' }, 0],
      ] as const) {
        it(`${freed ? 'frees' : 'keeps'} the slot of a job that ${what}`, async () => {
          await add('holder', { ...options, route: [...('route' in options ? options.route : ['fal'])] })
          await redis.del(keys.open)
          assert.equal(await roundsWith('holder'), freed)
        })
      }

      it('frees the slot of a job without a record', async () => {
        assert.equal(await roundsWith('holder'), 1)
      })

      it('keeps the slot of a job with an unreadable record', async () => {
        await redis.hset(keys.job('holder'), { owner: 'ann', view: '{', state: 'failed' })
        assert.equal(await roundsWith('holder'), 0)
      })

      it('not in other rounds', async () => {
        assert.equal(await roundsWith('holder', 14), 0)
      })
    })

    it('continues after a round without a reply from Redis, and ends when it is stopped', async () => {
      mock.timers.enable({ apis: ['setTimeout'] })
      try {
        let rounds = 0
        let began: () => void = () => undefined
        const { start, stop } = create({
          sweepWebhooks: async () => {
            rounds += 1
            began()
            if (rounds === 1) throw new Error('away')
          },
        })
        const round = async (ms: number) => {
          const begun = new Promise<void>((resolve) => {
            began = resolve
          })
          mock.timers.tick(ms)
          await begun
          for (let n = 0; n < 10; n += 1) await new Promise(setImmediate)
        }
        start()
        mock.timers.tick(999)
        await new Promise(setImmediate)
        assert.equal(rounds, 0)
        await round(1)
        await round(1000)
        assert.equal(rounds, 2)
        await stop()
        mock.timers.tick(5000)
        await redis.ping()
        await new Promise(setImmediate)
        assert.equal(rounds, 2)
      } finally {
        mock.timers.reset()
      }
    })

    it('stops after the current round', async () => {
      mock.timers.enable({ apis: ['setTimeout'] })
      try {
        let end: () => void = () => undefined
        let began: () => void = () => undefined
        const begun = new Promise<void>((resolve) => {
          began = resolve
        })
        const { start, stop } = create({
          sweepWebhooks: () => {
            began()
            return new Promise((resolve) => {
              end = resolve
            })
          },
        })
        start()
        mock.timers.tick(1000)
        await begun
        let stopped = false
        const stopping = stop().then(() => {
          stopped = true
        })
        await new Promise(setImmediate)
        assert.equal(stopped, false)
        end()
        await stopping
      } finally {
        mock.timers.reset()
      }
    })
  })
})
