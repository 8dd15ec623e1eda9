import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { type FaultCode, fault } from '../../../providers/faults.ts'
import type { Outcome, Provider } from '../../../providers/provider.ts'
import { createCleanup, startRedis } from '../../support/setup.ts'
import { accepted, createJobHarness, done, lost, reply, type Upstream, unclear } from '../job-harness.ts'

type FindResult = Outcome | { kind: 'absent' }
const absent: FindResult = { kind: 'absent' }
const call = (path: string) => ({ method: 'GET', path }) as const

describe('an attempt whose reply was lost', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let harness: ReturnType<typeof createJobHarness>
  before(async () => {
    redis = (await startRedis(cleanup)).redis
    harness = createJobHarness(redis, 'reconcile:')
  })
  after(() => cleanup.run())

  type TestJob = Awaited<ReturnType<typeof harness.begin>>
  const find = (findReply: FindResult = absent, safeToResend = true): Partial<Provider> => ({
    find: { call: () => call('find'), read: () => findReply, safeToResend },
  })
  /** A job whose first call got no reply. */
  async function beginLost(upstream: Upstream = {}) {
    const job: TestJob = await harness.begin({
      sent: (path) => (path === 'submit' && job.submits() === 1 ? lost : reply),
      ...upstream,
    })
    await job.run()
    return job
  }
  const waitOf = async (job: TestJob) => {
    const next = await job.run()
    return next.kind === 'wait' ? next.at - job.clock.now : assert.fail(next.kind)
  }
  const dueAt = async (job: TestJob) => Number(await redis.zscore(harness.keys.open, job.id))
  const setWork = async (job: TestJob, work: object) =>
    redis.hset(harness.keys.job(job.id), 'work', JSON.stringify({ ...(await job.work()), ...work }))

  it('with a reply in the journal is not searched for', async () => {
    const job = await beginLost()
    const lookups: string[] = []
    job.deps.journal.find = async (id) => {
      lookups.push(id)
      return { reply: accepted } as never
    }
    await job.run()
    assert.equal(await job.state(), 'queued')
    assert.deepEqual(job.calls, ['submit'])
    assert.deepEqual(lookups, [(await job.work())?.attempt?.id])
  })

  it('with the task of another job in the journal ends, too', async () => {
    const job = await beginLost({ provider: find(absent, false) })
    await redis.set(harness.keys.task('runware', `${job.id} 1`), 'another job')
    job.deps.journal.find = async () => ({ reply: accepted }) as never
    let steps = 0
    for (let next = await job.run(); next.kind === 'wait'; next = await job.run()) {
      job.clock.now = Math.max(next.at, job.clock.now)
      steps += 1
      assert.ok(steps < 100, 'it goes on and on')
    }
    assert.equal(await job.error(), 'submission_unknown')
    assert.equal(job.submits(), 1)
  })

  it('that was discarded is repeated at once, even if Redis does not have that', async () => {
    const job = await beginLost()
    const first = (await job.work())?.attempt?.id
    job.deps.journal.find = async () => 'discarded'
    assert.equal(await waitOf(job), 0)
    assert.equal(await job.state(), 'pending')
    assert.equal((await job.history()).at(-1)?.reason, 'upstream_unreachable: The attempt created no task')
    assert.deepEqual(job.calls, ['submit'])
    await job.run()
    assert.equal(job.submits(), 2)
    assert.notEqual((await job.work())?.attempt?.id, first)
  })

  it('without a reply in the journal is searched for', async () => {
    const job = await beginLost({ provider: find(accepted) })
    job.deps.journal.find = async () => ({}) as never
    await job.run()
    assert.deepEqual(job.calls, ['submit', 'find'])
  })

  it('is searched for with the files as they were sent, under the ID of the attempt', async () => {
    const seen: unknown[] = []
    const job = await beginLost({
      provider: {
        find: {
          call: (_, { input, attempt, jobId }) => {
            seen.push({ input, attempt, jobId })
            return call('find')
          },
          read: (_, { attempt }) => {
            seen.push(attempt)
            return accepted
          },
          safeToResend: true,
        },
      },
    })
    const recalled: unknown[] = []
    job.deps.inputUploader.toSentInput = async (...args) => {
      recalled.push(args.slice(1))
      return { prompt: 'as sent' }
    }
    const id = (await job.work())?.attempt?.id
    await job.run()
    assert.deepEqual(seen, [{ input: { prompt: 'as sent' }, attempt: id, jobId: job.id }, id])
    assert.deepEqual(recalled, [['runware', {}]])
  })

  it('may be running elsewhere until two seconds after its time limit', async () => {
    const job = await beginLost({ provider: find(accepted) })
    const { at = 0 } = (await job.work())?.attempt ?? {}
    await setWork(job, { misses: 0 })
    job.clock.now = at + 2999
    assert.equal(await waitOf(job), 1)
    assert.deepEqual(job.calls, ['submit'])
    assert.equal(await dueAt(job), at + 3000 + 5000)
    job.clock.now = at + 3000
    await job.run()
    assert.deepEqual(job.calls, ['submit', 'find'])
  })

  it('ends the job if the upstream reports that it rejected the attempt', async () => {
    const job = await beginLost({ provider: find({ kind: 'failed', fault: fault('rate_limited', 'no') }) })
    assert.deepEqual(await job.run(), { kind: 'end' })
    assert.equal(await job.error(), 'rate_limited')
  })

  it('stays unknown while the upstream is unreachable', async () => {
    const job = await beginLost({ sent: () => lost, provider: find(accepted) })
    assert.equal(await waitOf(job), 2000)
    assert.equal(await job.state(), 'submitting')
    assert.equal((await job.work())?.misses, 2)
  })

  describe('at an upstream without a search', () => {
    const adopt = () => undefined

    it('waits for a callback until the time for reconciliation is over', async () => {
      const job = await beginLost({
        provider: { find: undefined, adopt } as never,
        deps: { callbackUrl: () => 'https://gateway.example/hooks' },
      })
      const { at = 0 } = (await job.work())?.attempt ?? {}
      const next = await job.run()
      assert.deepEqual(next, { kind: 'wait', at: at + 20_000 + 1 })
      job.clock.now = at + 20_000
      assert.deepEqual(await job.run(), { kind: 'wait', at: at + 20_000 + 1 })
      assert.equal((await job.work())?.lastCallAt, undefined)
      job.clock.now = at + 20_001
      assert.equal(await waitOf(job), 3000)
      assert.equal((await job.work())?.lastCallAt, job.clock.now)
      assert.equal(await dueAt(job), job.clock.now + 3000 + 5000)
      job.clock.now += 3000
      assert.deepEqual(await job.run(), { kind: 'end' })
      assert.equal(await job.error(), 'submission_unknown')
    })

    for (const [what, provider, deps] of [
      [
        'that sends none',
        { find: undefined, adopt: undefined },
        { callbackUrl: () => 'https://gateway.example/hooks' },
      ],
      ['that cannot reach the gateway', { find: undefined, adopt }, {}],
    ] as const) {
      it(`does not wait for a callback ${what}`, async () => {
        const job = await beginLost({ provider: provider as never, deps })
        assert.equal(await waitOf(job), 3000)
        assert.equal((await job.work())?.lastCallAt, job.clock.now)
      })
    }
  })

  it('does not wait if the upstream was removed', async () => {
    const job = await beginLost({ deps: { callbackUrl: () => 'https://gateway.example/hooks' } })
    job.deps.routing.find = () => undefined
    assert.equal(await waitOf(job), 3000)
  })

  it('is searched for until the time for reconciliation is over, once more, and is unknown then', async () => {
    const job = await beginLost({ provider: find(absent, false) })
    const { at = 0 } = (await job.work())?.attempt ?? {}
    job.clock.now = at + 20_000
    await job.run()
    assert.equal((await job.work())?.lastCallAt, undefined)
    job.clock.now = at + 20_001
    assert.equal(await waitOf(job), 3000)
    assert.equal((await job.work())?.lastCallAt, job.clock.now)
    assert.equal(await job.state(), 'submitting')
    job.clock.now += 3000
    await job.run()
    assert.equal(await job.error(), 'submission_unknown')
    assert.deepEqual(job.calls, ['submit', 'find', 'find', 'find'])
    assert.match(
      (await job.history()).at(-1)?.reason ?? '',
      /^submission_unknown: no reply from runware to attempt [\da-f-]{36}; it may/,
    )
  })

  it('that appears at the last search counts', async () => {
    let findReply: FindResult = absent
    const job = await beginLost({
      provider: { find: { call: () => call('find'), read: () => findReply, safeToResend: false } },
    })
    job.clock.now += 20_001
    job.clock.now += await waitOf(job)
    findReply = done
    await job.run()
    assert.equal(await job.state(), 'delivering')
  })

  it('is searched for again after a search that throws', async () => {
    const job = await beginLost({
      provider: {
        find: {
          call: () => {
            throw new Error('no words')
          },
          read: () => absent,
          safeToResend: true,
        },
      },
    })
    for (let n = 0; n < 4; n++) job.clock.now += await waitOf(job)
    assert.equal(job.submits(), 1)
  })

  describe('is sent again', () => {
    /** Runs up to the second search, after which the call may be sent again. */
    async function looked(upstream: Upstream = {}) {
      const job = await beginLost(upstream)
      job.clock.now += await waitOf(job)
      assert.equal(job.submits(), 1)
      assert.equal((await job.work())?.misses, 2)
      return job
    }

    it('as the same purchase, under the same ID', async () => {
      const sent: unknown[] = []
      const attempts: string[] = []
      const job = await looked({
        provider: {
          submit: (_, { attempt, input }) => {
            attempts.push(`${attempt} ${input.prompt ?? ''}`)
            return call('submit')
          },
        },
      })
      const inline = [{ path: 'a' }]
      job.deps.inputUploader.prepare = async (...args) => {
        sent.push([args[0], args[2].provider.name, args[2].config, args[3]])
        return {
          kind: 'ready',
          input: { prompt: 'as sent' },
          uploadedLinks: {},
          inline,
          release: () => undefined,
        } as never
      }
      const { send } = job.deps.transport
      job.deps.transport.send = async (provider, config, request, options) => {
        if (request.path === 'submit') sent.push(options)
        return send(provider, config, request, options)
      }
      const id = (await job.work())?.attempt?.id
      await job.run()
      assert.deepEqual(sent, [[job.id, 'runware', { settings: {} }, {}], { purchase: true, inline }])
      assert.equal(attempts.at(-1), `${id} as sent`)
      assert.equal((await job.work())?.attempt?.id, id)
      assert.equal((await job.work())?.attempt?.again, true)
      assert.equal((await job.work())?.attempts, 1)
    })

    it('and is due again after the time limit of that call, in case the process dies', async () => {
      const job = await looked()
      let due = 0
      const { send } = job.deps.transport
      job.deps.transport.send = async (...args) => {
        due = await dueAt(job)
        return send(...args)
      }
      await job.run()
      assert.equal(due, job.clock.now + 1000 + 5000)
    })

    it('and releases its input', async () => {
      const job = await looked()
      job.effects.length = 0
      await job.run()
      assert.ok(job.effects.includes('input released'))
    })

    it('and an immediate result is delivered', async () => {
      const job = await looked({ provider: { accept: () => done } })
      await job.run()
      assert.equal(await job.state(), 'delivering')
    })

    it('at the deadline, not after it', async () => {
      for (const [lateMs, submits] of [
        [0, 2],
        [1, 1],
      ] as const) {
        const job = await looked()
        await setWork(job, { deadlineAt: job.clock.now - lateMs })
        await job.run()
        assert.equal(job.submits(), submits)
      }
    })

    it('not for a job with a requested cancel', async () => {
      const job = await looked()
      await harness.store.requestCancel(job.id)
      await job.run()
      assert.equal(job.submits(), 1)
    })

    it('not while another server has just taken over', async () => {
      const job = await looked()
      Object.assign(job.deps, { store: { ...harness.store, purchasesPausedMs: async () => 456 } })
      assert.equal(await waitOf(job), 456)
      assert.equal(job.submits(), 1)
      Object.assign(job.deps, { store: { ...harness.store, purchasesPausedMs: async () => 0 } })
      await job.run()
      assert.equal(job.submits(), 2)
    })

    it('not by a step after another one has taken over, and the input is released', async () => {
      const job = await looked()
      const { prepare } = job.deps.inputUploader
      job.deps.inputUploader.prepare = async (...args) => {
        await harness.store.claimStep(job.id, 1)
        return prepare(...args)
      }
      job.effects.length = 0
      assert.deepEqual(await job.run(), { kind: 'end' })
      assert.equal(job.submits(), 1)
      assert.deepEqual(job.effects, ['input released'])
    })

    it('not while the uploads are busy', async () => {
      const job = await looked()
      job.deps.inputUploader.prepare = async () => ({ kind: 'busy', waitMs: 789 })
      assert.equal(await waitOf(job), 789)
      assert.equal(await job.state(), 'submitting')
      assert.equal((await job.work())?.misses, 2)
    })

    it('not without its files, since the first call may have arrived', async () => {
      const job = await looked()
      job.deps.inputUploader.prepare = async () => ({
        kind: 'failed',
        fault: fault('invalid_input', 'expired'),
      })
      assert.equal(await waitOf(job), 3000)
      assert.equal(await job.state(), 'submitting')
      assert.equal(job.submits(), 1)
    })

    it('and a rejected input ends the job, since the first call was rejected too', async () => {
      const job = await looked({
        provider: { accept: () => ({ kind: 'failed', fault: fault('content_policy', 'no') }) },
      })
      assert.deepEqual(await job.run(), { kind: 'end' })
      assert.equal(await job.error(), 'content_policy')
    })

    const stay = (outcome: Outcome): Upstream => ({ provider: { accept: () => outcome } })
    const rejection = (code: FaultCode): Outcome => ({ kind: 'failed', fault: fault(code, 'no') })
    const policy = fault('content_policy', 'no')
    for (const [what, upstream] of [
      ['a rejection for missing credit', stay(rejection('no_credit'))],
      ['a busy upstream', stay(rejection('rate_limited'))],
      ['an unclear reply', stay(unclear)],
      ['an unclear reply that speaks of the input', stay({ kind: 'unclear', fault: policy })],
      ['a second lost reply', { sent: (path: string) => (path === 'submit' ? lost : reply) }],
    ] as const) {
      it(`and ${what} does not decide about the first call`, async () => {
        const job = await looked(upstream)
        assert.equal(await waitOf(job), 3000)
        assert.equal(await job.state(), 'submitting')
        assert.equal((await job.work())?.misses, 3)
        assert.deepEqual((await job.work())?.route, ['runware', 'fal'])
      })
    }
  })

  it('is not sent again while the reply of the upstream is unclear', async () => {
    const job = await beginLost({ provider: find(unclear) })
    for (let n = 0; n < 4; n++) job.clock.now += await waitOf(job)
    assert.equal(job.submits(), 1)
  })
})
