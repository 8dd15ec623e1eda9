import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { FaultCode } from '../../../providers/faults.ts'
import type { MeteredPrice } from '../../../src/accounts/job-price.ts'
import type { JobState, JobView, JobWork } from '../../../src/jobs/job.ts'
import { decideSettlement, finalCostUsd } from '../../../src/jobs/store/settlement.ts'

const view = (state: JobState, code?: FaultCode): JobView => ({
  id: 'a',
  version: 1,
  model: 'veo',
  state,
  progress: 0,
  createdAt: 1,
  costUsd: 1.5,
  ...(code && { error: { code, message: '' } }),
})
const work = (changes: Partial<JobWork> = {}): JobWork => ({
  route: [],
  deadlineAt: 1,
  refusals: 0,
  misses: 0,
  polls: 0,
  ...changes,
})
const taken = { takenAt: 5 }

describe('the settlement of a job', () => {
  const kinds: readonly [string, JobState, JobView, JobWork, string][] = [
    ['is not touched while it runs', 'queued', view('generating'), work(taken), ''],
    ['is charged after a success', 'delivering', view('succeeded'), work(taken), 'charge'],
    ['is released after a failure', 'generating', view('failed', 'upstream_error'), work(taken), 'release'],
    ['is released after a timeout', 'generating', view('failed', 'timeout'), work(taken), 'release'],
    [
      'is on hold if the result of the purchase is unknown',
      'submitting',
      view('failed', 'submission_unknown'),
      work(),
      'hold',
    ],
    [
      'is held where the upstream lost a task that it had',
      'generating',
      view('failed', 'task_lost'),
      work(taken),
      'hold',
    ],
    ['is released where the task was never there', 'queued', view('failed', 'task_lost'), work(), 'release'],
    [
      'is released after a cancel before any upstream had it',
      'pending',
      view('canceled', 'canceled'),
      work(),
      'release',
    ],
    [
      'is charged after a cancel of what was rendering',
      'generating',
      view('canceled', 'canceled'),
      work({ ...taken, cancelSentAt: 6 }),
      'charge',
    ],
    [
      'is charged after a cancel of what the upstream cannot stop',
      'queued',
      view('canceled', 'canceled'),
      work(taken),
      'charge',
    ],
    [
      'is released after a cancel of what still waited at the upstream',
      'queued',
      view('canceled', 'canceled'),
      work({ ...taken, cancelSentAt: 6 }),
      'release',
    ],
  ]
  for (const [name, before, after, done, kind] of kinds)
    it(name, () => assert.deepEqual(decideSettlement(before, after, done), { kind, micros: 1_500_000 }))
})

describe('the price of a finished job', () => {
  const meter: MeteredPrice = { usdPerSecond: 0.1, markupPercent: 10, usualSeconds: 8 }
  const price = (changes: Partial<JobWork>, seconds?: number) =>
    finalCostUsd({ view: view('succeeded'), work: work(changes) }, seconds)

  it('is the agreed price if it does not depend on the length', () => {
    assert.equal(price({ upstreamCostUsd: 0.2 }, 3), 1.5)
  })

  it('depends on the length, less the overhang of a container, with the markup', () => {
    assert.equal(price({ meter }, 10.25), 1.1)
    assert.equal(price({ meter }, 0.1), 0)
  })

  it('uses the typical length if it cannot be measured', () => {
    assert.equal(price({ meter }), 0.88)
  })

  it('uses the cost that the upstream reports', () => {
    assert.equal(price({ meter, upstreamCostUsd: 0.5 }, 10.25), 0.55)
    assert.equal(price({ meter, upstreamCostUsd: 0 }, 10.25), 0)
  })

  it('is never more than the agreed price', () => {
    assert.equal(price({ meter }, 100), 1.5)
  })

  it('has a minimum and steps', () => {
    assert.equal(price({ meter: { ...meter, minimumSeconds: 5 } }, 1.25), 0.55)
    assert.equal(price({ meter: { ...meter, stepSeconds: 5 } }, 6.25), 1.1)
  })
})
