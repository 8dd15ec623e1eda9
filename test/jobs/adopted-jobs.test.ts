import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { createHolds } from '../../src/accounts/holds.ts'
import { pollForLateResult } from '../../src/jobs/steps/late-result.ts'
import { createUnknownJobs } from '../../src/jobs/unknown-jobs.ts'
import { createCleanup, startRedis } from '../support/setup.ts'
import { createJobHarness, done, lost, reply } from './job-harness.ts'

describe('the steps of a job for which an operator adopted a task', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let harness: ReturnType<typeof createJobHarness>

  before(async () => {
    redis = (await startRedis(cleanup)).redis
    harness = createJobHarness(redis, 'adopted:')
  })
  after(() => cleanup.run())

  /** A job that ended as `submission_unknown`, then was given a task that is finished. */
  async function adopted() {
    const job = await harness.begin({
      sent: (path) => (path === 'submit' ? lost : reply),
      provider: { read: () => done },
    })
    const { routing } = job.deps
    const find: typeof routing.find = (model, name) => {
      const endpoint = routing.find(model, name)
      if (endpoint === undefined) return undefined
      const { find: _, ...withoutSearch } = endpoint.provider
      return { ...endpoint, provider: withoutSearch }
    }
    Object.assign(job.deps, { routing: { ...routing, find } })
    await job.runAll()
    assert.equal(await job.error(), 'submission_unknown')
    const unknown = createUnknownJobs({
      store: harness.store,
      holds: createHolds({ redis, keys: harness.keys }),
      routing: job.deps.routing,
      settingsOf: () => ({}),
      deadlineMs: () => 60_000,
      now: () => job.clock.now,
    })
    assert.equal((await unknown.adopt(job.id, { ticket: `task of ${job.id}`, by: 'test' })).kind, 'done')
    return job
  }

  it('poll the task, purchase nothing, and do not record a render time', async () => {
    const job = await adopted()
    assert.equal(job.submits(), 1)
    await job.run()
    assert.deepEqual([await job.state(), job.calls.at(-1)], ['delivering', 'poll '])
    assert.equal(job.submits(), 1)
    assert.deepEqual(
      job.effects.filter((effect) => effect.startsWith('learned')),
      [],
    )
  })

  it('replace the search for a late result, which ends', async () => {
    const job = await adopted()
    const calls = job.calls.length
    assert.deepEqual(await pollForLateResult(job.deps, job.id), { kind: 'end' })
    assert.equal(job.calls.length, calls)
    assert.deepEqual(await harness.store.readNotes(job.id), [
      { at: job.clock.now, kind: 'adopt', by: 'test' },
    ])
  })

  it('end with the record: the search for a late result of a deleted job calls no upstream', async () => {
    const job = await harness.begin({})
    await job.runAll()
    assert.equal(await harness.store.remove(job.id), true)
    const calls = job.calls.length
    assert.deepEqual(await pollForLateResult(job.deps, job.id), { kind: 'end' })
    assert.equal(job.calls.length, calls)
  })

  it('end at a deadline that starts with the adoption', async () => {
    const job = await adopted()
    const { deadlineAt } = (await job.work()) ?? {}
    assert.equal(deadlineAt, job.clock.now + 60_000)
  })
})
