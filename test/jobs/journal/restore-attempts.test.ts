import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { join } from 'node:path'
import { after, afterEach, before, describe, it, mock } from 'node:test'
import type { Redis } from 'ioredis'
import { deriveAttemptId } from '../../../src/jobs/attempt.ts'
import { createJournal } from '../../../src/jobs/journal/journal.ts'
import type { JournalEntry } from '../../../src/jobs/journal/journal-files.ts'
import { createAttemptRestorer } from '../../../src/jobs/journal/restore-attempts.ts'
import { createQueues } from '../../../src/jobs/queues.ts'
import { observeRedisServer } from '../../../src/jobs/store/epoch.ts'
import { createCleanup, quiet, startRedis, temporaryFolder } from '../../support/setup.ts'
import { accepted, createJobHarness, done, lost, reply, type Upstream } from '../job-harness.ts'

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
    const job = await harness.begin({ ...upstream, deps: { journal } })
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
    await queues.waitUntilReady()
    cleanup.add(() => queues.close())
    const missing: unknown[] = []
    const logger = { ...quiet, error: (facts: { job: string }) => void missing.push(facts.job) } as never
    const createRestorerOf = (from = journal) =>
      createAttemptRestorer({
        redis,
        keys: harness.keys,
        store: harness.store,
        queues,
        // As if the attempts had been made on the failed server.
        journal: { listMadeElsewhere: () => from.listMadeElsewhere(''), hasDiscarded: from.hasDiscarded },
        routing: job.deps.routing,
        upstreams: job.deps.upstreams,
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

  it('are purchased once: the lost reply is written again', async () => {
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

  it('are reconciled if the result of their call is unknown', async () => {
    const job = await begin({ sent: () => lost, provider: { find: undefined } as never })
    await job.run()
    await job.rollBack()
    await job.restore()
    assert.equal(await job.state(), 'submitting')
    await job.runAll()
    assert.equal(job.submits(), 1)
    assert.equal(await job.error(), 'submission_unknown')
  })

  it('are not reconciled if only the reply is lost, since the journal has it', async () => {
    const job = await begin({})
    const { storeIntent } = harness.store
    Object.assign(job.deps, {
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

  it('are made again if their call was not made', async () => {
    const job = await begin({ work: { route: ['runware'] } })
    Object.assign(job.deps, { confirmReplicas: () => Promise.reject(new Error('the primary has died')) })
    await job.run()
    await job.rollBack()
    // As another process does that read the file before its last line was written.
    const attempt = {
      id: deriveAttemptId(job.id, 'runware', 1),
      provider: 'runware',
      at: job.clock.now,
    } as const
    const { journal } = await begin({})
    await journal.begin({ job: job.id, attempt, number: 1, handed: {}, server: 'the one that died' })
    await job.restore(journal)
    assert.equal(await job.state(), 'submitting')
    await job.run()
    assert.equal(await job.state(), 'pending')
    assert.equal(job.submits(), 0)
  })

  it('are not restored by the process that knows that their call was not made', async () => {
    const job = await begin({})
    Object.assign(job.deps, { confirmReplicas: () => Promise.reject(new Error('the primary has died')) })
    await job.run()
    await job.rollBack()
    await job.restore()
    assert.equal(await job.state(), 'pending')
  })

  it('are made again if they were rejected', async () => {
    const job = await begin({
      provider: { accept: () => ({ kind: 'failed', fault: { code: 'rate_limited', message: '' } }) },
    })
    await job.run()
    await job.rollBack()
    await job.restore()
    assert.equal(await job.state(), 'pending')
  })

  it('are delivered if the reply had a finished video', async () => {
    const job = await begin({ provider: { accept: () => done } })
    await job.run()
    await job.rollBack()
    await job.restore()
    assert.equal(await job.state(), 'delivering')
    assert.equal((await job.work())?.results?.length, 1)
  })

  it('at a later upstream continue at that upstream', async () => {
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

  it('after a rejected attempt replace that one, which is not made again', async () => {
    let rejections = 1
    const job = await begin({
      provider: {
        accept: () =>
          rejections-- > 0
            ? { kind: 'failed', fault: { code: 'rate_limited', message: '' } }
            : { kind: 'running', ticket: { task: 2 }, stage: 'queued' },
      },
    })
    const { storeIntent } = harness.store
    Object.assign(job.deps, {
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

  it('are not restored if Redis knows that they were discarded, even if the journal does not', async () => {
    const job = await begin({
      provider: { accept: () => ({ kind: 'failed', fault: { code: 'rate_limited', message: '' } }) },
    })
    Object.assign(job.journal, { discard: async () => undefined })
    await job.run()
    await redis.hset(harness.keys.epoch, 'server', 'the one that died')
    await job.restore()
    assert.equal(await job.state(), 'pending')
  })

  it('of jobs that have progressed are not changed', async () => {
    const job = await begin({})
    await job.run()
    await job.restore()
    const before = await redis.hgetall(harness.keys.job(job.id))
    await redis.hset(harness.keys.epoch, 'server', 'the one that died')
    await job.restore()
    assert.deepEqual(await redis.hgetall(harness.keys.job(job.id)), before)
  })

  it('are taken over from a step that is running elsewhere', async () => {
    const job = await begin({})
    await job.run()
    await job.rollBack()
    const other = await harness.store.claimStep(job.id, job.clock.now)
    assert.ok(typeof other !== 'string')
    await job.restore()
    assert.equal(await harness.store.write(other, { view: other.view, work: other.work, dueAt: 0 }), false)
    assert.equal(await job.state(), 'queued')
  })

  describe('are written back', () => {
    const restorers: { stop(): Promise<void> }[] = []
    // They check every second which server replies, and record it.
    afterEach(() => Promise.all(restorers.splice(0).map((restorer) => restorer.stop())))

    /** A job of which Redis has lost an attempt, and a restorer whose journal has just that one. */
    async function lostAttempt(upstream: Upstream = {}, more: Partial<JournalEntry> = {}) {
      const job = await harness.begin(upstream)
      await redis.hset(harness.keys.epoch, { server: 'the one that died', since: '0' })
      const entry: JournalEntry = {
        job: job.id,
        attempt: { id: `attempt of ${job.id}`, provider: 'runware', at: job.clock.now - 5000 },
        number: 1,
        handed: { 'https://files.example/in.png': 'https://upstream.example/in.png' } as never,
        server: 'the one that died',
        ...more,
      }
      const forwarded: string[] = []
      const logged: object[] = []
      const lookups: string[] = []
      const slept: number[] = []
      const discarded = new Set<string>()
      let failures = 0
      const bringForward = async (queue: string, id: string) => {
        failures -= 1
        if (failures >= 0) throw new Error('away')
        forwarded.push(`${queue} ${id}`)
      }
      const events = new EventEmitter()
      /** From now on another server replies. */
      let moved: string | undefined
      const changed: unknown[] = []
      const observe = async (...args: Parameters<typeof redis.eval>) => {
        changed.push(args.at(-1))
        return moved === undefined ? redis.eval(...args) : ['0', moved]
      }
      const server = new Proxy(redis, {
        get: (target, name) => {
          if (name === 'on' || name === 'off') return events[name].bind(events)
          if (name === 'eval') return observe
          const value = Reflect.get(target, name)
          return typeof value === 'function' ? value.bind(target) : value
        },
      })
      const restorer = createAttemptRestorer({
        redis: server,
        keys: harness.keys,
        store: job.deps.store,
        queues: { bringForward } as never,
        journal: {
          async *listMadeElsewhere(name) {
            lookups.push(name)
            yield [entry]
          },
          hasDiscarded: (id) => discarded.has(id),
        },
        routing: job.deps.routing,
        upstreams: job.deps.upstreams,
        clock: { now: () => job.clock.now },
        graceMs: 0,
        sleep: async (ms) => void slept.push(ms),
        logger: {
          error: (facts: object) => void logged.push(facts),
          warn: (facts: object) => void logged.push(facts),
        } as never,
      })
      restorers.push(restorer)
      /** Another server replies, which has lost the attempt too; bringing the job forward fails `fails` times. */
      const moveTo = async (name: string, fails = 0) => {
        moved = name
        failures = fails
        await redis.hset(harness.keys.job(job.id), earlier)
        events.emit('ready')
      }
      const earlier = await redis.hgetall(harness.keys.job(job.id))
      return {
        ...job,
        entry,
        discarded,
        restorer,
        events,
        forwarded,
        logged,
        lookups,
        slept,
        changed,
        moveTo,
      }
    }
    const running: JournalEntry['reply'] = { kind: 'running', ticket: { task: 3 }, stage: 'processing' }
    const until = async (isSo: () => boolean) => {
      while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5))
    }

    it('with the number, the files and the route of the attempt, and without earlier misses', async () => {
      const job = await lostAttempt({ work: { route: ['fal', 'runware'], misses: 3 } }, { number: 4 })
      await job.restorer.start()
      const work = await job.work()
      assert.deepEqual(work?.attempt, job.entry.attempt)
      assert.deepEqual(work?.handed, job.entry.handed)
      assert.deepEqual(work?.route, ['runware', 'fal'])
      assert.equal(work?.attempts, 4)
      assert.equal(work?.misses, 0)
      assert.equal(await job.state(), 'submitting')
      assert.deepEqual(job.forwarded, [`runware ${job.id}`])
      assert.equal((await job.history()).at(-1)?.reason, 'restored: Redis had lost the attempt')
      assert.equal(await redis.zscore(harness.keys.open, job.id), String(job.clock.now + 5000))
      assert.deepEqual(job.logged, [{ jobs: 1 }])
    })

    it('without a reply keep identical jobs from taking their tasks', async () => {
      const find = {
        call: () => ({ method: 'GET', path: 'find' }) as const,
        read: () => ({ kind: 'absent' }) as const,
      }
      const awaited = async (safeToResend: boolean, more: Partial<JournalEntry> = {}) => {
        const job = await lostAttempt({ provider: { find: { ...find, safeToResend } } }, more)
        await job.restorer.start()
        const keys = await redis.keys('restore:identical:*')
        const scores = await Promise.all(keys.map((key) => redis.zscore(key, job.id)))
        return scores.filter((score) => score !== null).map((score) => Number(score) - job.clock.now)
      }
      assert.deepEqual(await awaited(false), [-5000])
      assert.deepEqual(
        await awaited(false, { reply: { kind: 'running', ticket: { task: 'its task' }, stage: 'queued' } }),
        [],
      )
      assert.deepEqual(await awaited(true), [])
    })

    it('with a running task, accepted at the time of the attempt', async () => {
      const job = await lostAttempt({ work: { refusals: 2, polls: 7 } }, { reply: running })
      await job.restorer.start()
      assert.equal(await job.state(), 'processing')
      const { ticket, takenAt, refusals, polls } = (await job.work()) ?? {}
      assert.deepEqual(
        { ticket, takenAt, refusals, polls },
        { ticket: { task: 3 }, takenAt: job.entry.attempt.at, refusals: 0, polls: 0 },
      )
      assert.deepEqual(job.forwarded, [`runware ${job.id}`])
      assert.equal(await redis.get(harness.keys.task('runware', `${job.id} 3`)), job.id)
    })

    it('with a finished video, its task and its price', async () => {
      const videos = [{ url: 'https://files.example/a.mp4' }] as const
      const job = await lostAttempt(
        { work: { refusals: 2 } },
        { reply: { kind: 'done', videos, ticket: { task: 3 }, costUsd: 0.4 } as never },
      )
      await job.restorer.start()
      assert.equal(await job.state(), 'delivering')
      const work = await job.work()
      assert.deepEqual(work?.results, videos)
      assert.deepEqual(work?.ticket, { task: 3 })
      assert.equal(work?.upstreamCostUsd, 0.4)
      assert.equal(work?.deliveringAt, job.clock.now)
      assert.equal(work?.refusals, 0)
      assert.deepEqual(job.forwarded, [`delivery ${job.id}`])
    })

    it('with a finished video alone', async () => {
      const videos = [{ url: 'https://files.example/a.mp4' }] as const
      const job = await lostAttempt({}, { reply: { kind: 'done', videos } as never })
      await job.restorer.start()
      const work = await job.work()
      assert.deepEqual(work?.results, videos)
      assert.equal(work && ('ticket' in work || 'upstreamCostUsd' in work), false)
    })

    it('without a task that belongs to another job by now', async () => {
      const job = await lostAttempt({}, { reply: running })
      await redis.set(harness.keys.task('runware', `${job.id} 3`), 'another job')
      await job.restorer.start()
      assert.equal(await job.state(), 'submitting')
      assert.equal((await job.work())?.ticket, undefined)
    })

    it('with the task even if its upstream is no longer configured', async () => {
      const job = await lostAttempt({ offered: false }, { reply: running })
      await job.restorer.start()
      assert.equal(await job.state(), 'processing')
    })

    for (const [what, view, work, number, reply, isRestored] of [
      ['a job that knows of a later attempt', 'pending', { attempts: 2 }, 1, running, false],
      [
        'a job that knows of the attempt, and that it came to nothing',
        'pending',
        { attempts: 1 },
        1,
        running,
        false,
      ],
      ['a job that waits for the reply, which is known', 'submitting', { attempts: 1 }, 1, running, true],
      [
        'a job that waits for the reply, which is not known',
        'submitting',
        { attempts: 1 },
        1,
        undefined,
        false,
      ],
      ['a job that has gone on', 'queued', { attempts: 0 }, 1, running, false],
      ['a job that was delivered', 'delivering', {}, 1, running, false],
    ] as const) {
      it(`${isRestored ? '' : 'not '}to ${what}`, async () => {
        const job = await lostAttempt({}, { number, ...(reply && { reply }) })
        const { view: restoredView } = (await harness.store.readStatus(job.id)) ?? assert.fail()
        await redis.hset(harness.keys.job(job.id), {
          state: view,
          view: JSON.stringify({ ...restoredView, state: view }),
          work: JSON.stringify({ ...(await job.work()), ...work, attempt: job.entry.attempt }),
          attempt: job.entry.attempt.id,
        })
        await job.restorer.start()
        assert.deepEqual(job.logged, isRestored ? [{ jobs: 1 }] : [])
        assert.equal(await job.state(), isRestored ? 'processing' : view)
        assert.equal(job.forwarded.length, isRestored ? 1 : 0)
      })
    }

    it('not to a job that waits for the reply to another attempt', async () => {
      const job = await lostAttempt({}, { reply: running })
      const { view } = (await harness.store.readStatus(job.id)) ?? assert.fail()
      await redis.hset(harness.keys.job(job.id), {
        state: 'submitting',
        view: JSON.stringify({ ...view, state: 'submitting' }),
        work: JSON.stringify({
          ...(await job.work()),
          attempts: 1,
          attempt: { ...job.entry.attempt, id: 'another' },
        }),
      })
      await job.restorer.start()
      assert.equal(await job.state(), 'submitting')
    })

    it('not if its call was not made', async () => {
      const job = await lostAttempt()
      job.discarded.add(job.entry.attempt.id)
      await job.restorer.start()
      assert.equal(await job.state(), 'pending')
      assert.deepEqual(job.forwarded, [])
    })

    it('and a job without a record is logged, with its task', async () => {
      const job = await lostAttempt({}, { reply: running })
      await redis.del(harness.keys.job(job.id))
      await job.restorer.start()
      const { id: attempt, provider } = job.entry.attempt
      assert.deepEqual(job.logged, [{ job: job.id, attempt, provider, task: { task: 3 } }])
    })

    it('and a job without a record and a reply is logged', async () => {
      const job = await lostAttempt()
      await redis.del(harness.keys.job(job.id))
      await job.restorer.start()
      assert.equal((job.logged[0] as { task?: unknown }).task, undefined)
      assert.equal(job.logged.length, 1)
    })

    it('even if another process wrote the record meanwhile', async () => {
      const job = await lostAttempt()
      const { takeOver } = harness.store
      let overtaken = 19
      Object.assign(job.deps.store, {
        takeOver: async (...args: Parameters<typeof takeOver>) => {
          if (overtaken-- > 0) return false
          return takeOver(...args)
        },
      })
      try {
        await job.restorer.start()
      } finally {
        Object.assign(job.deps.store, { takeOver })
      }
      assert.equal(await job.state(), 'submitting')
    })

    it('with a limited number of retries, if another process writes it each time', async () => {
      const job = await lostAttempt()
      const { takeOver } = harness.store
      let tries = 0
      Object.assign(job.deps.store, {
        takeOver: async () => {
          tries += 1
          return false
        },
      })
      try {
        await job.restorer.start()
      } finally {
        Object.assign(job.deps.store, { takeOver })
      }
      assert.equal(tries, 20)
      assert.deepEqual(job.logged, [])
    })

    it('before this process counts as restored', async () => {
      const job = await lostAttempt()
      const { server } = await observeRedisServer({ redis, keys: harness.keys, graceMs: 0 })
      assert.equal(job.restorer.hasRestored(server), false)
      await job.restorer.start()
      assert.equal(job.restorer.hasRestored(server), true)
      assert.equal(job.restorer.hasRestored('another'), false)
    })

    it('each second, until the stop', async () => {
      mock.timers.enable({ apis: ['setInterval'] })
      try {
        const job = await lostAttempt()
        await job.restorer.start()
        mock.timers.tick(999)
        assert.equal(job.changed.length, 1)
        mock.timers.tick(1)
        assert.equal(job.changed.length, 2)
        await job.restorer.stop()
        mock.timers.tick(5000)
        assert.equal(job.changed.length, 2)
      } finally {
        mock.timers.reset()
      }
    })

    it('or the Redis error is thrown', async () => {
      const job = await lostAttempt()
      Object.assign(job.deps.routing, {
        find: () => {
          throw new Error('Connection is closed.')
        },
      })
      await redis.set(harness.keys.task('runware', `${job.id} 3`), 'another job')
      await assert.rejects(job.restorer.start(), /Connection is closed/)
    })

    for (const Bug of [TypeError, SyntaxError]) {
      it(`or a ${Bug.name} in one record is logged`, async () => {
        const job = await lostAttempt()
        Object.assign(job.deps.routing, {
          find: () => {
            throw new Bug('odd')
          },
        })
        await job.restorer.start()
        const [{ job: id, attempt }] = job.logged as [{ job: string; attempt: string }]
        assert.deepEqual([id, attempt, job.logged.length], [job.id, job.entry.attempt.id, 1])
        assert.deepEqual(job.forwarded, [])
      })
    }

    it('when a new connection reaches another server, and only then', async () => {
      const job = await lostAttempt()
      await job.restorer.start()
      const { server: name } = await redis.hgetall(harness.keys.epoch)
      assert.deepEqual(job.lookups, [name])
      job.events.emit('ready')
      await until(() => job.changed.length === 2)
      await job.moveTo('another')
      await until(() => job.forwarded.length === 2)
      assert.deepEqual(job.lookups, [name, 'another'])
      // At the start the previous server is unknown.
      assert.deepEqual(job.changed.slice(0, 2), ['0', '1'])
    })

    it('again a second later after a failure', async () => {
      const job = await lostAttempt({}, { reply: running })
      await job.restorer.start()
      await job.moveTo('another', 2)
      await until(() => job.lookups.length === 3)
      assert.deepEqual(job.slept.slice(0, 1), [1000])
      await job.restorer.stop()
    })

    it('no more after the stop, even if it failed before', async () => {
      const job = await lostAttempt()
      await job.restorer.start()
      await job.moveTo('another', 1)
      await job.restorer.stop()
      assert.equal(job.events.listenerCount('ready'), 0)
      assert.deepEqual(job.slept, [])
      assert.equal(job.lookups.length, 2)
      assert.deepEqual(
        job.logged.filter((facts) => 'err' in facts),
        [],
      )
    })

    it('at the start, which throws if they cannot', async () => {
      const job = await lostAttempt()
      Object.assign(job.deps.routing, {
        find: () => {
          throw new Error('away')
        },
      })
      await assert.rejects(job.restorer.start(), /away/)
      assert.equal(job.events.listenerCount('ready'), 0)
    })
  })

  /** The first attempt is rejected; when the second one has a task, Redis goes back to the state during the first. */
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
    Object.assign(job.deps, {
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

  it('are restored if Redis has an earlier attempt of the job, and not purchased again', async () => {
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

  it('are not restored if Redis knows that they were rejected', async () => {
    const job = await begin({
      provider: { accept: () => ({ kind: 'failed', fault: { code: 'rate_limited', message: '' } }) },
    })
    // The process dies before it has written that the attempt was rejected.
    Object.assign(job.deps, { journal: { ...job.journal, discard: async () => undefined } })
    await job.run()
    assert.equal(await job.state(), 'pending')
    await redis.hset(harness.keys.epoch, 'server', 'the one that died')
    await job.restore()
    assert.equal(await job.state(), 'pending')
  })

  it('are restored even if the record of another job cannot be read', async () => {
    const job = await begin({})
    await job.run()
    await job.rollBack()
    const broken = `${job.id}-broken`
    await redis.hset(harness.keys.job(broken), { state: 'pending', owner: 'ann', view: '{', work: '{' })
    const { value: [entry] = [] } = await job.journal.listMadeElsewhere('').next()
    assert.ok(entry)
    const attempt = { ...entry.attempt, id: 'another', at: entry.attempt.at + 1 }
    await job.journal.begin({ ...entry, job: broken, attempt })
    await job.restore()
    assert.equal(await job.state(), 'queued')
  })

  it('are restored when the server changes behind a proxy that keeps the connection', async () => {
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
    await harness.store.requestCancel(job.id)
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
    Object.assign(job.deps, { routing: { find: () => undefined } })
    for (let steps = 0; steps < 20 && (await job.error()) === undefined; steps += 1) {
      const next = await job.run().catch(() => undefined)
      job.clock.now = Math.max(job.clock.now + 5000, next?.kind === 'wait' ? next.at : 0)
    }
    assert.equal(await job.error(), 'submission_unknown')
  })

  it('are logged if their job is lost too, but not if it was deleted before an orderly restart', async () => {
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
