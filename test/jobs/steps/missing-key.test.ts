import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { pollForLateResult } from '../../../src/jobs/steps/late-result.ts'
import { createCleanup, startRedis } from '../../support/setup.ts'
import { createJobHarness, done, lost, reply } from '../job-harness.ts'

const hour = 3_600_000
const reason = 'the test has no key'

describe('a process without the key for the upstream of a job', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let harness: ReturnType<typeof createJobHarness>

  before(async () => {
    redis = (await startRedis(cleanup)).redis
    harness = createJobHarness(redis, 'missing-key:')
  })
  after(() => cleanup.run())

  /** `keys.isMissing` says whether the process lacks the key at the moment. */
  async function begin(options: Parameters<typeof harness.begin>[0] = {}, isMissing = true) {
    const keys = { isMissing }
    const missingKeys = { reasonFor: () => (keys.isMissing ? reason : undefined), waitMs: hour }
    const job = await harness.begin({ ...options, deps: { missingKeys, ...options.deps } })
    return { job, keys }
  }

  it('purchases nothing, and logs once why the job waits; a process with the key purchases it', async () => {
    const { job, keys } = await begin()
    const next = await job.run()
    assert.ok(next.kind === 'wait' && next.at > job.clock.now)
    await job.run()
    assert.deepEqual([job.calls, await job.state()], [[], 'pending'])
    assert.deepEqual(
      (await job.history()).map((event) => event.reason),
      [undefined, reason],
    )
    keys.isMissing = false
    await job.run()
    assert.deepEqual([job.submits(), await job.state()], [1, 'queued'])
  })

  it('moves an unpurchased job to the next upstream with a key', async () => {
    let lookups = 0
    const missingKeys = { reasonFor: () => (lookups++ === 0 ? reason : undefined), waitMs: hour }
    const job = await harness.begin({ deps: { missingKeys } })
    assert.deepEqual(await job.run(), { kind: 'move', queue: 'fal' })
    assert.deepEqual([job.calls, (await job.work())?.route], [[], ['fal']])
  })

  it('ends an unpurchased job at its deadline', async () => {
    const { job } = await begin()
    await job.runAll()
    assert.deepEqual([job.calls, await job.error()], [[], 'timeout'])
  })

  it('cancels an unpurchased job', async () => {
    const { job } = await begin()
    await harness.store.requestCancel(job.id)
    await job.run()
    assert.deepEqual([job.calls, await job.state()], [[], 'canceled'])
  })

  it('does not poll, keeps the job beyond its deadline, and delivers it when the key is back', async () => {
    const { job, keys } = await begin({ provider: { read: () => done } }, false)
    await job.run()
    keys.isMissing = true
    job.clock.now += 600_000 + hour - 1000
    assert.equal((await job.run()).kind, 'wait')
    assert.deepEqual([job.calls, await job.state()], [['submit'], 'queued'])
    keys.isMissing = false
    await job.run()
    assert.equal(await job.state(), 'delivering')
  })

  it('puts the money on hold when the key does not come back', async () => {
    const { job, keys } = await begin({}, false)
    await job.run()
    keys.isMissing = true
    await job.runAll()
    assert.deepEqual([job.calls, await job.error()], [['submit'], 'task_lost'])
    // The history names the missing key for operators.
    const { view } = (await harness.store.read(job.id)) ?? assert.fail()
    assert.equal(view.error?.message, 'The status of the job could not be read from the upstream')
    assert.ok((await job.history()).some((event) => event.reason === reason))
    assert.equal(await redis.hexists(harness.keys.moneyOnHold('ann'), job.id), 1)
  })

  it('does not search for a lost reply, and does not end the job for it', async () => {
    const { job, keys } = await begin({ sent: () => lost }, false)
    await job.run()
    keys.isMissing = true
    job.clock.now += 600_000
    assert.equal((await job.run()).kind, 'wait')
    assert.deepEqual([job.calls, await job.state()], [['submit'], 'submitting'])
    job.clock.now += 2 * hour
    await job.run()
    assert.equal(await job.error(), 'submission_unknown')
  })

  it('does not search for a late result', async () => {
    const { job, keys } = await begin({ sent: () => reply }, false)
    await job.run()
    job.clock.now += 601_000
    await job.runAll()
    assert.equal(await job.error(), 'timeout')
    const calls = job.calls.length
    keys.isMissing = true
    assert.equal((await pollForLateResult(job.deps, job.id)).kind, 'wait')
    assert.equal(job.calls.length, calls)
  })
})
