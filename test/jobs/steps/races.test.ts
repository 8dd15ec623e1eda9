import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { fault } from '../../../providers/faults.ts'
import type { Outcome, Provider } from '../../../providers/provider.ts'
import { pollForLateResult } from '../../../src/jobs/steps/late-result.ts'
import type { JobStore } from '../../../src/jobs/store/store.ts'
import type { Keys } from '../../../src/redis/keys.ts'
import type { CallResult } from '../../../src/upstreams/transport.ts'
import { createCleanup, startRedis } from '../../support/setup.ts'
import { createJobHarness, done, lost, model, refused, reply, unclear } from '../job-harness.ts'

/** Steps of two processes overlap, or a step is rejected: one record, a manual clock, an upstream by the test. */
describe('races and edge cases of a step', () => {
  const cleanup = createCleanup()
  let redis: Awaited<ReturnType<typeof startRedis>>['redis']
  let keys: Keys
  let store: JobStore
  let begin: ReturnType<typeof createJobHarness>['begin']

  before(async () => {
    redis = (await startRedis(cleanup)).redis
    ;({ keys, store, begin } = createJobHarness(redis, 'races:'))
  })
  after(() => cleanup.run())

  it('a rejection of the first call during its repetition does not move the job to another upstream', async () => {
    let sendFirstReply = (): void => undefined
    const firstReply = new Promise<CallResult>((resolve) => {
      sendFirstReply = () => resolve({ kind: 'unsent', fault: fault('upstream_unreachable', 'refused') })
    })
    let submits = 0
    let first: Promise<unknown> = Promise.resolve()
    const job = await begin({
      sent: async (path) => {
        if (path !== 'submit') return reply
        submits += 1
        if (submits === 1) return firstReply
        job.clock.now = began
        sendFirstReply()
        await first
        job.clock.now = then
        return reply
      },
    })
    const began = job.clock.now
    first = job.run()
    while (submits === 0) await new Promise((resolve) => setImmediate(resolve))
    let then = began
    while (submits < 2) {
      const next = await job.run()
      assert.equal(next.kind, 'wait')
      if (next.kind === 'wait') then = job.clock.now = next.at
    }
    assert.equal(await job.state(), 'queued')
    assert.deepEqual((await job.work())?.route, ['runware', 'fal'])
  })

  it('a rejection of the repeated call does not move the job to another upstream', async () => {
    let submits = 0
    const job = await begin({
      sent: (path) => (path === 'submit' && ++submits === 1 ? lost : reply),
      provider: { accept: () => refused },
    })
    await job.runAll()
    assert.ok(submits > 1)
    assert.equal(await job.error(), 'submission_unknown')
  })

  it('a reply counts even if the Redis that took over never had the intent', async () => {
    const job = await begin({
      sent: async () => {
        await redis.hset(keys.job(job.id), { state: 'pending', attempt: '' })
        return reply
      },
    })
    await job.run()
    assert.equal(await job.state(), 'queued')
  })

  it('a reply after the end records the task for the operator, and changes nothing else', async () => {
    const job = await begin({
      sent: async (path) => {
        if (path !== 'submit') return reply
        await redis.hset(keys.job(job.id), { state: 'failed' })
        return reply
      },
    })
    await job.run()
    assert.equal(await redis.hget(keys.job(job.id), 'state'), 'failed')
    assert.deepEqual(
      (await store.readNotes(job.id)).map(({ kind, text }) => [kind, text]),
      [['late_reply', `${job.id} 1`]],
    )
  })

  it('a reply that is written twice is not a late reply', async () => {
    const job = await begin({})
    const { writeReply: writeAnswer } = store
    const twice = async (...args: Parameters<typeof writeAnswer>) => {
      await writeAnswer(...args)
      return writeAnswer(...args)
    }
    Object.assign(job.deps, { store: { ...store, writeAnswer: twice } })
    await job.run()
    assert.equal(await job.state(), 'queued')
    assert.deepEqual(await store.readNotes(job.id), [])
  })

  it('a job with a lost reply that cannot be searched for ends', async () => {
    const breaks = () => assert.fail('an unexpected body')
    const job = await begin({
      sent: () => lost,
      provider: { find: { call: breaks, read: () => unclear, safeToResend: false } },
    })
    await job.runAll()
    assert.equal(await job.error(), 'submission_unknown')
  })

  it('an upstream that no longer has the model is skipped', async () => {
    const job = await begin({ offered: false })
    assert.deepEqual(await job.run(), { kind: 'move', queue: 'fal' })
    assert.deepEqual(job.calls, [])

    const lostJob = await begin({ sent: () => lost })
    await lostJob.run()
    lostJob.deps.routing.find = () => undefined
    await lostJob.runAll()
    assert.equal(await lostJob.error(), 'submission_unknown')
  })

  it('a call that cannot be built leaves no intent', async () => {
    const job = await begin({ provider: { submit: () => assert.fail('no words for it') } })
    await assert.rejects(job.run())
    assert.equal(await job.state(), 'pending')
    assert.deepEqual(job.calls, [])
  })

  it('Retry-After does not keep a job beyond its deadline', async () => {
    const after = { ...fault('rate_limited', 'come back'), retryAfterMs: 1e12 }
    const job = await begin({ provider: { accept: () => ({ kind: 'failed', fault: after }) } })
    assert.deepEqual(await job.run(), { kind: 'move', queue: 'fal' })

    const running = await begin({ provider: { read: () => ({ kind: 'unclear', fault: after }) } })
    await running.runAll()
    assert.equal(await running.error(), 'timeout')
  })

  it('a job that was queued for long does not end at its first rejection', async () => {
    const busy = fault('rate_limited', 'busy')
    const job = await begin({ provider: { accept: () => ({ kind: 'failed', fault: busy }) } })
    await redis.hset(
      keys.job(job.id),
      'work',
      JSON.stringify({ ...(await job.work()), route: ['runware'], deadlineAt: job.clock.now + 7_200_000 }),
    )
    job.clock.now += 3_600_000
    assert.equal((await job.run()).kind, 'wait')
    assert.equal(await job.state(), 'pending')
    await job.runAll()
    assert.equal(await job.error(), 'rate_limited')
  })

  it('one "unknown" after a long outage does not lose a task', async () => {
    const outcomes: Outcome[] = [
      ...Array<Outcome>(20).fill(unclear),
      { kind: 'unclear', fault: fault('task_lost', '?') },
    ]
    const job = await begin({ provider: { read: () => outcomes.shift() ?? done } })
    await job.runAll()
    assert.equal(await job.state(), 'delivering')
  })

  it('a result that finished between polls is fetched after the deadline', async () => {
    const job = await begin({ provider: { read: () => done } })
    await job.run()
    job.clock.now += 3_600_000
    await job.run()
    assert.equal(await job.state(), 'delivering')
  })

  it('a canceled job ends soon, even if its upstream does not reply', async () => {
    const job = await begin({ provider: { cancel: () => ({ method: 'PUT', path: 'cancel' }) } })
    await job.run()
    const began = job.clock.now
    await store.requestCancel(job.id)
    await job.runAll()
    assert.equal(await job.error(), 'canceled')
    assert.ok(job.clock.now - began < 120_000, `${job.clock.now - began} ms`)
  })

  it('a late success that takes two calls to read is recorded', async () => {
    const done: Outcome = { kind: 'done', videos: [{ url: 'https://files.example/late.mp4' }] }
    const turned: Outcome = {
      kind: 'running',
      ticket: { task: 1, phase: 'result' },
      stage: 'queued',
      now: true,
    }
    const read: Provider['read'] = (_, { phase }) => (phase === 'result' ? done : turned)
    const job = await begin({ provider: {} })
    await job.runAll()
    assert.equal(await job.error(), 'timeout')
    const endpoint = job.deps.routing.find({ id: model }, 'runware')
    assert.ok(endpoint)
    endpoint.provider.read = read
    assert.deepEqual(await pollForLateResult(job.deps, job.id), { kind: 'end' })
    assert.deepEqual(
      (await store.readNotes(job.id)).map(({ kind, text }) => [kind, text]),
      [['late_result', 'https://files.example/late.mp4']],
    )
  })
})
