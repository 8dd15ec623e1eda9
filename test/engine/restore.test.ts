import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { createJournal } from '../../src/engine/journal.ts'
import { createQueues } from '../../src/engine/queues.ts'
import { createRestorer } from '../../src/engine/restore.ts'
import { createCleanup, quiet, startRedis, temporaryFolder } from '../setup.ts'
import { accepted, createJobHarness, done, lost, reply, type Upstream } from './job-harness.ts'

describe('attempts that Redis has lost', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let harness: ReturnType<typeof createJobHarness>

  before(async () => {
    redis = (await startRedis(cleanup)).redis
    harness = createJobHarness(redis, 'restore:')
  })
  after(() => cleanup.run())

  /** A job whose first step runs with a journal on disk; its record can be put back to an earlier moment, on another server. */
  async function begin(upstream: Upstream) {
    const dir = join(await temporaryFolder(cleanup), 'journal')
    const open = async () => {
      const journal = await createJournal({ dir, keepMs: 3_600_000, logger: quiet })
      cleanup.add(() => journal.close())
      return journal
    }
    const journal = await open()
    const job = await harness.begin({ ...upstream, parts: { journal } })
    const key = harness.keys.job(job.id)
    let earlier: Record<string, string> = {}
    const remember = async () => {
      earlier = await redis.hgetall(key)
    }
    const rollBack = async () => {
      await redis.del(key, harness.keys.epoch)
      await redis.hset(key, earlier)
      await redis.hset(harness.keys.epoch, 'server', 'the one that died')
      await redis.del(...(await redis.keys('restore:task:*')), 'none')
    }
    const queues = createQueues({ redis, keys: harness.keys, names: ['runware', 'fal', 'delivery'] })
    await queues.ready()
    cleanup.add(() => queues.close())
    const missing: unknown[] = []
    const logger = { ...quiet, error: (facts: { job: string }) => void missing.push(facts.job) } as never
    const createRestorerOf = (from = journal) =>
      createRestorer({
        redis,
        keys: harness.keys,
        store: harness.store,
        queues,
        // As if the attempts had been made on the server that died.
        journal: { madeElsewhere: () => from.madeElsewhere('') },
        offers: job.parts.offers,
        upstreams: job.parts.upstreams,
        clock: { now: () => job.clock.now },
        graceMs: 60_000,
        sleep: async () => undefined,
        logger,
      })
    const restore = async (from = journal) => {
      const restorer = createRestorerOf(from)
      await restorer.start()
      await restorer.stop()
    }
    await remember()
    // The pause that an earlier test began is over.
    await redis.del(harness.keys.epoch)
    return { ...job, journal, open, remember, rollBack, restore, createRestorerOf, missing }
  }

  it('are purchased once: the reply that was written there is written again', async () => {
    const job = await begin({})
    await job.run()
    await job.rollBack()
    assert.equal(await job.state(), 'pending')
    await job.restore()
    assert.equal(await job.state(), 'queued')
    assert.deepEqual((await job.work())?.ticket, { task: 1 })
    await job.run()
    assert.equal(job.submits(), 1)
  })

  it('are restored by a process that was started again, from the disk', async () => {
    const job = await begin({})
    await job.run()
    await job.rollBack()
    await job.restore(await job.open())
    assert.equal(await job.state(), 'queued')
  })

  it('are not purchased again while their call is under way, and its reply counts', async () => {
    const job = await begin({
      sent: async (path) => {
        if (path === 'submit') {
          await job.rollBack()
          await job.restore()
          assert.equal(await job.state(), 'submitting')
          assert.equal((await job.run()).kind, 'wait')
        }
        return reply
      },
    })
    await job.run()
    assert.equal(job.submits(), 1)
    assert.equal(await job.state(), 'queued')
  })

  it('are looked for when nobody knows what became of their call', async () => {
    const job = await begin({ sent: () => lost, provider: { find: undefined } as never })
    await job.run()
    await job.rollBack()
    await job.restore()
    assert.equal(await job.state(), 'submitting')
    await job.runAll()
    assert.equal(job.submits(), 1)
    assert.equal(await job.error(), 'submission_unknown')
  })

  it('whose reply was lost alone are not looked for: the journal has it', async () => {
    const job = await begin({})
    const { storeIntent } = harness.store
    Object.assign(job.parts, {
      store: {
        ...harness.store,
        storeIntent: async (...args: Parameters<typeof storeIntent>) => {
          const stored = await storeIntent(...args)
          await job.remember()
          return stored
        },
      },
    })
    await job.run()
    await job.rollBack()
    assert.equal(await job.state(), 'submitting')
    await job.restore()
    assert.equal(await job.state(), 'queued')
    assert.ok(!job.calls.includes('find'))
  })

  it('that were refused are made again', async () => {
    const job = await begin({
      provider: { accept: () => ({ kind: 'failed', fault: { code: 'rate_limited', message: '' } }) },
    })
    await job.run()
    await job.rollBack()
    await job.restore()
    assert.equal(await job.state(), 'pending')
  })

  it('that were answered with a finished video are delivered', async () => {
    const job = await begin({ provider: { accept: () => done } })
    await job.run()
    await job.rollBack()
    await job.restore()
    assert.equal(await job.state(), 'delivering')
    assert.equal((await job.work())?.results?.length, 1)
  })

  it('at another upstream than the first lead back to that one', async () => {
    const job = await begin({ work: { route: ['fal', 'runware'] } })
    await redis.hset(
      harness.keys.job(job.id),
      'work',
      JSON.stringify({ ...(await job.work()), route: ['runware'] }),
    )
    await job.run()
    await job.rollBack()
    await job.restore()
    assert.deepEqual((await job.work())?.route, ['runware', 'fal'])
  })

  it('after an attempt that was refused replace that one, which is not made again', async () => {
    let refusals = 1
    const job = await begin({
      provider: {
        accept: () =>
          refusals-- > 0
            ? { kind: 'failed', fault: { code: 'rate_limited', message: '' } }
            : { kind: 'running', ticket: { task: 2 }, stage: 'queued' },
      },
    })
    const { storeIntent } = harness.store
    Object.assign(job.parts, {
      store: {
        ...harness.store,
        storeIntent: async (...args: Parameters<typeof storeIntent>) => {
          const stored = await storeIntent(...args)
          if (job.submits() === 0) await job.remember()
          return stored
        },
      },
    })
    const next = await job.run()
    if (next.kind === 'wait') job.clock.now = next.at
    await job.run()
    await job.rollBack()
    assert.equal(await job.state(), 'submitting')
    assert.equal((await job.work())?.attempts, 1)
    await job.restore()
    assert.equal(await job.state(), 'queued')
    assert.deepEqual((await job.work())?.ticket, { task: 2 })
    assert.equal(job.submits(), 2)
  })

  it('that Redis knows to have come to nothing are not restored, though the journal does not know', async () => {
    const job = await begin({
      provider: { accept: () => ({ kind: 'failed', fault: { code: 'rate_limited', message: '' } }) },
    })
    Object.assign(job.journal, { discard: async () => undefined })
    await job.run()
    await redis.hset(harness.keys.epoch, 'server', 'the one that died')
    await job.restore()
    assert.equal(await job.state(), 'pending')
  })

  it('of jobs that have gone on are left alone', async () => {
    const job = await begin({})
    await job.run()
    await job.restore()
    const before = await redis.hgetall(harness.keys.job(job.id))
    await redis.hset(harness.keys.epoch, 'server', 'the one that died')
    await job.restore()
    assert.deepEqual(await redis.hgetall(harness.keys.job(job.id)), before)
  })

  it('are taken from a step that is under way elsewhere', async () => {
    const job = await begin({})
    await job.run()
    await job.rollBack()
    const other = await harness.store.claim(job.id, job.clock.now)
    assert.ok(other !== 'absent' && other !== 'ended')
    await job.restore()
    assert.equal(await harness.store.write(other, { view: other.view, work: other.work, dueAt: 0 }), false)
    assert.equal(await job.state(), 'queued')
  })

  /** The first attempt is refused, and Redis is put back to where it was under way when the second one has a task. */
  async function secondAttempt(sent?: Upstream['sent']) {
    let calls = 0
    const job = await begin({
      provider: {
        accept: () => {
          calls += 1
          return calls === 1 ? { kind: 'failed', fault: { code: 'rate_limited', message: '' } } : accepted
        },
      },
      ...(sent && { sent }),
    })
    const { storeIntent } = harness.store
    Object.assign(job.parts, {
      store: {
        ...harness.store,
        storeIntent: async (...args: Parameters<typeof storeIntent>) => {
          const stored = await storeIntent(...args)
          if (calls === 0) await job.remember()
          return stored
        },
      },
    })
    await job.run()
    assert.equal(await job.state(), 'pending')
    job.clock.now += 60_000
    await job.run()
    assert.equal(await job.state(), 'queued')
    assert.equal(job.submits(), 2)
    await job.rollBack()
    assert.equal(await job.state(), 'submitting')
    return job
  }

  it('are restored where Redis has an earlier attempt of the job, and not purchased again', async () => {
    const job = await secondAttempt()
    await job.restore()
    assert.equal(await job.state(), 'queued')
    assert.equal((await job.work())?.attempts, 2)
    for (let steps = 0; steps < 10; steps += 1) {
      await job.run()
      job.clock.now += 10_000
    }
    assert.equal(job.submits(), 2)
  })

  it('of which Redis knows more than the journal are left alone: they were refused', async () => {
    const job = await begin({
      provider: { accept: () => ({ kind: 'failed', fault: { code: 'rate_limited', message: '' } }) },
    })
    // The process dies before it has written that the attempt was refused.
    Object.assign(job.parts, { journal: { ...job.journal, discard: async () => undefined } })
    await job.run()
    assert.equal(await job.state(), 'pending')
    await redis.hset(harness.keys.epoch, 'server', 'the one that died')
    await job.restore()
    assert.equal(await job.state(), 'pending')
  })

  it('are restored although the record of another job cannot be read', async () => {
    const job = await begin({})
    await job.run()
    await job.rollBack()
    const broken = `${job.id}-broken`
    await redis.hset(harness.keys.job(broken), { state: 'pending', owner: 'ann', view: '{', work: '{' })
    const { value: [entry] = [] } = await job.journal.madeElsewhere('').next()
    assert.ok(entry)
    const attempt = { ...entry.attempt, id: 'another', at: entry.attempt.at + 1 }
    await job.journal.begin({ ...entry, job: broken, attempt })
    await job.restore()
    assert.equal(await job.state(), 'queued')
  })

  it('are restored although the connection stands, as behind a proxy, when the server changes', async () => {
    const job = await begin({})
    const restorer = job.createRestorerOf()
    await restorer.start()
    await job.run()
    await job.rollBack()
    await redis.replicaof('127.0.0.1', '1')
    await redis.replicaof('NO', 'ONE')
    for (let tries = 0; tries < 100 && (await job.state()) === 'pending'; tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 50))
    await restorer.stop()
    assert.equal(await job.state(), 'queued')
  })

  it('are not purchased again by their own worker before they are restored', async () => {
    const job = await begin({})
    await job.run()
    await job.rollBack()
    await job.run()
    assert.equal(await job.state(), 'submitting')
    await job.run()
    assert.equal(await job.state(), 'queued')
    assert.deepEqual((await job.work())?.ticket, { task: 1 })
    assert.equal(job.submits(), 1)
  })

  it('are not canceled as unpurchased by their own worker before they are restored', async () => {
    const job = await begin({})
    await job.run()
    await job.rollBack()
    await harness.store.askCancel(job.id)
    await job.run()
    await job.run()
    assert.equal(await job.state(), 'queued')
  })

  it('end, with the money on hold, when this version has no such upstream for the model any more', async () => {
    const job = await begin({})
    await job.run()
    await job.rollBack()
    await job.run()
    assert.equal(await job.state(), 'submitting')
    Object.assign(job.parts, { offers: { find: () => undefined } })
    for (let steps = 0; steps < 20 && (await job.error()) === undefined; steps += 1) {
      const next = await job.run().catch(() => undefined)
      job.clock.now = Math.max(job.clock.now + 5000, next?.kind === 'wait' ? next.at : 0)
    }
    assert.equal(await job.error(), 'submission_unknown')
  })

  it('are reported when their job is lost too, but not when it was deleted before an orderly restart', async () => {
    const job = await begin({})
    await job.run()
    await redis.del(harness.keys.job(job.id))
    await redis.hset(harness.keys.epoch, 'server', 'the one that stopped', 'clean', '1')
    await job.restore()
    assert.deepEqual(job.missing, [])
    await redis.hset(harness.keys.epoch, 'server', 'the one that died')
    await job.restore()
    assert.deepEqual(job.missing, [job.id])
    await redis.del(harness.keys.epoch)
  })
})
