import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { fault } from '../../../providers/faults.ts'
import type { Outcome } from '../../../providers/provider.ts'
import { pollForLateResult } from '../../../src/jobs/steps/late-result.ts'
import { createCleanup, startRedis } from '../../support/setup.ts'
import { createJobHarness, done } from '../job-harness.ts'

const minuteMs = 60_000
const reason = fault('task_lost', 'no such task')

describe('an upstream that denies a task', () => {
  const cleanup = createCleanup()
  let harness: ReturnType<typeof createJobHarness>
  let redis: Awaited<ReturnType<typeof startRedis>>['redis']

  before(async () => {
    redis = (await startRedis(cleanup)).redis
    harness = createJobHarness(redis, 'lost:')
  })
  after(() => cleanup.run())

  const denied: readonly Outcome[] = [
    { kind: 'unclear', fault: reason },
    { kind: 'failed', fault: reason },
    { kind: 'unclear', fault: fault('endpoint_gone', 'no such path') },
  ]
  const long = { deadlineAt: Date.now() + 60 * minuteMs }
  const heldMicros = async (id: string) =>
    (await redis.hget(harness.keys.moneyOnHold('ann'), id))?.split(' ')[0]

  for (const outcome of denied) {
    it(`for nine minutes (${outcome.kind} ${'fault' in outcome ? outcome.fault.code : ''}) does not end the job`, async () => {
      const job = await harness.begin({ work: long })
      const began = job.clock.now
      const provider = job.deps.routing.find({ id: '' }, 'runware')?.provider
      assert.ok(provider)
      provider.read = () => (job.clock.now - began > 9 * minuteMs ? done : outcome)
      await job.runAll()
      assert.equal(await job.state(), 'delivering')
    })
  }

  it('for longer ends the job with its money on hold, and a search for a late result follows', async () => {
    const job = await harness.begin({
      work: long,
      provider: { read: () => ({ kind: 'unclear', fault: reason }) },
    })
    const began = job.clock.now
    await job.runAll()
    assert.equal(await job.error(), 'task_lost')
    assert.ok(job.clock.now - began >= 10 * minuteMs)
    assert.ok(job.clock.now - began < 12 * minuteMs)
    assert.equal(await heldMicros(job.id), '1000000')
    assert.ok(job.effects.includes('watched late'))
  })

  it('again later is polled until it does', async () => {
    const job = await harness.begin({
      work: long,
      provider: { read: () => ({ kind: 'failed', fault: reason }) },
    })
    await job.runAll()
    assert.equal((await pollForLateResult(job.deps, job.id)).kind, 'wait')
  })

  it('that it never received ends the job at once, with nothing on hold', async () => {
    const job = await harness.begin({ provider: { accept: () => ({ kind: 'failed', fault: reason }) } })
    await job.run()
    assert.equal(await job.error(), 'task_lost')
    assert.equal(await heldMicros(job.id), undefined)
  })

  it('after a cancel has canceled it', async () => {
    const job = await harness.begin({
      work: long,
      provider: {
        cancel: () => ({ method: 'PUT', path: 'cancel' }),
        read: () => ({ kind: 'unclear', fault: reason }),
      },
    })
    await job.run()
    await harness.store.requestCancel(job.id)
    await job.run()
    assert.equal(await job.error(), 'canceled')
  })
})
