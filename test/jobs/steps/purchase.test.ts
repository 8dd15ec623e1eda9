import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { type FaultCode, fault } from '../../../providers/faults.ts'
import type { Outcome } from '../../../providers/provider.ts'
import { deriveAttemptId } from '../../../src/jobs/attempt.ts'
import { endJob } from '../../../src/jobs/steps/finish.ts'
import { observeRedisServer } from '../../../src/jobs/store/epoch.ts'
import type { CallResult } from '../../../src/upstreams/transport.ts'
import { createCleanup, startRedis } from '../../support/setup.ts'
import { accepted, createJobHarness, done, lost, refused, reply, type Upstream } from '../job-harness.ts'

const unreachable = fault('upstream_unreachable', 'refused')
const failing = (code: FaultCode): Upstream => ({
  provider: { accept: () => ({ kind: 'failed', fault: fault(code, 'no') }) },
})

describe('a purchase', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let harness: ReturnType<typeof createJobHarness>
  before(async () => {
    redis = (await startRedis(cleanup)).redis
    harness = createJobHarness(redis, 'purchase:')
  })
  after(() => cleanup.run())

  type TestJob = Awaited<ReturnType<typeof harness.begin>>
  const begin = (upstream: Upstream = {}) => harness.begin(upstream)
  const waitOf = async (job: TestJob) => {
    const next = await job.run()
    return next.kind === 'wait' ? next.at - job.clock.now : assert.fail(next.kind)
  }
  const reasons = async (job: TestJob) => (await job.history()).flatMap(({ reason }) => reason ?? [])
  const dueAt = async (job: TestJob) => Number(await redis.zscore(harness.keys.open, job.id))
  const idOf = (job: TestJob, number = 1) => deriveAttemptId(job.id, 'runware', number)

  it('is one call, with the uploaded input and marked as a purchase', async () => {
    const sent: unknown[] = []
    const inline = [{ path: 'a' }]
    const job = await begin({
      deps: {
        transport: {
          send: async (_: unknown, config: unknown, call: object, options: object) => {
            sent.push({ config, call, options })
            return reply
          },
        } as never,
        inputUploader: {
          prepare: async () => ({
            kind: 'ready',
            input: { prompt: 'uploaded' },
            uploadedLinks: { file: 'https://files.example/in.png' },
            inline,
            release: () => undefined,
          }),
        } as never,
      },
      provider: { submit: (_, { input }) => ({ method: 'POST', path: input.prompt ?? '' }) },
    })
    await job.run()
    assert.deepEqual(sent, [
      {
        config: { settings: {} },
        call: { method: 'POST', path: 'uploaded' },
        options: { purchase: true, inline },
      },
    ])
    assert.deepEqual((await job.work())?.handed, { file: 'https://files.example/in.png' })
  })

  it('finds the endpoint of its model at its upstream', async () => {
    const job = await begin()
    const lookups: unknown[] = []
    const { find } = job.deps.routing
    job.deps.routing.find = (...args) => {
      lookups.push(args)
      return find(...args)
    }
    await job.run()
    const model = (await harness.store.read(job.id))?.view.model
    assert.ok(lookups.length > 1)
    for (const args of lookups) assert.deepEqual(args, [{ id: model }, 'runware'])
  })

  it('prepares the input for the upstream that is called', async () => {
    const prepared: unknown[] = []
    const job = await begin()
    const { prepare } = job.deps.inputUploader
    job.deps.inputUploader.prepare = async (...args) => {
      prepared.push([args[0], args[2].provider.name, args[2].config])
      return prepare(...args)
    }
    await job.run()
    assert.deepEqual(prepared, [[job.id, 'runware', { settings: {} }]])
  })

  it('is logged with the note of its endpoint if that was removed', async () => {
    const note = 'set another endpoint'
    const notes: unknown[] = []
    for (const code of ['endpoint_gone', 'invalid_input'] as const) {
      const job = await begin(failing(code))
      const { find } = job.deps.routing
      job.deps.routing.find = (...args) => {
        const upstream = find(...args)
        return upstream && { ...upstream, mapping: { ...upstream.mapping, note } }
      }
      const warn = (fields: object) => void notes.push('note' in fields && fields.note)
      job.deps.logger = { ...job.deps.logger, info: () => undefined, warn } as never
      await job.run()
    }
    assert.deepEqual(notes, [note, false])
  })

  it('with a task is in the journal from before the call until Redis has the reply', async () => {
    const job = await begin()
    await job.run()
    const id = idOf(job)
    assert.deepEqual(job.effects, [`begun ${id}`, `replied ${id}`, `settled ${id}`, 'input released'])
  })

  it('with an immediate video is in the journal too', async () => {
    const job = await begin({ provider: { accept: () => done } })
    await job.run()
    const id = idOf(job)
    assert.deepEqual(job.effects, [
      `begun ${id}`,
      `replied ${id}`,
      'slot left',
      `settled ${id}`,
      'input released',
    ])
  })

  it('that was rejected is discarded from the journal', async () => {
    const job = await begin({ provider: { accept: () => refused } })
    await job.run()
    const id = idOf(job)
    assert.deepEqual(job.effects, [`begun ${id}`, 'slot left', `discarded ${id}`, 'input released'])
  })

  it('whose reply was lost stays in the journal', async () => {
    const job = await begin({ sent: () => lost })
    await job.run()
    assert.deepEqual(job.effects, [`begun ${idOf(job)}`, 'input released'])
  })

  it('numbers its attempts, and writes the number, the files and the server to the journal', async () => {
    const journaled: unknown[] = []
    const job = await begin(failing('rate_limited'))
    job.deps.journal.begin = async (entry) => void journaled.push(entry)
    const first = job.clock.now
    job.clock.now += await waitOf(job)
    const second = job.clock.now
    await job.run()
    const { server } = await observeRedisServer({ redis, keys: harness.keys, graceMs: 0 })
    const entry = (number: number, at: number) => ({
      job: job.id,
      attempt: { id: idOf(job, number), provider: 'runware', at },
      number,
      handed: {},
      server,
    })
    assert.deepEqual(journaled, [entry(1, first), entry(2, second)])
    assert.equal((await job.work())?.attempts, 2)
  })

  it('is due again after the time limit of the call, in case its process dies', async () => {
    let due = 0
    const job = await begin({
      sent: async () => {
        due = await dueAt(job)
        return reply
      },
    })
    await job.run()
    assert.equal(due, job.clock.now + 1000 + 5000)
  })

  it('is withdrawn if the journal or the replicas do not have it, and retried after two seconds', async () => {
    const job = await begin({ deps: { confirmReplicas: () => Promise.reject(new Error('none')) } })
    assert.equal(await waitOf(job), 2000)
    assert.deepEqual(job.effects, [`begun ${idOf(job)}`, `discarded ${idOf(job)}`, 'input released'])
    assert.deepEqual(await reasons(job), ['upstream_unreachable: The intent could not be stored durably'])
  })

  for (const [tookMs, calls] of [
    [1000, 1],
    [1001, 0],
  ] as const) {
    it(`${calls ? 'is made' : 'is no longer made'} ${tookMs} ms after the start of its time limit of 1000 ms`, async () => {
      const job = await begin({
        deps: {
          confirmReplicas: async () => {
            job.clock.now += tookMs
          },
        },
      })
      await job.run()
      assert.equal(job.submits(), calls)
      assert.equal(await job.state(), calls ? 'queued' : 'pending')
      const why = 'upstream_unreachable: Redis was too slow to start the call'
      assert.deepEqual(await reasons(job), calls ? [] : [why])
    })
  }

  describe('that was not sent', () => {
    const unsent: CallResult = { kind: 'unsent', fault: unreachable }

    it('is made again', async () => {
      const job = await begin({ sent: () => unsent })
      assert.equal(await waitOf(job), 1000)
      assert.equal(await job.state(), 'pending')
      assert.deepEqual(await reasons(job), ['upstream_unreachable: refused'])
    })

    it('is searched for after its time limit, since another process may have searched already', async () => {
      const job = await begin({
        sent: () => {
          job.clock.now += 1000
          return unsent
        },
      })
      await job.run()
      assert.equal(await job.state(), 'submitting')
    })
  })

  it('with a possibly lost reply is not repeated', async () => {
    const job = await begin({ sent: () => lost })
    assert.equal(await waitOf(job), 1000)
    assert.equal(await job.state(), 'submitting')
    assert.deepEqual(await reasons(job), ['reply lost: cut'])
  })

  it('with a lost reply is searched for less and less often, with one history entry', async () => {
    const job = await begin({
      sent: () => lost,
      deps: { reconcileTimeoutMs: 60_000 },
    })
    const waits: number[] = []
    for (let n = 0; n < 10; n++) {
      const ms = await waitOf(job)
      waits.push(ms)
      job.clock.now += ms
    }
    assert.deepEqual(waits, [1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 8000, 8000])
    assert.deepEqual(await reasons(job), ['reply lost: cut'])
  })

  it('estimates when the video is expected, and polls for the first time well before', async () => {
    const job = await begin({
      deps: {
        renderTimes: { estimateMs: async () => 10_000, addMeasurement: async () => undefined } as never,
      },
    })
    assert.equal(await waitOf(job), 4000)
    const view = (await harness.store.readStatus(job.id))?.view
    assert.equal(view?.expectedAt, job.clock.now + 10_000)
    assert.equal((await job.work())?.takenAt, job.clock.now)
  })

  it('uses the render time of its model at its upstream', async () => {
    const lookups: unknown[] = []
    const job = await begin({
      deps: {
        renderTimes: {
          estimateMs: async (...args: unknown[]) => {
            lookups.push(args)
            return 10_000
          },
        } as never,
        defaultRenderMs: () => 77,
      },
    })
    await job.run()
    assert.deepEqual(lookups, [[(await harness.store.read(job.id))?.view.model, 'runware', 77]])
  })

  it('polls at once if the upstream needs a poll to continue', async () => {
    const job = await begin({ provider: { accept: () => ({ ...accepted, now: true }) as Outcome } })
    assert.equal(await waitOf(job), 0)
  })

  it('stores the task of a finished video, for the operator', async () => {
    const job = await begin({ provider: { accept: () => ({ ...done, ticket: { task: 7 } }) as Outcome } })
    await job.run()
    const work = await job.work()
    assert.deepEqual(work?.ticket, { task: 7 })
    assert.deepEqual(work?.results, [{ url: 'https://files.example/a.mp4' }])
    assert.equal(work?.takenAt, job.clock.now)
    assert.equal(work?.deliveringAt, job.clock.now)
    assert.equal(work && 'upstreamCostUsd' in work, false)
  })

  it('with an immediate video queues the delivery', async () => {
    const job = await begin({ provider: { accept: () => done } })
    await job.run()
    assert.equal(await redis.exists(`${harness.keys.queuePrefix('delivery')}${job.id}`), 1)
  })

  it('resets the rejections of earlier attempts', async () => {
    const outcomes: Outcome[] = [{ kind: 'failed', fault: fault('rate_limited', 'busy') }]
    const job = await begin({ provider: { accept: () => outcomes.shift() ?? accepted } })
    job.clock.now += await waitOf(job)
    assert.equal((await job.work())?.refusals, 1)
    await job.run()
    const work = await job.work()
    assert.deepEqual([work?.refusals, work?.misses, work?.polls], [0, 0, 0])
  })

  describe('that cannot be prepared', () => {
    const prepared = (result: object) => ({
      deps: { inputUploader: { prepare: async () => result } as never },
    })

    it('waits while the uploads are busy', async () => {
      const job = await begin(prepared({ kind: 'busy', waitMs: 1234 }))
      assert.equal(await waitOf(job), 1234)
      assert.equal(await dueAt(job), job.clock.now + 1234 + 5000)
      assert.equal(await job.state(), 'pending')
      assert.deepEqual(job.calls, [])
    })

    it('counts as a rejection', async () => {
      const job = await begin(
        prepared({ kind: 'failed', fault: fault('upstream_unreachable', 'no storage') }),
      )
      assert.equal(await waitOf(job), 1000)
      assert.equal((await job.work())?.refusals, 1)
      assert.deepEqual(job.calls, [])
    })
  })

  it('waits for a slot, and is due again by then', async () => {
    const job = await begin({
      deps: { slots: { acquire: async () => ({ isAcquired: false, granted: [] }) } as never },
    })
    assert.equal(await waitOf(job), 10_000)
    assert.equal(await dueAt(job), job.clock.now + 10_000 + 5000)
  })

  it('ends the job if no upstream is left', async () => {
    const job = await begin({ work: { route: [] } })
    await job.run()
    assert.equal(await job.error(), 'upstream_error')
    assert.deepEqual(job.calls, [])
  })

  it('is made at the deadline, not after it', async () => {
    const at = await begin()
    at.clock.now = (await at.work())?.deadlineAt ?? 0
    await at.run()
    assert.equal(at.submits(), 1)
  })

  describe('that is rejected', () => {
    it('waits up to half a minute if there is no other upstream', async () => {
      const job = await begin({ ...failing('rate_limited'), work: { route: ['runware'] } })
      const waits: number[] = []
      for (let n = 0; n < 7; n++) {
        const ms = await waitOf(job)
        waits.push(ms)
        job.clock.now += ms
      }
      assert.deepEqual(waits, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
    })

    it('ends after ten minutes of rejections', async () => {
      const job = await begin({
        ...failing('rate_limited'),
        work: { route: ['runware'], deadlineAt: Date.now() + 7_200_000 },
      })
      const began = job.clock.now
      await job.runAll()
      assert.equal(await job.error(), 'rate_limited')
      const tookMs = job.clock.now - began
      assert.ok(tookMs > 570_000 && tookMs < 600_000, String(tookMs))
      assert.ok(job.effects.includes('slot left'))
    })

    it('records the time of the first rejection', async () => {
      const job = await begin({ ...failing('rate_limited'), work: { route: ['runware'] } })
      const first = job.clock.now
      job.clock.now += await waitOf(job)
      await job.run()
      assert.equal((await job.work())?.refusedAt, first)
    })

    it('does not wait beyond the deadline', async () => {
      const at = (ms: number) => ({ ...fault('rate_limited', 'busy'), retryAfterMs: ms })
      for (const [afterMs, kind] of [
        [50_000, 'wait'],
        [50_001, 'end'],
      ] as const) {
        const job = await begin({
          provider: { accept: () => ({ kind: 'failed', fault: at(afterMs) }) },
          work: { route: ['runware'] },
        })
        await redis.hset(
          harness.keys.job(job.id),
          'work',
          JSON.stringify({ ...(await job.work()), deadlineAt: job.clock.now + 50_000 }),
        )
        assert.equal((await job.run()).kind, kind)
      }
    })

    it('records the reason in the history, and starts the next upstream without rejections', async () => {
      const job = await begin({ ...failing('no_credit'), work: { refusals: 2 } })
      await job.run()
      assert.deepEqual(await reasons(job), ['no_credit: no'])
      const work = await job.work()
      assert.deepEqual([work?.route, work?.refusals], [['fal'], 0])
      assert.equal(await dueAt(job), job.clock.now + 5000)
    })
  })

  describe('that this machine has made and Redis does not have', () => {
    const made = (attempt: object): Upstream => ({
      deps: {
        journal: {
          begin: async () => undefined,
          hasMade: () => true,
          find: async () => ({ attempt, number: 1, handed: { a: 'b' } }),
        } as never,
      },
    })

    it('is searched for at once, and not repeated', async () => {
      const attempt = { id: 'made', provider: 'runware', at: 1 } as const
      const job = await begin({ ...made(attempt), work: { misses: 3 } })
      assert.equal(await waitOf(job), 0)
      assert.equal(await job.state(), 'submitting')
      const work = await job.work()
      assert.deepEqual(
        [work?.attempt, work?.attempts, work?.handed, work?.misses],
        [attempt, 1, { a: 'b' }, 0],
      )
      assert.deepEqual(await reasons(job), ['restored: Redis had lost the attempt'])
      assert.equal(await dueAt(job), job.clock.now + 5000)
      assert.deepEqual(job.calls, [])
    })

    it('is identified by the ID of the due attempt', async () => {
      const lookups: string[] = []
      const job = await begin({ work: { attempts: 4 } })
      Object.assign(job.deps.journal, {
        hasMade: (id: string) => {
          lookups.push(id)
          return false
        },
        find: () => assert.fail('looked for'),
      })
      await job.run()
      assert.deepEqual(lookups, [idOf(job, 5)])
    })

    it('is made if the journal no longer has it', async () => {
      const job = await begin()
      Object.assign(job.deps.journal, { hasMade: () => true, find: async () => undefined })
      await job.run()
      assert.equal(job.submits(), 1)
    })
  })

  it('is withdrawn if this process has not restored what the server may have lost', async () => {
    const lookups: string[] = []
    const job = await begin({
      deps: {
        hasRestored: (server) => {
          lookups.push(server)
          return false
        },
      },
    })
    assert.equal(await waitOf(job), 2000)
    assert.deepEqual(job.calls, [])
    assert.equal(await job.state(), 'pending')
    const { server } = await observeRedisServer({ redis, keys: harness.keys, graceMs: 0 })
    assert.deepEqual(lookups, [server])
    assert.deepEqual(await reasons(job), [
      'upstream_unreachable: Redis failover: attempts are being restored',
    ])
  })

  describe('while another server has just taken over', () => {
    const paused = (ms: number): Upstream => ({
      deps: { store: { ...harness.store, purchasesPausedMs: async () => ms } },
    })

    it('an overdue job does not end yet', async () => {
      const job = await begin(paused(700))
      job.clock.now += 600_001
      assert.equal(await waitOf(job), 700)
      assert.equal(await job.state(), 'pending')
    })

    for (const [what, more] of [
      ['without an upstream', { work: { route: [] } }],
      ['without an endpoint', { offered: false, work: { route: ['runware'] } }],
    ] as const) {
      it(`a job ${what} does not end yet`, async () => {
        const job = await begin({ ...paused(700), ...more } as Upstream)
        assert.equal(await waitOf(job), 700)
        assert.equal(await job.state(), 'pending')
      })
    }

    it('a job with a rejected purchase ends', async () => {
      const job = await begin({ ...paused(700), ...failing('no_credit'), work: { route: ['runware'] } })
      assert.deepEqual(await job.run(), { kind: 'end' })
      assert.equal(await job.error(), 'no_credit')
    })

    it('a job with a requested cancel ends after the pause', async () => {
      const job = await begin(paused(0))
      await harness.store.requestCancel(job.id)
      await job.run()
      assert.equal(await job.state(), 'canceled')
    })

    it('the intent is not stored, and the job waits', async () => {
      const job = await begin({
        deps: { store: { ...harness.store, storeIntent: async () => ({ kind: 'paused', ms: 321 }) } },
      })
      assert.equal(await waitOf(job), 321)
      assert.deepEqual(job.calls, [])
    })
  })

  describe('with a late reply', () => {
    it('is recorded with its upstream and its task', async () => {
      const job = await begin({
        sent: async () => {
          await redis.hset(harness.keys.job(job.id), { state: 'canceled' })
          return reply
        },
      })
      await job.run()
      assert.deepEqual(await harness.store.readNotes(job.id), [
        { at: job.clock.now, kind: 'late_reply', provider: 'runware', text: `${job.id} 1` },
      ])
    })

    it('is recorded even if the job has another task by then', async () => {
      const job = await begin({
        sent: async () => {
          const work = JSON.stringify({ ...(await job.work()), ticket: { task: 2 } })
          await redis.hset(harness.keys.job(job.id), { state: 'failed', work })
          return reply
        },
      })
      await job.run()
      assert.deepEqual(
        (await harness.store.readNotes(job.id)).map(({ text }) => text),
        [`${job.id} 1`],
      )
    })
  })

  it('with the task of another job in its reply is discarded from the journal, and searched for', async () => {
    const job = await begin({
      deps: { store: { ...harness.store, claimTask: async () => false } },
    })
    assert.equal(await waitOf(job), 1000)
    assert.ok(job.effects.includes(`reply discarded ${idOf(job)}`))
    assert.equal(await job.state(), 'submitting')
    assert.deepEqual(await reasons(job), ['reply lost: runware returned a task of another job'])
  })

  describe('at an upstream that lists its tasks', () => {
    const find = {
      call: () => ({ method: 'GET', path: 'find' }) as const,
      read: () => ({ kind: 'absent' }) as const,
      safeToResend: false,
    }
    const awaiting = async (job: TestJob) => {
      const keys = await redis.keys('purchase:identical*')
      for (const key of keys) {
        const score = await redis.zscore(key, job.id)
        if (score !== null) return { at: Number(score), ttl: await redis.pttl(key) }
      }
      return undefined
    }

    it('is awaited from the intent until its reply, no longer than that may take', async () => {
      let during: Awaited<ReturnType<typeof awaiting>>
      const job = await begin({
        provider: { find },
        sent: async () => {
          during = await awaiting(job)
          return reply
        },
      })
      await job.run()
      assert.equal(during?.at, job.clock.now)
      assert.ok(during.ttl > 2000 && during.ttl <= 3000, String(during.ttl))
      assert.equal(await awaiting(job), undefined)
    })

    for (const outcome of [refused, { kind: 'unclear', fault: unreachable } as const]) {
      it(`is not awaited any more after a reply that is ${outcome.kind}`, async () => {
        const job = await begin({ provider: { find, accept: () => outcome } })
        await job.run()
        assert.equal(await awaiting(job), undefined)
      })
    }

    it('is not awaited if the upstream distinguishes our attempts', async () => {
      let during: Awaited<ReturnType<typeof awaiting>>
      const job = await begin({
        sent: async () => {
          during = await awaiting(job)
          return reply
        },
      })
      await job.run()
      assert.equal(during, undefined)
    })
  })

  describe('of a job that ends', () => {
    const running = async () => {
      const job = await begin()
      await job.run()
      const claimed = await harness.store.claimStep(job.id, 1)
      return { job, claimed: typeof claimed === 'object' ? claimed : assert.fail(claimed) }
    }

    for (const [code, isWatched] of [
      ['timeout', true],
      ['task_lost', true],
      ['upstream_error', false],
      ['canceled', false],
    ] as const) {
      it(`as ${code}: ${isWatched ? 'a' : 'no'} search for a late result follows`, async () => {
        const { job, claimed } = await running()
        await endJob(job.deps, claimed, fault(code, 'x'))
        assert.equal(job.effects.includes('watched late'), isWatched)
      })
    }

    it('without a task: no search for a late result follows', async () => {
      const job = await begin()
      job.clock.now += 600_001
      await job.run()
      assert.equal(await job.error(), 'timeout')
      assert.equal(job.effects.includes('watched late'), false)
    })

    it('while another step has the job: nothing is freed', async () => {
      const { job, claimed } = await running()
      await harness.store.claimStep(job.id, 1)
      assert.deepEqual(await endJob(job.deps, claimed, fault('timeout', 'x')), { kind: 'end' })
      assert.equal(await job.state(), 'queued')
      assert.deepEqual(
        job.effects.filter((effect) => /slot|late/.test(effect)),
        [],
      )
    })
  })
})
