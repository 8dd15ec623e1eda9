import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { DelayedError } from 'bullmq'
import type { Redis } from 'ioredis'
import type { Outcome } from '../../providers/provider.ts'
import { createCallbackReceiver } from '../../src/jobs/callbacks.ts'
import type { Queues } from '../../src/jobs/queues.ts'
import { createStepRunner } from '../../src/jobs/steps/step-runner.ts'
import { createCleanup, startRedis } from '../support/setup.ts'
import { createJobHarness, done, lost, reply, type Upstream } from './job-harness.ts'

const running: Outcome = { kind: 'running', ticket: { task: 1 }, stage: 'processing' }
/** Its polls are 20 s apart, so that an earlier poll was requested. */
const slow: Upstream = {
  provider: { read: () => running },
  deps: {
    maxPollIntervalMs: 20_000,
    renderTimes: { estimateMs: async () => 1_000_000, addMeasurement: async () => undefined } as never,
  },
}

describe('the poll interval', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let harness: ReturnType<typeof createJobHarness>
  before(async () => {
    redis = (await startRedis(cleanup)).redis
    harness = createJobHarness(redis, 'interval:', 1000)
  })
  after(() => cleanup.run())

  /** A job, its one queue entry, and several workers that take it when it is due, on virtual time. */
  async function begin(upstream: Upstream = slow) {
    const job = await harness.begin(upstream)
    const calls: { path: string; at: number }[] = []
    const { send } = job.deps.transport
    job.deps.transport.send = (...args) => {
      calls.push({ path: args[2].path.trim(), at: job.clock.now })
      return send(...args)
    }
    let dueAt = 0
    let steps = 0
    const queues = {
      bringForward: async () => {
        dueAt = Math.min(dueAt, job.clock.now)
      },
    } as unknown as Queues
    const callback = createCallbackReceiver({
      now: () => job.clock.now,
      store: harness.store,
      queues,
      routing: job.deps.routing,
      upstreams: job.deps.upstreams,
    })
    const runner = createStepRunner(job.deps, {
      queues: { add: async () => undefined },
      clock: { now: () => job.clock.now, toWallClock: (time) => time },
    })
    const entry = {
      data: { id: job.id },
      timestamp: job.clock.now,
      moveToDelayed: async (at: number) => {
        dueAt = at
      },
      promote: async () => {
        dueAt = job.clock.now
      },
    }
    async function work(): Promise<void> {
      for (let tries = 0; dueAt <= job.clock.now; tries += 1) {
        if (tries > 5) assert.fail('it goes round and round')
        dueAt = Number.POSITIVE_INFINITY
        steps += 1
        const state = await job.state()
        await runner(state === 'delivering' ? 'delivery' : 'runware', entry).catch((cause: unknown) => {
          if (!(cause instanceof DelayedError)) throw cause
        })
      }
    }
    await work()
    calls.length = 0
    return {
      job,
      calls,
      callback: () => callback(job.id, 'secret', {}),
      cancel: async () => {
        if ((await harness.store.requestCancel(job.id)) === 'asked')
          await queues.bringForward('runware', job.id)
      },
      work,
      steps: () => steps,
      bringForward: () => queues.bringForward('runware', job.id),
      paths: (path: string) => calls.filter((call) => call.path === path),
      /** Repeats an event at a rate for a time. */
      async flood(what: () => Promise<unknown>, perSecond: number, seconds: number) {
        for (let count = 0; count < perSecond * seconds; count += 1) {
          await what()
          await work()
          job.clock.now += Math.round(1000 / perSecond)
        }
      },
    }
  }

  it('the first callback is followed by a poll at once', async () => {
    const { calls, callback, work, job } = await begin()
    job.clock.now += 5000
    await callback()
    await work()
    assert.deepEqual(calls, [{ path: 'poll', at: job.clock.now }])
  })

  it('also right after a scheduled poll', async () => {
    const { calls, callback, work, job, bringForward } = await begin()
    job.clock.now += 5000
    await bringForward()
    await work()
    job.clock.now += 100
    await callback()
    await work()
    assert.equal(calls.length, 2)
  })

  it('27 callbacks per second for 10 s cause at most 11 polls', async () => {
    const { paths, callback, flood, steps, job } = await begin()
    job.clock.now += 5000
    const before = steps()
    await flood(callback, 27, 10)
    const polls = paths('poll')
    assert.ok(polls.length >= 9 && polls.length <= 11, `${polls.length} polls`)
    const gaps = polls.slice(1).map(({ at }, index) => at - (polls[index]?.at ?? 0))
    assert.ok(Math.min(...gaps) >= 1000, `polls ${Math.min(...gaps)} ms apart`)
    assert.ok(steps() - before <= 2 * polls.length + 1, `${steps() - before} steps`)
  })

  it('the second of two callbacks is followed by a poll after the interval', async () => {
    const { calls, callback, work, job } = await begin()
    job.clock.now += 5000
    const first = job.clock.now
    for (const at of [0, 200, 300, 999, 1000, 1100, 3000]) {
      job.clock.now = first + at
      if (at < 999) await callback()
      await work()
    }
    assert.deepEqual(
      calls.map(({ at }) => at - first),
      [0, 1000],
    )
  })

  it('most of many callbacks write nothing', async () => {
    const { callback, work, job } = await begin()
    job.clock.now += 5000
    await callback()
    await work()
    await callback()
    await work()
    const before = await redis.dumpBuffer(harness.keys.job(job.id))
    for (let count = 0; count < 20; count += 1) await callback()
    assert.deepEqual(await redis.dumpBuffer(harness.keys.job(job.id)), before)
  })

  it('a callback of a job that has ended writes nothing and queues nothing', async () => {
    const { callback, cancel, work, job, steps } = await begin({
      ...slow,
      provider: { read: () => ({ kind: 'failed', fault: { code: 'no_result', message: 'none' } }) },
    })
    await cancel()
    await work()
    assert.equal(await job.state(), 'canceled')
    const [before, ran] = [await redis.dumpBuffer(harness.keys.job(job.id)), steps()]
    assert.equal(await callback(), true)
    await work()
    assert.deepEqual(await redis.dumpBuffer(harness.keys.job(job.id)), before)
    assert.equal(steps(), ran)
  })

  it('a callback for a job that no upstream has does not bring an attempt forward', async () => {
    const { callback, work, job, paths } = await begin({
      provider: { accept: () => ({ kind: 'failed', fault: { code: 'rate_limited', message: 'later' } }) },
    })
    assert.equal(await job.state(), 'pending')
    await callback()
    await work()
    assert.equal(paths('submit').length, 0)
  })

  it('a cancel reaches the upstream at once, and repeated ones cause no polls beyond the interval', async () => {
    const cancel = { cancel: () => ({ method: 'PUT', path: 'cancel' }) as const }
    const upstream = { ...slow, provider: { read: () => running, ...cancel } }
    const { callback, cancel: askToCancel, paths, flood, job, work } = await begin(upstream)
    job.clock.now += 5000
    await callback()
    await work()
    await callback()
    await work()
    await askToCancel()
    await work()
    assert.deepEqual(paths('cancel'), [{ path: 'cancel', at: job.clock.now }])
    job.clock.now += 10
    await flood(askToCancel, 27, 5)
    assert.equal(paths('cancel').length, 1)
    assert.ok(paths('poll').length <= 8, `${paths('poll').length} polls`)
  })

  it('many callbacks during the search for a submit cause one search per interval', async () => {
    const { callback, flood, paths, job } = await begin({
      sent: (path) => (path === 'submit' ? lost : reply),
      provider: {
        find: {
          call: () => ({ method: 'GET', path: 'find' }),
          read: () => ({ kind: 'absent' }),
          safeToResend: false,
        },
      },
    })
    assert.equal(await job.state(), 'submitting')
    job.clock.now += 5000
    await flood(callback, 27, 5)
    assert.ok(paths('find').length <= 7, `${paths('find').length} looks`)
  })

  it('a video is fetched without waiting after a second callback', async () => {
    const outcomes = [running, done]
    const fetched: number[] = []
    const { callback, work, job, bringForward } = await begin({
      ...slow,
      provider: { read: () => outcomes.shift() ?? done },
      deps: {
        ...slow.deps,
        storeResults: async () => {
          fetched.push(job.clock.now)
          return [{ url: '/files/a.mp4' }]
        },
        deliveryLimits: { timeoutMs: 60_000, graceMs: 60_000, storageRetryMs: 60_000 },
        isCancelRequested: async () => false,
        measureVideoSeconds: async () => undefined,
      } as unknown as NonNullable<Upstream['deps']>,
    })
    job.clock.now += 5000
    await callback()
    await work()
    await callback()
    job.clock.now += 1000
    await work()
    await bringForward()
    assert.equal(await job.state(), 'delivering')
    await callback()
    await callback()
    await work()
    assert.deepEqual(fetched, [job.clock.now])
  })
})
