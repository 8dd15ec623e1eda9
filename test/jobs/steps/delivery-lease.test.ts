import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { type Job, overdueAfterMs } from '../../../src/jobs/job.ts'
import { startDeliveryLease } from '../../../src/jobs/steps/delivery-lease.ts'
import type { StepDeps } from '../../../src/jobs/steps/deps.ts'

const began = 1_800_000_000_000

function start(t: TestContext, { isCanceled = false, watchCancel = true, fails = false } = {}) {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const clock = { now: began }
  const postponed: [string, number][] = []
  const checks: string[] = []
  const deps = {
    now: () => clock.now,
    callTimeoutMs: 3000,
    async isCancelRequested(id: string) {
      checks.push(id)
      if (fails) throw new Error('Redis does not answer')
      return isCanceled
    },
    store: { postponeDeadline: async (id: string, at: number) => postponed.push([id, at]) },
  } as unknown as StepDeps
  const job = { view: { id: 'job1' } } as Job
  const lease = startDeliveryLease(deps, job, { watchCancel, endsAt: began + 5000 })
  t.after(() => lease.end())
  const tick = async (ms: number) => {
    clock.now += ms
    t.mock.timers.tick(ms)
    for (let turns = 0; turns < 5; turns += 1) await new Promise((resolve) => setImmediate(resolve))
  }
  return { ...lease, postponed, checks, tick }
}

describe('the lease of a job whose result is fetched', () => {
  it('is renewed every second, for as long as a step may take', async (t) => {
    const { tick, postponed, signal } = start(t)
    await tick(999)
    assert.deepEqual(postponed, [])
    await tick(1)
    await tick(1000)
    const forMs = 2 * 3000 + overdueAfterMs
    assert.deepEqual(postponed, [
      ['job1', began + 1000 + forMs],
      ['job1', began + 2000 + forMs],
    ])
    assert.equal(signal.aborted, false)
  })

  it('aborts the download after a cancel', async (t) => {
    const { tick, signal, checks } = start(t, { isCanceled: true })
    await tick(1000)
    assert.equal(signal.reason?.name, 'CancelRequested')
    assert.deepEqual(checks, ['job1'])
  })

  it('is renewed without a check for a cancel that does not count', async (t) => {
    const { tick, signal, checks } = start(t, { isCanceled: true, watchCancel: false })
    await tick(1000)
    assert.deepEqual([signal.aborted, checks], [false, []])
  })

  it('aborts the download, and keeps the job, when its time is over', async (t) => {
    const { tick, signal, postponed } = start(t)
    for (let seconds = 0; seconds < 4; seconds += 1) await tick(1000)
    assert.equal(signal.aborted, false)
    await tick(1000)
    assert.equal(signal.reason?.name, 'LinkNotReady')
    assert.equal(postponed.length, 5)
  })

  it('does not count the time for which the process was stopped', async (t) => {
    const { tick, signal, stoppedMs } = start(t)
    await tick(1000)
    await tick(60_000)
    assert.deepEqual([signal.aborted, stoppedMs()], [false, 59_000])
    await tick(3000)
    assert.equal(signal.aborted, true)
  })

  it('is retried when Redis does not reply', async (t) => {
    const { tick, signal, checks } = start(t, { fails: true })
    await tick(1000)
    await tick(1000)
    assert.deepEqual([checks.length, signal.aborted], [2, false])
  })

  it('ends with the step', async (t) => {
    const { tick, end, postponed } = start(t)
    end()
    await tick(10_000)
    assert.deepEqual(postponed, [])
  })
})
