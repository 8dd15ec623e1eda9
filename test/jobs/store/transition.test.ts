import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type FaultCode, fault } from '../../../providers/faults.ts'
import type { Job, JobState, JobView, JobWork } from '../../../src/jobs/job.ts'
import {
  createFailedTransition,
  createSucceededTransition,
  createTransition,
} from '../../../src/jobs/store/transition.ts'

function jobOf(view: Partial<JobView> = {}, work: Partial<JobWork> = {}): Job {
  return {
    view: {
      id: 'a',
      version: 3,
      model: 'veo',
      state: 'queued',
      progress: 10,
      createdAt: 100,
      costUsd: 2,
      ...view,
    },
    owner: 'ann',
    input: {},
    work: { route: ['fal', 'runware'], deadlineAt: 1e6, refusals: 0, misses: 0, polls: 0, ...work },
    leaseToken: 1,
    cancelRequested: false,
    callbackSecret: '',
  }
}

const stateAfter = (from: JobState, to: JobState) =>
  createTransition(jobOf({ state: from }), { view: { state: to }, now: 200 }).view.state

describe('the state of a job', () => {
  const states = ['queued', 'processing', 'generating', 'delivering'] as const
  for (const [at, from] of states.entries()) {
    for (const to of states.slice(0, at)) {
      it(`does not go back from ${from} to ${to}`, () => assert.equal(stateAfter(from, to), from))
    }
    for (const to of states.slice(at + 1)) {
      it(`can go from ${from} to ${to}`, () => assert.equal(stateAfter(from, to), to))
    }
    for (const end of ['succeeded', 'failed', 'canceled'] as const)
      it(`may end from ${from}: ${end}`, () => assert.equal(stateAfter(from, end), end))
  }

  it('goes back from submitting to pending if no upstream accepted the job', () => {
    assert.equal(stateAfter('submitting', 'pending'), 'pending')
    assert.equal(stateAfter('pending', 'submitting'), 'submitting')
    assert.equal(stateAfter('submitting', 'queued'), 'queued')
    assert.equal(stateAfter('queued', 'pending'), 'queued')
  })

  it('does not change if a change does not name one', () => {
    assert.equal(createTransition(jobOf(), { now: 200 }).view.state, 'queued')
  })
})

describe('the progress of a job', () => {
  const after = (progress: number) =>
    createTransition(jobOf(), { view: { progress }, now: 200 }).view.progress

  it('never goes back, and is a whole number', () => {
    assert.equal(after(5), 10)
    assert.equal(after(10), 10)
    assert.equal(after(42.9), 42)
    assert.equal(createTransition(jobOf(), { now: 200 }).view.progress, 10)
  })
})

describe('an entry in the history', () => {
  const entry = (patch: Partial<Parameters<typeof createTransition>[1]>, job = jobOf()) =>
    createTransition(job, { now: 200, ...patch }).entry

  it('is written for a new state, a new progress or a reason, and for nothing else', () => {
    assert.equal(entry({ work: { polls: 9 } }), undefined)
    assert.equal(entry({ view: { state: 'queued', progress: 3, expectedAt: 7 } }), undefined)
    assert.deepEqual(entry({ view: { state: 'processing' } }), {
      at: 200,
      state: 'processing',
      progress: 10,
      provider: 'fal',
    })
    assert.deepEqual(entry({ view: { progress: 11 } }), {
      at: 200,
      state: 'queued',
      progress: 11,
      provider: 'fal',
    })
    assert.deepEqual(entry({ reason: 'why' }), {
      at: 200,
      state: 'queued',
      progress: 10,
      provider: 'fal',
      reason: 'why',
    })
  })

  it('names the upstream of the attempt, otherwise the next one, otherwise none', () => {
    const attempt = { id: 'x', provider: 'runware', at: 1 } as const
    assert.equal(entry({ reason: '', work: { attempt } })?.provider, 'runware')
    assert.equal(entry({ reason: '' })?.provider, 'fal')
    assert.equal('provider' in (entry({ reason: '' }, jobOf({}, { route: [] })) ?? {}), false)
  })

  it('is never dated before the job was created', () => {
    assert.equal(entry({ reason: '', now: 50 })?.at, 100)
  })
})

describe('the time by which a job must have progressed', () => {
  it('is some seconds after its next step, or after now', () => {
    assert.equal(createTransition(jobOf(), { at: 9000, now: 200 }).dueAt, 14_000)
    assert.equal(createTransition(jobOf(), { now: 200 }).dueAt, 5200)
  })

  it('is not set for a job that has ended', () => {
    for (const state of ['succeeded', 'failed', 'canceled'] as const)
      assert.equal('dueAt' in createTransition(jobOf(), { view: { state }, at: 9000, now: 200 }), false)
  })
})

describe('the failure that a client receives', () => {
  const read = (code: FaultCode, message: string) =>
    createFailedTransition(jobOf(), fault(code, message), 200).view

  it('is a cancel or a failure, with its code and time', () => {
    assert.equal(read('canceled', 'x').state, 'canceled')
    const view = read('timeout', 'too late')
    assert.equal(view.state, 'failed')
    assert.equal(view.completedAt, 200)
    assert.deepEqual(view.error, { code: 'timeout', message: 'too late' })
  })

  const secret = 'account 4711 of acme'
  for (const code of [
    'bad_credentials',
    'no_credit',
    'endpoint_gone',
    'submission_unknown',
    'result_not_stored',
  ] as const)
    it(`hides what concerns the operator: ${code}`, () => {
      const message = read(code, secret).error?.message ?? ''
      assert.notEqual(message, '')
      assert.doesNotMatch(message, /4711/)
    })

  it('is the text of the upstream otherwise', () => {
    for (const message of ['no', 'flagged by our safety system'])
      assert.equal(read('content_policy', message).error?.message, message)
  })

  it('is complete for the operator', () => {
    assert.equal(
      createFailedTransition(jobOf(), fault('no_credit', secret), 200).entry?.reason,
      `no_credit: ${secret}`,
    )
  })
})

describe('a success', () => {
  it('is at 100 percent, with its files, its time and its price', () => {
    const { view, entry: event, dueAt } = createSucceededTransition(jobOf(), [{ url: '/a.mp4' }], 300)
    assert.equal(view.state, 'succeeded')
    assert.equal(view.progress, 100)
    assert.equal(view.completedAt, 300)
    assert.deepEqual(view.videos, [{ url: '/a.mp4' }])
    assert.equal(view.costUsd, 2)
    assert.equal(event?.state, 'succeeded')
    assert.equal(dueAt, undefined)
  })

  it('is charged per second if the price depends on the length', () => {
    const meter = { usdPerSecond: 0.1, markupPercent: 0, usualSeconds: 5 }
    assert.equal(createSucceededTransition(jobOf({}, { meter }), [{ url: '/a' }], 300, 10.25).view.costUsd, 1)
  })
})

describe('the end of a job', () => {
  it('is never before its start, even if the clock goes back', () => {
    const job = jobOf({ createdAt: 100 })
    assert.equal(createFailedTransition(job, fault('timeout', 'too late'), 50).view.completedAt, 100)
    assert.equal(createSucceededTransition(job, [], 50).view.completedAt, 100)
    assert.equal(createSucceededTransition(job, [], 150).view.completedAt, 150)
  })
})
