import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { type FaultCode, fault } from '../../../providers/faults.ts'
import type { Outcome, Provider } from '../../../providers/provider.ts'
import { pollForLateResult } from '../../../src/jobs/steps/late-result.ts'
import { createCleanup, startRedis } from '../../support/setup.ts'
import { createJobHarness, done, lost, reply, type Upstream, unclear } from '../job-harness.ts'

const running = (changes: Partial<Outcome & { kind: 'running' }> = {}): Outcome => ({
  kind: 'running',
  ticket: { task: 1 },
  stage: 'processing',
  ...changes,
})
const denied: Outcome = { kind: 'unclear', fault: fault('task_lost', 'no such task') }

describe('a poll', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let harness: ReturnType<typeof createJobHarness>
  before(async () => {
    redis = (await startRedis(cleanup)).redis
    harness = createJobHarness(redis, 'poll:')
  })
  after(() => cleanup.run())

  type TestJob = Awaited<ReturnType<typeof harness.begin>>
  /** A purchased job; each poll gets the next outcome; the last one repeats. */
  async function begin(outcomes: Outcome[], provider: Partial<Provider> = {}, more: Upstream = {}) {
    const job = await harness.begin({
      provider: {
        read: () => (outcomes.length > 1 ? outcomes.shift() : outcomes[0]) ?? assert.fail(),
        ...provider,
      },
      ...more,
    })
    await job.run()
    return job
  }
  const waitOf = async (job: TestJob) => {
    const next = await job.run()
    return next.kind === 'wait' ? next.at - job.clock.now : assert.fail(next.kind)
  }
  const dueAt = async (job: TestJob) => Number(await redis.zscore(harness.keys.open, job.id))
  const view = async (job: TestJob) => (await harness.store.readStatus(job.id))?.view ?? assert.fail()
  const setWork = async (job: TestJob, work: object) =>
    redis.hset(harness.keys.job(job.id), 'work', JSON.stringify({ ...(await job.work()), ...work }))
  const cancel = { cancel: () => ({ method: 'PUT', path: 'cancel' }) as const }
  const renders = (usualMs: number): Upstream => ({
    deps: {
      renderTimes: { estimateMs: async () => usualMs, addMeasurement: async () => undefined } as never,
    },
  })

  it('calls the upstream with its settings', async () => {
    const job = await begin([running()])
    const sent: unknown[] = []
    const { send } = job.deps.transport
    job.deps.transport.send = async (...args) => {
      sent.push([args[1], args[2], args[3]])
      return send(...args)
    }
    await job.run()
    assert.deepEqual(sent, [[{ settings: {} }, { method: 'GET', path: 'poll ' }, undefined]])
  })

  it('estimates when the video is expected from how long the task has run', async () => {
    const job = await begin([running()], {}, renders(10_000))
    job.clock.now += 4000
    await job.run()
    assert.equal((await view(job)).expectedAt, job.clock.now + 6000)
    job.clock.now += 20_000
    await job.run()
    assert.equal((await view(job)).expectedAt, job.clock.now)
  })

  it('is repeated when the video is likely, and is due then', async () => {
    const job = await begin([running()], {}, renders(10_000))
    job.clock.now += 4000
    const ms = await waitOf(job)
    assert.equal(ms, (8500 - 4000) * 0.9)
    assert.equal(await dueAt(job), job.clock.now + ms + 5000)
    assert.equal((await job.work())?.polls, 1)
  })

  it('counts from the creation of a job if the time of its acceptance is unknown', async () => {
    const job = await begin([running()], {}, renders(10_000))
    await setWork(job, { takenAt: undefined })
    job.clock.now += 4000
    await job.run()
    assert.equal((await view(job)).expectedAt, job.clock.now + 6000)
  })

  it('does not go back in time if the clock is behind', async () => {
    const job = await begin([running()], {}, renders(10_000))
    await setWork(job, { takenAt: job.clock.now + 60_000 })
    await job.run()
    assert.equal((await view(job)).expectedAt, job.clock.now + 10_000)
  })

  it('keeps a reported progress of 0', async () => {
    const job = await begin([running({ progress: 0 })])
    job.clock.now += 5000
    await job.run()
    assert.equal((await view(job)).progress, 0)
  })

  it('that throws returns no result', async () => {
    const job = await begin([running()], {
      read: () => {
        throw new TypeError('an unexpected body')
      },
    })
    assert.equal(await waitOf(job), 1000)
    assert.equal((await job.work())?.misses, 1)
  })

  it('without a reply returns no result', async () => {
    const job = await begin([done], {}, { sent: (path) => (path === 'submit' ? reply : lost) })
    assert.equal(await waitOf(job), 1000)
    assert.equal(await job.state(), 'queued')
    const work = await job.work()
    assert.deepEqual([work?.polls, work?.misses], [1, 1])
  })

  it('continues with the ticket of its last reply, unless that did not change', async () => {
    const job = await begin([running({ now: true })])
    await job.run()
    assert.deepEqual(job.calls, ['submit', 'poll '])
    const turned = await begin([
      running({ ticket: { task: 1, phase: 'a' } }),
      running({ ticket: { task: 1, phase: 'b' } }),
    ])
    await turned.run()
    assert.deepEqual(turned.calls, ['submit', 'poll '])
    await turned.run()
    assert.deepEqual(turned.calls, ['submit', 'poll ', 'poll a'])
  })

  it('that finds the video queues its delivery', async () => {
    const job = await begin([unclear, done])
    await job.run()
    assert.equal((await job.work())?.misses, 1)
    await job.run()
    assert.equal(await redis.exists(`${harness.keys.queuePrefix('delivery')}${job.id}`), 1)
    const work = await job.work()
    assert.deepEqual([work?.misses, work?.polls, work?.deliveringAt], [0, 2, job.clock.now])
    assert.equal(work && 'upstreamCostUsd' in work, false)
  })

  it('records no negative render time, and none if the start of the task is unknown', async () => {
    const ahead = await begin([done])
    await setWork(ahead, { takenAt: ahead.clock.now + 5000 })
    await ahead.run()
    assert.ok(ahead.effects.includes('learned 0'))
    const unknown = await begin([done])
    await setWork(unknown, { takenAt: undefined })
    await unknown.run()
    assert.equal(
      unknown.effects.some((effect) => effect.startsWith('learned')),
      false,
    )
    assert.equal(await unknown.state(), 'delivering')
  })

  it('at the deadline does not end the job, after it does', async () => {
    const job = await begin([running()])
    job.clock.now = (await job.work())?.deadlineAt ?? 0
    assert.equal((await job.run()).kind, 'wait')
    job.clock.now += 1
    await job.run()
    assert.equal(await job.error(), 'timeout')
  })

  it('without a result is repeated right after the deadline at the latest', async () => {
    const job = await begin([unclear])
    const deadlineAt = (await job.work())?.deadlineAt ?? 0
    job.clock.now = deadlineAt - 500
    assert.equal(await waitOf(job), 501)
    assert.equal(await dueAt(job), deadlineAt + 1 + 5000)
  })

  describe('for a job with a requested cancel', () => {
    it('sends the cancel with the task, and continues as before', async () => {
      const tickets: unknown[] = []
      const job = await begin([running()], {
        cancel: (ticket) => {
          tickets.push(ticket)
          return { method: 'PUT', path: 'cancel' }
        },
      })
      await harness.store.requestCancel(job.id)
      await job.run()
      assert.deepEqual(tickets, [{ task: 1 }])
      assert.deepEqual(job.calls, ['submit', 'cancel', 'poll '])
      assert.equal((await job.work())?.cancelSentAt, job.clock.now)
    })

    it('ends a task that failed afterwards as canceled', async () => {
      const job = await begin([{ kind: 'failed', fault: fault('upstream_error', 'stopped') }], cancel)
      await harness.store.requestCancel(job.id)
      await job.run()
      assert.equal(await job.error(), 'canceled')
    })

    it('ends a job whose upstream was removed', async () => {
      const job = await begin([running()], cancel)
      await harness.store.requestCancel(job.id)
      job.deps.routing.find = () => undefined
      await job.run()
      assert.equal(await job.error(), 'canceled')
      assert.deepEqual(job.calls, ['submit'])
    })

    for (const code of ['task_lost', 'endpoint_gone'] as const) {
      it(`treats "${code}" as canceled`, async () => {
        const job = await begin([{ kind: 'unclear', fault: fault(code, '?') }], cancel)
        await harness.store.requestCancel(job.id)
        await job.run()
        assert.equal(await job.error(), 'canceled')
      })
    }

    it('does not treat a missing reply as canceled', async () => {
      const job = await begin([unclear], cancel)
      await harness.store.requestCancel(job.id)
      await job.run()
      assert.equal(await job.state(), 'queued')
    })
  })

  describe('that gets "no such task"', () => {
    const long: Upstream = { work: { deadlineAt: Date.now() + 7_200_000 } }

    it('records since when, until another reply', async () => {
      const job = await begin([denied, denied, unclear, denied, running()], {}, long)
      const first = job.clock.now
      job.clock.now += await waitOf(job)
      assert.equal((await job.work())?.deniedSince, first)
      job.clock.now += await waitOf(job)
      let work = await job.work()
      assert.deepEqual([work?.denials, work?.deniedSince, work?.misses], [2, first, 2])
      job.clock.now += await waitOf(job)
      assert.equal((await job.work())?.denials, 0)
      const again = job.clock.now
      job.clock.now += await waitOf(job)
      work = await job.work()
      assert.deepEqual([work?.denials, work?.deniedSince, work?.polls], [1, again, 4])
      await job.run()
      work = await job.work()
      assert.deepEqual([work?.denials, work?.misses, work?.polls], [0, 0, 5])
    })

    for (const [denials, sinceMs, isLost] of [
      [6, 600_000, true],
      [5, 600_000, false],
      [6, 599_999, false],
    ] as const) {
      it(`${denials} times over ${sinceMs} ms ${isLost ? 'ends the job' : 'is no end'}`, async () => {
        const job = await begin([denied], {}, long)
        await setWork(job, { denials: denials - 1, deniedSince: job.clock.now - sinceMs })
        await job.run()
        assert.equal(await job.error(), isLost ? 'task_lost' : undefined)
      })
    }

    it('does not end the job after another reply without a result', async () => {
      const job = await begin([unclear], {}, long)
      await setWork(job, { denials: 20, deniedSince: job.clock.now - 7_000_000 })
      await job.run()
      assert.equal(await job.state(), 'queued')
    })

    it('counts a task that the upstream reports as lost', async () => {
      const job = await begin([{ kind: 'failed', fault: fault('task_lost', '?') }], {}, long)
      await job.run()
      assert.equal(await job.state(), 'queued')
      assert.equal((await job.work())?.denials, 1)
    })
  })

  describe('for a late result', () => {
    async function beginLatePoll(outcome: Outcome, provider: Partial<Provider> = {}) {
      const outcomes = [running(), outcome]
      const job = await begin(outcomes, provider)
      job.clock.now = ((await job.work())?.deadlineAt ?? 0) + 1
      await job.run()
      assert.equal(await job.error(), 'timeout')
      return job
    }
    const failed = (code: FaultCode): Outcome => ({ kind: 'failed', fault: fault(code, '?') })

    it('records it with the time, the upstream and the link', async () => {
      const job = await beginLatePoll(done)
      job.clock.now += 60_000
      await pollForLateResult(job.deps, job.id)
      assert.deepEqual(await harness.store.readNotes(job.id), [
        {
          at: job.clock.now,
          kind: 'late_result',
          provider: 'runware',
          text: 'https://files.example/a.mp4',
        },
      ])
    })

    for (const [lateMs, kind] of [
      [3_600_000, 'wait'],
      [3_600_001, 'end'],
    ] as const) {
      it(`${lateMs} ms after the deadline: ${kind}`, async () => {
        const job = await beginLatePoll(running())
        job.clock.now = ((await job.work())?.deadlineAt ?? 0) + lateMs
        assert.equal((await pollForLateResult(job.deps, job.id)).kind, kind)
      })
    }

    for (const [outcome, kind] of [
      [failed('upstream_error'), 'end'],
      [failed('task_lost'), 'wait'],
      [unclear, 'wait'],
      [{ kind: 'unclear', fault: fault('upstream_error', '?') } as Outcome, 'wait'],
    ] as const) {
      it(`of a task that is ${outcome.kind} (${'fault' in outcome && outcome.fault.code}): ${kind}`, async () => {
        const job = await beginLatePoll(outcome)
        assert.equal((await pollForLateResult(job.deps, job.id)).kind, kind)
        assert.deepEqual(await harness.store.readNotes(job.id), [])
      })
    }

    it('makes no call for a job that an operator has resumed', async () => {
      const job = await beginLatePoll(done)
      const { error: _, ...resumed } = await view(job)
      await redis.hset(harness.keys.job(job.id), {
        state: 'processing',
        view: JSON.stringify({ ...resumed, state: 'processing' }),
      })
      const calls = job.calls.length
      assert.deepEqual(await pollForLateResult(job.deps, job.id), { kind: 'end' })
      assert.equal(job.calls.length, calls)
    })

    for (const missing of ['ticket', 'attempt', 'deadlineAt']) {
      it(`makes no call if the record has no ${missing}`, async () => {
        const job = await beginLatePoll(done)
        await setWork(job, { [missing]: undefined })
        const calls = job.calls.length
        assert.deepEqual(await pollForLateResult(job.deps, job.id), { kind: 'end' })
        assert.equal(job.calls.length, calls)
      })
    }
  })
})
