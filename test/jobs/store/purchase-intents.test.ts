import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { fault } from '../../../providers/faults.ts'
import { markCleanShutdown, observeRedisServer } from '../../../src/jobs/store/epoch.ts'
import { createJobStore } from '../../../src/jobs/store/store.ts'
import { createCleanup, startRedis } from '../../support/setup.ts'
import { createJobHarness } from '../job-harness.ts'

describe('the intent to purchase', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let harness: ReturnType<typeof createJobHarness>

  before(async () => {
    redis = (await startRedis(cleanup)).redis
    harness = createJobHarness(redis, 'intent:')
  })
  after(() => cleanup.run())

  it('is rejected after a cancel during the upload of the input', async () => {
    const job = await harness.begin({})
    const { prepare } = job.deps.inputUploader
    job.deps.inputUploader.prepare = async (...args) => {
      assert.equal(await harness.store.requestCancel(job.id), 'asked')
      return prepare(...args)
    }
    await job.run()
    assert.equal(job.submits(), 0)
    assert.equal(await job.state(), 'canceled')
    assert.ok(job.effects.includes('input released'))
  })

  it('is rejected after the deadline, even if the step started before it', async () => {
    const job = await harness.begin({ work: { deadlineAt: Date.now() + 50 } })
    const { prepare } = job.deps.inputUploader
    job.clock.now = Date.now() - 1000
    job.deps.inputUploader.prepare = async (...args) => {
      while (Date.now() <= ((await job.work())?.deadlineAt ?? 0) + 5)
        await new Promise((resolve) => setTimeout(resolve, 10))
      return prepare(...args)
    }
    await job.run()
    assert.equal(job.submits(), 0)
    assert.equal(await job.error(), 'timeout')
  })

  it('is rejected for a step after another one has taken over', async () => {
    const job = await harness.begin({})
    const { prepare } = job.deps.inputUploader
    job.deps.inputUploader.prepare = async (...args) => {
      await harness.store.claimStep(job.id, job.clock.now)
      return prepare(...args)
    }
    assert.deepEqual(await job.run(), { kind: 'end' })
    assert.equal(job.submits(), 0)
    assert.equal(await job.state(), 'pending')
  })

  it('can be stored again by a command whose reply was lost', async () => {
    const job = await harness.begin({})
    const { storeIntent } = harness.store
    const store = {
      ...harness.store,
      storeIntent: async (...args: Parameters<typeof storeIntent>) => {
        await storeIntent(...args)
        return storeIntent(...args)
      },
    }
    Object.assign(job.deps, { store })
    await job.run()
    assert.equal(job.submits(), 1)
    assert.equal(await job.state(), 'queued')
    assert.equal((await job.history()).filter(({ state }) => state === 'submitting').length, 1)
  })

  it('goes into the journal, and to the replicas, before the call', async () => {
    const events: string[] = []
    const job = await harness.begin({
      sent: () => {
        events.push('call')
        return { kind: 'reply', reply: { status: 200, headers: {}, body: {}, baseUrl: '' } }
      },
      deps: {
        journal: {
          begin: async () => {
            await new Promise((resolve) => setTimeout(resolve, 20))
            events.push('journal')
          },
          storeReply: async () => void events.push('reply kept'),
          discardReply: async () => undefined,
          discard: async () => undefined,
          markStored: () => undefined,
          hasMade: () => false,
          find: async () => undefined,
        },
        confirmReplicas: async () => void events.push('replicas'),
      },
    })
    await job.run()
    assert.deepEqual(events, ['replicas', 'journal', 'call', 'reply kept'])
  })

  for (const [what, deps] of [
    ['no replica confirms', { confirmReplicas: () => Promise.reject(new Error('0 of 1 replicas')) }],
    [
      'the journal cannot be written',
      {
        journal: {
          begin: () => Promise.reject(new Error('ENOSPC')),
          storeReply: async () => undefined,
          discardReply: async () => undefined,
          discard: async () => undefined,
          markStored: () => undefined,
          hasMade: () => false,
          find: async () => undefined,
        },
      },
    ],
  ] as const) {
    it(`is withdrawn when ${what}: nothing is purchased, and no other upstream is tried`, async () => {
      const job = await harness.begin({ deps })
      for (let tries = 0; tries < 5; tries += 1) {
        const next = await job.run()
        assert.equal(next.kind, 'wait')
        if (next.kind === 'wait') job.clock.now = next.at
      }
      assert.deepEqual(job.calls, [])
      assert.equal(await job.state(), 'pending')
      assert.deepEqual((await job.work())?.route, ['runware', 'fal'])
      assert.equal((await job.work())?.refusals, 0)
    })
  }

  it('has the same ID when the same attempt is repeated, and another one for the next attempt', async () => {
    const ids: string[] = []
    const deps = { confirmReplicas: () => Promise.reject(new Error('not now')) }
    const job = await harness.begin({ deps })
    for (let tries = 0; tries < 2; tries += 1) {
      await job.run()
      ids.push((await job.work())?.attempt?.id ?? '')
    }
    await redis.hset(harness.keys.job(job.id), 'work', JSON.stringify({ ...(await job.work()), attempts: 0 }))
    await job.run()
    assert.notEqual(ids[0], ids[1])
    assert.equal((await job.work())?.attempt?.id, ids[0])
    assert.match(ids[0] ?? '', /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
  })

  describe('when another server replies', () => {
    const graceMs = 60_000
    const epoch = () => redis.hgetall(harness.keys.epoch)
    /** As if the data had come from another server. */
    const moveFrom = (server: string) => redis.hset(harness.keys.epoch, 'server', server)

    it('is rejected until the grace time is over', async () => {
      const job = await harness.begin({})
      Object.assign(job.deps, {
        store: createJobStore({ redis, keys: harness.keys, keepMs: 3_600_000, graceMs }),
      })
      await moveFrom('another')
      const next = await job.run()
      assert.ok(next.kind === 'wait' && next.at > job.clock.now + graceMs / 2)
      assert.equal(await job.state(), 'pending')
      await redis.hset(harness.keys.epoch, 'since', Date.now() - graceMs - 1)
      await job.run()
      assert.equal(job.submits(), 1)
    })

    it('a cancel does not end a job that may have been purchased', async () => {
      const job = await harness.begin({})
      Object.assign(job.deps, {
        store: createJobStore({ redis, keys: harness.keys, keepMs: 3_600_000, graceMs }),
      })
      await moveFrom('another')
      await harness.store.requestCancel(job.id)
      assert.equal((await job.run()).kind, 'wait')
      assert.equal(await job.state(), 'pending')
      await redis.hset(harness.keys.epoch, 'since', '0')
      await job.run()
      assert.equal(await job.state(), 'canceled')
    })

    it('an input that cannot be uploaded any more does not end a job that may have been purchased', async () => {
      const job = await harness.begin({ work: { route: ['runware'] } })
      Object.assign(job.deps, {
        store: createJobStore({ redis, keys: harness.keys, keepMs: 3_600_000, graceMs }),
        inputUploader: {
          prepare: async () => ({ kind: 'failed', fault: fault('media_unreadable', 'gone') }),
        },
      })
      await moveFrom('another')
      assert.equal((await job.run()).kind, 'wait')
      assert.equal(await job.state(), 'pending')
      await redis.hset(harness.keys.epoch, 'since', '0')
      await job.run()
      assert.equal(await job.error(), 'media_unreadable')
    })

    it('after an orderly shutdown, nothing is lost and nothing pauses', async () => {
      await moveFrom('another')
      await markCleanShutdown(redis, harness.keys)
      const { keys } = harness
      assert.equal((await observeRedisServer({ redis, keys, graceMs })).pausedMs, 0)
      await moveFrom('yet another')
      assert.notEqual((await observeRedisServer({ redis, keys, graceMs })).pausedMs, 0)
      await redis.hset(keys.epoch, 'since', '0')
    })

    it('a server that was a replica meanwhile counts as another one, since it may have lost data', async () => {
      const { keys } = harness
      await redis.del(keys.epoch)
      await observeRedisServer({ redis, keys, graceMs })
      await redis.replicaof('127.0.0.1', '1')
      await redis.replicaof('NO', 'ONE')
      assert.notEqual((await observeRedisServer({ redis, keys, graceMs })).pausedMs, 0)
      await redis.hset(keys.epoch, 'since', '0')
    })

    it('pauses after a crash during an orderly shutdown', async () => {
      const { keys } = harness
      await redis.del(keys.epoch)
      await observeRedisServer({ redis, keys, graceMs })
      await markCleanShutdown(redis, keys)
      // The next gateway finds it running.
      await observeRedisServer({ redis, keys, graceMs })
      await moveFrom('another')
      assert.notEqual((await observeRedisServer({ redis, keys, graceMs })).pausedMs, 0)
      await redis.hset(keys.epoch, 'since', '0')
    })

    it('a new installation does not pause, but one with a changed server does', async () => {
      const { keys } = harness
      await redis.del(keys.epoch)
      const { pausedMs, server } = await observeRedisServer({ redis, keys, graceMs })
      assert.equal(pausedMs, 0)
      assert.equal((await epoch()).server, server)
      await redis.del(keys.epoch)
      assert.notEqual((await observeRedisServer({ redis, keys, graceMs }, true)).pausedMs, 0)
      await redis.hset(keys.epoch, 'since', '0')
    })
  })
})
