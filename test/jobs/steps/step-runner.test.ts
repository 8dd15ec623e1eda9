import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { DelayedError } from 'bullmq'
import type { StepDeps } from '../../../src/jobs/steps/deps.ts'
import { createStepRunner } from '../../../src/jobs/steps/step-runner.ts'
import { createCleanup, startRedis } from '../../support/setup.ts'
import { createJobHarness, refused, type Upstream } from '../job-harness.ts'

describe('the run of a queue entry', () => {
  const cleanup = createCleanup()
  let harness: ReturnType<typeof createJobHarness>
  before(async () => {
    harness = createJobHarness((await startRedis(cleanup)).redis, 'runner:')
  })
  after(() => cleanup.run())

  /** The machine's clock is an hour ahead of that of Redis. */
  const skewMs = 3_600_000

  async function begin(upstream: Upstream = {}) {
    const job = await harness.begin(upstream)
    const done: unknown[] = []
    const run = createStepRunner(job.deps, {
      queues: { add: async (queue, id) => void done.push(['added', queue, id]) },
      clock: { now: () => job.clock.now, toWallClock: (time) => time + skewMs },
    })
    const entryOf = (id: string, ageMs = 0) => ({
      data: { id },
      timestamp: job.clock.now - ageMs,
      moveToDelayed: async (at: number, token?: string) =>
        void done.push(['delayed', at - skewMs - job.clock.now, token]),
      promote: async () => void done.push(['promoted']),
    })
    return { job, done, run, entryOf }
  }

  it('waits for the next step, by the clock that BullMQ reads', async () => {
    const { job, done, run, entryOf } = await begin()
    await assert.rejects(run('runware', entryOf(job.id), 'token'), DelayedError)
    assert.deepEqual(done, [['delayed', 1000, 'token']])
    assert.equal(await job.state(), 'queued')
  })

  it('does not wait if the next step was requested meanwhile', async () => {
    const { job, done, run, entryOf } = await begin({
      sent: async () => {
        await harness.store.requestCancel(job.id)
        return { kind: 'reply', reply: { status: 200, headers: {}, body: {}, baseUrl: '' } }
      },
    })
    await assert.rejects(run('runware', entryOf(job.id)), DelayedError)
    assert.deepEqual(done, [['delayed', 1000, undefined], ['promoted']])
  })

  it('promotes nothing that is due by itself', async () => {
    const { job, done, run, entryOf } = await begin({
      provider: { accept: () => ({ kind: 'running', ticket: { task: 1 }, stage: 'queued', now: true }) },
      sent: async () => {
        await harness.store.requestCancel(job.id)
        return { kind: 'reply', reply: { status: 200, headers: {}, body: {}, baseUrl: '' } }
      },
    })
    await assert.rejects(run('runware', entryOf(job.id)), DelayedError)
    assert.deepEqual(done, [['delayed', 0, undefined]])
  })

  it('continues in the queue of the next upstream', async () => {
    const { job, done, run, entryOf } = await begin({ provider: { accept: () => refused } })
    await run('runware', entryOf(job.id))
    assert.deepEqual(done, [['added', 'fal', job.id]])
  })

  it('ends with the job', async () => {
    const { job, done, run, entryOf } = await begin()
    await harness.store.requestCancel(job.id)
    await run('runware', entryOf(job.id))
    assert.deepEqual(done, [])
    assert.equal(await job.state(), 'canceled')
  })

  it('that throws is repeated two seconds later', async () => {
    const { job, done, run, entryOf } = await begin({
      provider: {
        submit: () => {
          throw new TypeError('a bug')
        },
      },
    })
    await assert.rejects(run('runware', entryOf(job.id)), DelayedError)
    assert.deepEqual(done, [['delayed', 2000, undefined]])
  })

  it('waits up to ten seconds for a record that is not visible yet', async () => {
    const { done, run, entryOf } = await begin()
    await assert.rejects(run('runware', entryOf('unseen', 9999)), DelayedError)
    assert.deepEqual(done, [['delayed', 300, undefined]])
    await run('runware', entryOf('unseen', 10_000))
    assert.equal(done.length, 1)
  })

  it('searches for a late result in the queue for it', async () => {
    const { job, done, run, entryOf } = await begin()
    await job.run()
    job.clock.now += 600_001
    await job.run()
    await assert.rejects(run('late', entryOf(job.id)), DelayedError)
    assert.deepEqual(done, [['delayed', 60_000, undefined]])
    assert.equal(await job.error(), 'timeout')
  })

  it('sends the webhook in the queue for it', async () => {
    const sent: string[] = []
    const tellEnd: StepDeps['deliverWebhook'] = async (id) => {
      sent.push(id)
      return { kind: 'end' }
    }
    const { job, run, entryOf } = await begin({ deps: { deliverWebhook: tellEnd } })
    await run('webhook', entryOf(job.id))
    assert.deepEqual(sent, [job.id])
    assert.deepEqual(job.calls, [])
  })
})
