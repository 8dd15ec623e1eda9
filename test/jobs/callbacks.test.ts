import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import type { Provider, TaskReference } from '../../providers/provider.ts'
import { createCallbackReceiver } from '../../src/jobs/callbacks.ts'
import type { Queues } from '../../src/jobs/queues.ts'
import { createCleanup, startRedis } from '../support/setup.ts'
import { createJobHarness, done, lost, type Upstream } from './job-harness.ts'

describe('a callback of an upstream', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let harness: ReturnType<typeof createJobHarness>
  before(async () => {
    redis = (await startRedis(cleanup)).redis
    harness = createJobHarness(redis, 'hint:')
  })
  after(() => cleanup.run())

  async function begin(upstream: Upstream = {}) {
    const job = await harness.begin(upstream)
    const forwarded: string[] = []
    const callback = createCallbackReceiver({
      now: () => job.clock.now,
      store: harness.store,
      queues: {
        bringForward: async (queue: string, id: string) => void forwarded.push(`${queue} ${id}`),
      } as unknown as Queues,
      routing: job.deps.routing,
      upstreams: job.deps.upstreams,
    })
    return { job, forwarded, callback }
  }
  /** A job whose reply was lost, at an upstream whose callbacks name the task. */
  const beginLost = async (provider: Partial<Provider> = {}) => {
    const job = await begin({ sent: () => lost, provider: { adopt: () => ({ task: 9 }), ...provider } })
    await job.job.run()
    return job
  }

  it('brings the next poll forward, also during a step', async () => {
    const { job, forwarded, callback } = await begin()
    await job.run()
    assert.equal(await callback(job.id, 'secret', {}), true)
    assert.deepEqual(forwarded, [`runware ${job.id}`])
    assert.equal(await harness.store.isStepRequested(job.id), true)
  })

  it('brings the next delivery attempt forward', async () => {
    const { job, forwarded, callback } = await begin({ provider: { accept: () => done } })
    await job.run()
    assert.equal(await callback(job.id, 'secret', {}), true)
    assert.deepEqual(forwarded, [`delivery ${job.id}`])
  })

  for (const [what, secret] of [
    ['another secret', 'secreT'],
    ['a longer one', 'secret!'],
    ['the beginning of it', 'secre'],
    ['none', ''],
  ] as const) {
    it(`with ${what} is rejected`, async () => {
      const { job, forwarded, callback } = await begin()
      assert.equal(await callback(job.id, secret, {}), false)
      assert.deepEqual(forwarded, [])
      assert.equal(await harness.store.isStepRequested(job.id), false)
    })
  }

  it('without a secret is rejected for a job that has none', async () => {
    const { job, callback } = await begin()
    await redis.hset(harness.keys.job(job.id), 'hint', '')
    assert.equal(await callback(job.id, '', {}), false)
  })

  it('for an unknown job is rejected', async () => {
    const { callback } = await begin()
    assert.equal(await callback('nobody', 'secret', {}), false)
  })

  it('does nothing to a job that has ended', async () => {
    const { job, forwarded, callback } = await begin()
    await harness.store.requestCancel(job.id)
    await job.run()
    await redis.hdel(harness.keys.job(job.id), 'wake')
    assert.equal(await callback(job.id, 'secret', {}), true)
    assert.deepEqual(forwarded, [])
    assert.equal(await harness.store.isStepRequested(job.id), false)
  })

  it('queues nothing for a job that has no upstream left', async () => {
    const { job, forwarded, callback } = await begin({ work: { route: [] } })
    assert.equal(await callback(job.id, 'secret', {}), true)
    assert.deepEqual(forwarded, [])
  })

  it('that names the task of a lost reply replaces the reply', async () => {
    const bodies: unknown[] = []
    const { job, forwarded, callback } = await beginLost({
      adopt: (body, { jobId, attempt }) => {
        bodies.push([body, jobId, attempt])
        return { task: 9 }
      },
    })
    const { attempt } = (await job.work()) ?? {}
    job.clock.now += 300
    assert.equal(await callback(job.id, 'secret', { task: 9 }), true)
    assert.deepEqual(bodies, [[{ task: 9 }, job.id, attempt?.id]])
    assert.equal(await job.state(), 'queued')
    const { ticket, takenAt, misses, refusals, polls } = (await job.work()) ?? {}
    assert.deepEqual(
      { ticket, takenAt, misses, refusals, polls },
      { ticket: { task: 9 }, takenAt: job.clock.now, misses: 0, refusals: 0, polls: 0 },
    )
    assert.equal((await job.history()).at(-1)?.reason, 'accepted, according to a callback of the upstream')
    assert.equal(await redis.zscore(harness.keys.open, job.id), String(job.clock.now + 5000))
    assert.deepEqual(forwarded, [`runware ${job.id}`])
  })

  for (const [what, provider] of [
    ['names no task', { adopt: (): TaskReference | undefined => undefined }],
    ['cannot name one', { adopt: undefined }],
  ] as const) {
    it(`that ${what} brings the next search forward`, async () => {
      const { job, forwarded, callback } = await beginLost(provider as Partial<Provider>)
      assert.equal(await callback(job.id, 'secret', {}), true)
      assert.equal(await job.state(), 'submitting')
      assert.deepEqual(forwarded, [`runware ${job.id}`])
    })
  }

  it('for a removed upstream brings the next search forward', async () => {
    const { job, callback } = await beginLost()
    job.deps.routing.find = () => undefined
    assert.equal(await callback(job.id, 'secret', {}), true)
    assert.equal(await job.state(), 'submitting')
  })

  it('claims the task for the job, also if identical requests are distinguished', async () => {
    const find: Provider['find'] = {
      call: () => ({ method: 'GET', path: 'find' }),
      read: () => ({ kind: 'absent' }),
      safeToResend: false,
    }
    const { job, callback } = await beginLost({ find })
    await callback(job.id, 'secret', {})
    assert.equal(await redis.get(harness.keys.task('runware', `${job.id} 9`)), job.id)
  })
})
