import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { fault } from '../../../providers/faults.ts'
import type { Outcome } from '../../../providers/provider.ts'
import { pollForLateResult } from '../../../src/jobs/steps/late-result.ts'
import { createCleanup, startRedis } from '../../support/setup.ts'
import { accepted, createJobHarness, done, lost, refused, reply, unclear } from '../job-harness.ts'

const running = (changes: Partial<Outcome & { kind: 'running' }> = {}): Outcome => ({
  kind: 'running',
  ticket: { task: 1 },
  stage: 'processing',
  ...changes,
})
const failed: Outcome = { kind: 'failed', fault: fault('upstream_error', 'broken') }
const cancelCall = { cancel: () => ({ method: 'PUT', path: 'cancel' }) as const }

describe('a step of a job', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let harness: ReturnType<typeof createJobHarness>
  before(async () => {
    redis = (await startRedis(cleanup)).redis
    harness = createJobHarness(redis, 'steps:')
  })
  after(() => cleanup.run())

  const begin = (upstream: Parameters<typeof harness.begin>[0] = {}) => harness.begin(upstream)
  const waitOf = async (job: Awaited<ReturnType<typeof begin>>) => {
    const next = await job.run()
    return next.kind === 'wait' ? next.at - job.clock.now : assert.fail(next.kind)
  }

  describe('that purchases', () => {
    it('calls the upstream once, and stores the task', async () => {
      const job = await begin()
      await job.run()
      assert.deepEqual(job.calls, ['submit'])
      assert.equal(await job.state(), 'queued')
      const work = await job.work()
      assert.deepEqual(work?.ticket, { task: 1 })
      assert.equal(work?.takenAt, job.clock.now)
      assert.equal(work?.polls, 0)
    })

    it('has stored the intent before the call', async () => {
      let stored: string | null = null
      const job = await begin({
        sent: async () => {
          stored = await redis.hget(harness.keys.job(job.id), 'state')
          return reply
        },
      })
      await job.run()
      assert.equal(stored, 'submitting')
    })

    it('does not call an upstream whose intent was not stored', async () => {
      const job = await begin({
        deps: { store: { ...harness.store, storeIntent: async () => ({ kind: 'stale' }) } },
      })
      assert.deepEqual(await job.run(), { kind: 'end' })
      assert.deepEqual(job.calls, [])
    })

    it('does not call again after a reply was lost', async () => {
      const job = await begin({
        sent: (path) => (path === 'submit' ? lost : reply),
        provider: { find: undefined as never },
      })
      await job.runAll()
      assert.equal(job.submits(), 1)
      assert.equal(await job.error(), 'submission_unknown')
    })

    it('with a lost reply frees its slot at the end, not before', async () => {
      const job = await begin({
        sent: (path) => (path === 'submit' ? lost : reply),
        provider: { find: undefined as never },
      })
      await job.run()
      assert.equal(job.effects.includes('slot left'), false)
      await job.runAll()
      assert.ok(job.effects.includes('slot left'))
    })

    it('waits for a slot without a call', async () => {
      const job = await begin({
        deps: { slots: { acquire: async () => ({ isAcquired: false, granted: [] }) } as never },
      })
      assert.equal(await waitOf(job), 10_000)
      assert.deepEqual(job.calls, [])
      assert.equal(await job.state(), 'pending')
    })

    it('wakes the jobs that were given a slot', async () => {
      const woken: string[] = []
      const job = await begin({
        deps: {
          slots: { acquire: async () => ({ isAcquired: true, granted: ['b', 'c'] }) } as never,
          wake: async (provider, id) => void woken.push(`${provider} ${id}`),
        },
      })
      await job.run()
      assert.deepEqual(woken, ['runware b', 'runware c'])
    })

    it('accepts a task that is already finished', async () => {
      const job = await begin({ provider: { accept: () => ({ ...done, costUsd: 0.3 }) as Outcome } })
      assert.deepEqual(await job.run(), { kind: 'end' })
      assert.equal(await job.state(), 'delivering')
      assert.equal((await job.work())?.upstreamCostUsd, 0.3)
      assert.ok(job.effects.includes('slot left'))
    })

    it('is rejected: the next upstream is tried, and the slot is free', async () => {
      const job = await begin({ provider: { accept: () => refused } })
      assert.deepEqual(await job.run(), { kind: 'move', queue: 'fal' })
      assert.deepEqual((await job.work())?.route, ['fal'])
      assert.equal(await job.state(), 'pending')
      assert.ok(job.effects.includes('slot left'))
    })

    it('is rejected by the last upstream: the job ends, and the slot is free', async () => {
      const job = await begin({ provider: { accept: () => refused }, work: { route: ['runware'] } })
      await job.run()
      assert.equal(await job.error(), 'no_credit')
      assert.ok(job.effects.includes('slot left'))
    })

    it('is rejected for the request of the client: no other upstream is tried', async () => {
      const job = await begin({
        provider: { accept: () => ({ kind: 'failed', fault: fault('content_policy', 'no') }) },
      })
      await job.run()
      assert.equal(await job.error(), 'content_policy')
    })

    it('waits for the Retry-After of a busy upstream', async () => {
      const busy = { ...fault('rate_limited', 'busy'), retryAfterMs: 7000 }
      const job = await begin({ provider: { accept: () => ({ kind: 'failed', fault: busy }) } })
      assert.equal(await waitOf(job), 7000)
      assert.equal(await job.state(), 'pending')
    })

    it('waits longer each time, and moves to the next upstream at the third rejection', async () => {
      const job = await begin({
        provider: { accept: () => ({ kind: 'failed', fault: fault('rate_limited', 'busy') }) },
      })
      assert.equal(await waitOf(job), 1000)
      job.clock.now += 1000
      assert.equal(await waitOf(job), 2000)
      job.clock.now += 2000
      assert.deepEqual(await job.run(), { kind: 'move', queue: 'fal' })
      assert.equal((await job.work())?.refusals, 0)
    })

    it('is never made for a canceled or overdue job', async () => {
      const stopped = await begin()
      await harness.store.requestCancel(stopped.id)
      await stopped.run()
      assert.equal(await stopped.error(), 'canceled')
      assert.deepEqual(stopped.calls, [])
      const overdueJob = await begin()
      overdueJob.clock.now += 600_001
      await overdueJob.run()
      assert.equal(await overdueJob.error(), 'timeout')
      assert.deepEqual(overdueJob.calls, [])
      assert.ok(overdueJob.effects.includes('slot left'))
    })

    it('belongs to the queue of its upstream', async () => {
      const job = await begin({ work: { route: ['fal', 'runware'] } })
      assert.deepEqual(await job.run(), { kind: 'move', queue: 'fal' })
      assert.deepEqual(job.calls, [])
    })
  })

  describe('that polls', () => {
    async function polled(outcomes: Outcome | (() => Outcome), provider = {}) {
      const job = await begin({
        provider: { read: () => (typeof outcomes === 'function' ? outcomes() : outcomes), ...provider },
      })
      await job.run()
      return job
    }

    it('waits for the Retry-After of the upstream', async () => {
      const after = { ...fault('rate_limited', 'later'), retryAfterMs: 42_000 }
      const job = await polled({ kind: 'unclear', fault: after })
      assert.equal(await waitOf(job), 42_000)
      assert.equal((await job.work())?.misses, 1)
    })

    it('without a result is repeated, later each time, and the job continues', async () => {
      const job = await polled(unclear)
      assert.equal(await waitOf(job), 1000)
      assert.equal(await waitOf(job), 2000)
      assert.equal((await job.work())?.misses, 2)
      assert.equal(await job.state(), 'queued')
    })

    it('with a result resets the misses', async () => {
      const outcomes = [unclear, unclear, running()]
      const job = await polled(() => outcomes.shift() ?? running())
      for (let n = 0; n < 3; n++) await job.run()
      assert.equal((await job.work())?.misses, 0)
      assert.equal((await job.work())?.polls, 3)
    })

    it('shows the stage and the progress that the upstream reports, never 100 before the end', async () => {
      const outcomes = [running({ progress: 40 }), running({ stage: 'generating', progress: 120 })]
      const job = await polled(() => outcomes.shift() ?? running())
      await job.run()
      const view = async () => (await harness.store.readStatus(job.id))?.view
      assert.equal((await view())?.state, 'processing')
      assert.equal((await view())?.progress, 40)
      await job.run()
      assert.equal((await view())?.state, 'generating')
      assert.equal((await view())?.progress, 99)
    })

    it('shows no progress and no state that goes back', async () => {
      const outcomes = [
        running({ stage: 'generating', progress: 60 }),
        running({ stage: 'queued', progress: 5 }),
      ]
      const job = await polled(() => outcomes.shift() ?? running())
      await job.run()
      await job.run()
      const view = (await harness.store.readStatus(job.id))?.view
      assert.equal(view?.state, 'generating')
      assert.equal(view?.progress, 60)
    })

    it('estimates the progress from the clock while the upstream renders, and none while the job waits', async () => {
      const outcomes = [running({ stage: 'queued' }), running()]
      const job = await polled(() => outcomes.shift() ?? running())
      const progress = async () => (await harness.store.readStatus(job.id))?.view.progress ?? 0
      job.clock.now += 1000
      await job.run()
      assert.equal(await progress(), 0)
      await job.run()
      assert.ok((await progress()) > 50)
    })

    it('stores the newest ticket', async () => {
      const job = await polled(running({ ticket: { task: 1, phase: 'result' } }))
      await job.run()
      assert.deepEqual((await job.work())?.ticket, { task: 1, phase: 'result' })
    })

    it('polls again at once if the next call has the result, a limited number of times', async () => {
      const next = running({ ticket: { task: 1, phase: 'result' }, now: true })
      const job = await polled(next)
      await job.run()
      assert.deepEqual(job.calls, ['submit', 'poll ', 'poll result'])
    })

    it('queues the delivery of a finished task, frees its slot and records the render time', async () => {
      const job = await polled({ ...done, costUsd: 0.7 } as Outcome)
      job.clock.now += 5000
      assert.deepEqual(await job.run(), { kind: 'end' })
      assert.equal(await job.state(), 'delivering')
      const work = await job.work()
      assert.deepEqual(work?.results, [{ url: 'https://files.example/a.mp4' }])
      assert.equal(work?.upstreamCostUsd, 0.7)
      assert.ok(job.effects.includes('slot left'))
      assert.ok(job.effects.includes('learned 5000'))
    })

    it('has no effect after another step has taken over', async () => {
      const job = await polled(() => done)
      job.deps.transport.send = async () => {
        await harness.store.claimStep(job.id, 1)
        return reply
      }
      assert.deepEqual(await job.run(), { kind: 'end' })
      assert.equal(await job.state(), 'queued')
      assert.equal(job.effects.includes('slot left'), false)
    })

    it('ends a job that the upstream failed, and frees its slot', async () => {
      const job = await polled(failed)
      await job.run()
      assert.equal(await job.error(), 'upstream_error')
      assert.ok(job.effects.includes('slot left'))
    })

    it('ends at the deadline, frees the slot and searches for a late result', async () => {
      const job = await polled(running())
      job.clock.now += 600_001
      await job.run()
      assert.equal(await job.error(), 'timeout')
      assert.ok(job.effects.includes('slot left'))
      assert.ok(job.effects.includes('watched late'))
    })

    it('does not search for a late result of a job that the upstream ended', async () => {
      const job = await polled(failed)
      await job.run()
      assert.equal(job.effects.includes('watched late'), false)
    })

    it('sends one cancel to the upstream, and waits for its result', async () => {
      const outcomes = [running(), running()]
      const job = await polled(() => outcomes.shift() ?? failed, cancelCall)
      await harness.store.requestCancel(job.id)
      await job.run()
      await job.run()
      assert.equal(job.calls.filter((path) => path === 'cancel').length, 1)
      assert.equal(await job.state(), 'processing')
      await job.run()
      assert.equal(await job.error(), 'canceled')
    })

    it('delivers what was finished before the upstream could stop', async () => {
      const job = await polled(done, cancelCall)
      await harness.store.requestCancel(job.id)
      await job.run()
      assert.equal(await job.state(), 'delivering')
    })

    it('treats a task that does not stop as canceled after a minute', async () => {
      const job = await polled(running(), cancelCall)
      await harness.store.requestCancel(job.id)
      await job.run()
      job.clock.now += 60_000
      await job.run()
      assert.equal(await job.state(), 'processing')
      job.clock.now += 1
      await job.run()
      assert.equal(await job.error(), 'canceled')
    })

    it('cancels a job at once if the upstream has no cancel', async () => {
      const job = await polled(running(), { cancel: undefined })
      await harness.store.requestCancel(job.id)
      await job.run()
      assert.equal(await job.error(), 'canceled')
      assert.deepEqual(job.calls, ['submit'])
    })
  })

  describe('that searches for a late result', () => {
    const beginOverdueJob = async (outcome: Outcome) => {
      const job = await begin({ provider: { read: () => running() } })
      await job.run()
      job.clock.now += 600_001
      await job.run()
      job.deps.routing.find = (
        (find) =>
        (...args: Parameters<typeof find>) => {
          const endpoint = find(...args)
          return (
            endpoint && {
              ...endpoint,
              provider: { ...endpoint.provider, read: () => outcome },
            }
          )
        }
      )(job.deps.routing.find)
      return job
    }

    it('records it once and ends', async () => {
      const job = await beginOverdueJob(done)
      assert.deepEqual(await pollForLateResult(job.deps, job.id), { kind: 'end' })
      assert.deepEqual(await pollForLateResult(job.deps, job.id), { kind: 'end' })
      const notes = await harness.store.readNotes(job.id)
      assert.deepEqual(
        notes.map(({ text, provider }) => `${provider} ${text}`),
        ['runware https://files.example/a.mp4'],
      )
      assert.equal(await job.state(), 'failed')
    })

    it('is repeated a minute later while there is none', async () => {
      const job = await beginOverdueJob(running())
      assert.deepEqual(await pollForLateResult(job.deps, job.id), {
        kind: 'wait',
        at: job.clock.now + 60_000,
      })
    })

    it('ends if the upstream failed the task, and an hour after the deadline', async () => {
      const job = await beginOverdueJob(failed)
      assert.deepEqual(await pollForLateResult(job.deps, job.id), { kind: 'end' })
      const other = await beginOverdueJob(running())
      other.clock.now += 3_600_000
      const calls = other.calls.length
      assert.deepEqual(await pollForLateResult(other.deps, other.id), { kind: 'end' })
      assert.equal(other.calls.length, calls)
      assert.deepEqual(await pollForLateResult(other.deps, 'nobody'), { kind: 'end' })
    })

    it('does not treat "no such task" as the end', async () => {
      const job = await beginOverdueJob({ kind: 'failed', fault: fault('task_lost', '?') })
      assert.equal((await pollForLateResult(job.deps, job.id)).kind, 'wait')
    })
  })

  describe('that reconciles a lost reply', () => {
    const findReturning = (outcome: Outcome | { kind: 'absent' }, safeToResend = true) => ({
      find: { call: () => ({ method: 'GET', path: 'find' }) as const, read: () => outcome, safeToResend },
    })
    const beginLost = async (provider: object, deps = {}) => {
      const job = await begin({
        sent: (path) => (path === 'submit' && job.submits() === 1 ? lost : reply),
        provider,
        deps,
      })
      await job.run()
      return job
    }

    it('accepts the task that the upstream has', async () => {
      const job = await beginLost(findReturning(accepted))
      await job.run()
      assert.equal(await job.state(), 'queued')
      assert.equal(job.submits(), 1)
    })

    it('delivers the result that the upstream has', async () => {
      const job = await beginLost(findReturning(done))
      await job.run()
      assert.equal(await job.state(), 'delivering')
      assert.equal(job.submits(), 1)
    })

    it('ends the job if the upstream rejected it', async () => {
      const job = await beginLost(findReturning({ kind: 'failed', fault: fault('content_policy', 'no') }))
      await job.run()
      assert.equal(await job.error(), 'content_policy')
    })

    it('sends the call again only if that is safe, and only after two searches', async () => {
      const job = await beginLost(findReturning({ kind: 'absent' }))
      await job.run()
      assert.equal(job.submits(), 1)
      await job.run()
      assert.equal(job.submits(), 2)
      assert.equal(await job.state(), 'queued')
      const unsafe = await beginLost(findReturning({ kind: 'absent' }, false))
      await unsafe.runAll()
      assert.equal(unsafe.submits(), 1)
      assert.equal(await unsafe.error(), 'submission_unknown')
    })

    it('does not send the call again while the reply of the upstream is unclear', async () => {
      const job = await beginLost(findReturning(unclear))
      await job.runAll()
      assert.equal(job.submits(), 1)
      assert.equal(await job.error(), 'submission_unknown')
    })

    it('does not send the call again for a job with a requested cancel', async () => {
      const job = await beginLost(findReturning({ kind: 'absent' }))
      await harness.store.requestCancel(job.id)
      await job.runAll()
      assert.equal(job.submits(), 1)
    })

    it('does not search for a call that may be running until its time limit', async () => {
      const job = await begin({ provider: findReturning(accepted) })
      const attempt = { id: 'a', provider: 'runware' as const, at: job.clock.now }
      const claimed = await harness.store.claimStep(job.id, 1)
      assert.ok(typeof claimed === 'object')
      await redis.hset(harness.keys.job(job.id), {
        state: 'submitting',
        attempt: 'a',
        view: JSON.stringify({ ...claimed.view, state: 'submitting' }),
        work: JSON.stringify({ ...claimed.work, attempt }),
      })
      assert.equal(await waitOf(job), 1000 + 2000)
      assert.deepEqual(job.calls, [])
    })
  })
})
