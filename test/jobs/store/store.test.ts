import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { fault } from '../../../providers/faults.ts'
import { runware } from '../../../providers/runware/index.ts'
import type { Job, JobView, JobWork } from '../../../src/jobs/job.ts'
import { createJobStore } from '../../../src/jobs/store/store.ts'
import {
  createFailedTransition,
  createSucceededTransition,
  createTransition,
} from '../../../src/jobs/store/transition.ts'
import { createKeys } from '../../../src/redis/keys.ts'
import { createCleanup, startRedis } from '../../support/setup.ts'

const keepMs = 3_600_000
const attempt = { id: 'attempt-1', provider: 'runware', at: 1 } as const

describe('the record of a job', () => {
  const cleanup = createCleanup()
  const keys = createKeys('store:')
  let redis: Redis
  let store: ReturnType<typeof createJobStore>
  let finished: string[] = []
  let jobs = 0

  before(async () => {
    redis = (await startRedis(cleanup)).redis
    store = createJobStore({ redis, keys, keepMs, onFinished: ({ job }) => finished.push(job.view.id) })
  })
  after(() => cleanup.run())

  type Begin = {
    view?: Partial<JobView>
    work?: Partial<JobWork>
    webhook?: string
    once?: string
    owner?: string
  }

  async function accept({ view = {}, work = {}, webhook, once, owner = 'ann' }: Begin = {}) {
    const id = `job${++jobs}`
    finished = []
    const acceptance = await store.create({
      view: {
        id,
        version: 1,
        model: 'veo',
        state: 'pending',
        progress: 0,
        createdAt: Date.now(),
        costUsd: 1,
        ...view,
      },
      owner,
      input: { prompt: id },
      work: { route: ['runware'], deadlineAt: 9e15, refusals: 0, misses: 0, polls: 0, ...work },
      callbackSecret: 'secret',
      dueAt: 5000,
      queue: 'runware',
      ...(webhook !== undefined && { webhook: { url: webhook, baseUrl: '' } }),
      ...(once !== undefined && { idempotencyKey: { key: once, fingerprint: 'same' } }),
    })
    return { id, acceptance }
  }

  async function claim(id: string): Promise<Job> {
    const job = await store.claimStep(id, 7000)
    return typeof job === 'object' ? job : assert.fail(job)
  }

  /** A job during its purchase. */
  async function submitting(begin: Begin = {}): Promise<Job> {
    const job = await claim((await accept(begin)).id)
    const intent = createTransition(job, {
      view: { state: 'submitting' },
      work: { attempt },
      now: Date.now(),
    })
    assert.ok(await store.write(job, intent))
    return { ...job, view: intent.view, work: intent.work }
  }

  const running = (job: Job) =>
    createTransition(job, { view: { state: 'queued' }, work: { ticket: { task: 1 } }, now: Date.now() })
  const failed = (job: Job) => createFailedTransition(job, fault('no_credit', '?'), Date.now())
  const state = async (id: string) => (await store.readStatus(id))?.view.state
  const stateInRecord = (id: string) => redis.hget(keys.job(id), 'state')

  it('is written by the latest step only', async () => {
    const { id } = await accept()
    const [first, second] = [await claim(id), await claim(id)]
    assert.equal(await store.write(first, running(first)), false)
    assert.equal(await state(id), 'pending')
    assert.equal((await store.read(id))?.work.ticket, undefined)
    assert.equal(await store.write(second, running(second)), true)
    assert.equal(await state(id), 'queued')
  })

  it('can be written repeatedly by one step', async () => {
    const { id } = await accept()
    const job = await claim(id)
    assert.ok(await store.write(job, createTransition(job, { reason: 'one', now: 1 })))
    assert.ok(await store.write(job, running(job)))
  })

  describe('the reply to an attempt', () => {
    it('counts even if another step started meanwhile, which then writes nothing', async () => {
      const job = await submitting()
      const later = await claim(job.view.id)
      assert.ok(await store.writeReply(job, running(job)))
      assert.equal(await state(job.view.id), 'queued')
      assert.equal(await store.write(later, failed(later)), false)
      assert.equal(await state(job.view.id), 'queued')
    })

    it('counts only while the job waits for it', async () => {
      const job = await submitting()
      assert.ok(await store.writeReply(job, running(job)))
      const rendering = await claim(job.view.id)
      await store.write(
        rendering,
        createTransition(rendering, { view: { state: 'generating' }, work: { polls: 5 }, now: 1 }),
      )
      assert.equal(await store.writeReply(job, running(job)), false)
      assert.equal(await state(job.view.id), 'generating')
      assert.equal((await store.read(job.view.id))?.work.polls, 5)
    })

    it('to another attempt does not count', async () => {
      const job = await submitting()
      const other = { ...job, work: { ...job.work, attempt: { ...attempt, id: 'attempt-2' } } }
      assert.equal(await store.writeReply(other, running(other)), false)
      assert.equal(await stateInRecord(job.view.id), 'submitting')
      assert.equal((await store.read(job.view.id))?.work.ticket, undefined)
    })

    it('does not resume an ended job', async () => {
      const job = await submitting()
      assert.ok(await store.write(job, failed(job)))
      assert.equal(await store.writeReply(job, running(job)), false)
      assert.equal(await state(job.view.id), 'failed')
    })

    it('with a task counts even if Redis has lost the intent', async () => {
      const job = await submitting()
      await redis.hset(keys.job(job.view.id), { state: 'pending', attempt: '' })
      assert.ok(await store.writeReply(job, running(job)))
      assert.equal(await state(job.view.id), 'queued')
    })

    it('without a task does not count if Redis has lost the intent', async () => {
      for (const outcome of [
        failed,
        (job: Job) => createTransition(job, { view: { state: 'pending' }, now: 1 }),
      ]) {
        const job = await submitting()
        await redis.hset(keys.job(job.view.id), { state: 'pending', attempt: '' })
        assert.equal(await store.writeReply(job, outcome(job)), false)
        assert.equal(await stateInRecord(job.view.id), 'pending')
      }
    })
  })

  describe('that has ended', () => {
    const endings = {
      succeeded: (job: Job) => createSucceededTransition(job, [{ url: '/a.mp4' }], Date.now()),
      failed,
      canceled: (job: Job) => createFailedTransition(job, fault('canceled', '?'), Date.now()),
    }
    for (const [name, end] of Object.entries(endings)) {
      it(`${name}: is final, is no longer open, and expires with its history`, async () => {
        const { id } = await accept()
        const job = await claim(id)
        assert.equal(await redis.zscore(keys.open, id), '7000')
        assert.ok(await store.write(job, end(job)))
        assert.equal(await redis.zscore(keys.open, id), null)
        for (const key of [keys.job(id), keys.history(id)]) {
          const ttl = await redis.pttl(key)
          assert.ok(ttl > keepMs - 60_000 && ttl <= keepMs, `${key} ${ttl}`)
        }
        assert.equal(await store.write(job, running(job)), false)
        assert.equal(await store.takeOver(job, running(job)), false)
        assert.equal(await store.claimStep(id, 1), 'ended')
        assert.equal(await store.requestCancel(id), 'ended')
        assert.equal(await state(id), name)
        assert.equal(await redis.zscore(keys.open, id), null)
      })

      it(`${name}: can be removed, once`, async () => {
        const { id } = await accept()
        assert.equal(await store.remove(id), false)
        const job = await claim(id)
        await store.write(job, end(job))
        assert.equal(await store.remove(id), true)
        assert.equal(await redis.exists(keys.job(id), keys.history(id)), 0)
        assert.equal(await store.remove(id), false)
        assert.equal(await store.readStatus(id), undefined)
      })
    }

    it('is reported, and its webhook is due if it has one', async () => {
      const job = await submitting({ webhook: 'https://example.com/hook' })
      assert.ok(await store.write(job, failed(job)))
      assert.deepEqual(finished, [job.view.id])
      assert.notEqual(await redis.zscore(keys.webhooks, job.view.id), null)
      const quiet = await submitting()
      assert.ok(await store.write(quiet, failed(quiet)))
      assert.deepEqual(finished, [quiet.view.id])
      assert.equal(await redis.zscore(keys.webhooks, quiet.view.id), null)
    })

    it('is reported once: a late step reports nothing', async () => {
      const job = await submitting({ webhook: 'https://example.com/hook' })
      await claim(job.view.id)
      assert.equal(await store.write(job, failed(job)), false)
      assert.deepEqual(finished, [])
      assert.equal(await redis.zscore(keys.webhooks, job.view.id), null)
    })
  })

  it('that continues is due again, and never expires', async () => {
    const { id } = await accept()
    assert.equal(await redis.zscore(keys.open, id), '5000')
    const job = await claim(id)
    assert.ok(await store.write(job, createTransition(job, { at: 9000, now: 1 })))
    assert.equal(await redis.zscore(keys.open, id), String(9000 + 5000))
    assert.equal(await redis.pttl(keys.job(id)), -1)
    assert.equal(await redis.pttl(keys.history(id)), -1)
  })

  it('gets a new version and a history entry for visible changes only', async () => {
    const { id } = await accept()
    const job = await claim(id)
    await store.write(job, createTransition(job, { work: { polls: 1 }, now: 1 }))
    assert.equal((await store.readStatus(id))?.view.version, 1)
    assert.equal((await store.readHistory(id)).length, 1)
    await store.write(job, running(job))
    assert.equal((await store.readStatus(id))?.view.version, 2)
    assert.deepEqual(
      (await store.readHistory(id)).map((event) => event.state),
      ['pending', 'queued'],
    )
  })

  it('publishes each visible change on its channel', async () => {
    const { id } = await accept()
    const listener = redis.duplicate({ enableOfflineQueue: true })
    const messages: string[] = []
    listener.on('message', (_, message: string) => messages.push(message))
    await listener.subscribe(keys.channel(id))
    const job = await claim(id)
    await store.write(job, createTransition(job, { work: { polls: 1 }, now: 1 }))
    await store.write(job, running(job))
    while (messages.length === 0) await new Promise(setImmediate)
    assert.equal(messages.length, 1)
    assert.match(messages[0] ?? '', /^2 \{.*"state":"queued"/)
    listener.disconnect()
  })

  it('has the requested cancel until the end', async () => {
    assert.equal(await store.requestCancel('nobody'), 'absent')
    const { id } = await accept()
    assert.equal((await claim(id)).cancelRequested, false)
    assert.equal(await store.requestCancel(id), 'asked')
    assert.equal(await store.isStepRequested(id), true)
    assert.equal((await claim(id)).cancelRequested, true)
    assert.equal(await store.isStepRequested(id), false)
    assert.equal((await store.read(id))?.cancelRequested, true)
  })

  it('is not created by a wake of an unknown job', async () => {
    await store.requestStep('nobody')
    assert.equal(await redis.exists(keys.job('nobody')), 0)
  })

  it('that does not exist cannot be claimed, read or written', async () => {
    assert.equal(await store.claimStep('nobody', 1), 'absent')
    assert.equal(await store.read('nobody'), undefined)
    assert.deepEqual(await store.readInput('nobody'), {})
    const { id } = await accept()
    const job = await claim(id)
    await redis.del(keys.job(id))
    assert.equal(await store.write(job, running(job)), false)
    assert.equal(await redis.exists(keys.job(id)), 0)
  })

  it('returns the accepted job', async () => {
    const { id } = await accept({ webhook: 'https://example.com/hook' })
    const job = await claim(id)
    assert.equal(job.owner, 'ann')
    assert.deepEqual(job.input, { prompt: id })
    assert.deepEqual(await store.readInput(id), { prompt: id })
    assert.equal(job.callbackSecret, 'secret')
    assert.equal(job.view.id, id)
    assert.deepEqual(job.webhook, { url: 'https://example.com/hook', baseUrl: '' })
    assert.deepEqual(job.work.route, ['runware'])
    assert.deepEqual(await store.read(id), { ...job })
  })

  describe('an idempotency key', () => {
    it('is stored for a day', async () => {
      await accept({ once: 'key-1' })
      const ttl = await redis.pttl(keys.idempotencyKey('ann', 'key-1'))
      assert.ok(ttl > 86_000_000 && ttl <= 86_400_000, String(ttl))
    })

    it('returns the first reply, and creates no second job', async () => {
      const first = await accept({ once: 'key-2' })
      const second = await accept({ once: 'key-2' })
      assert.equal(first.acceptance.kind, 'accepted')
      assert.equal(second.acceptance.kind, 'replayed')
      assert.ok('view' in second.acceptance && second.acceptance.view.id === first.id)
      assert.equal(await store.readStatus(second.id), undefined)
      const replay = await store.findReplay('ann', { key: 'key-2', fingerprint: 'same' })
      assert.ok(replay?.kind === 'replayed' && replay.view.id === first.id)
      assert.deepEqual(await store.findReplay('ann', { key: 'key-2', fingerprint: 'other' }), {
        kind: 'reused',
      })
      assert.equal(await store.findReplay('ann', { key: 'key-3', fingerprint: 'same' }), undefined)
      assert.equal(await store.findReplay('bob', { key: 'key-2', fingerprint: 'same' }), undefined)
    })
  })

  describe('in the list of its owner', () => {
    const list = (after: string | undefined, oldestFirst: boolean, count = 10) =>
      store.listOwnedIds('lister', { after, oldestFirst, count })

    it('is in the order of arrival, from either end, after any other', async () => {
      const now = Date.now()
      const ids: string[] = []
      for (let n = 0; n < 4; n++)
        ids.push((await accept({ owner: 'lister', view: { createdAt: now + n } })).id)
      assert.deepEqual(await list(undefined, true), ids)
      assert.deepEqual(await list(undefined, false), ids.toReversed())
      assert.deepEqual(await list(ids[1], true), ids.slice(2))
      assert.deepEqual(await list(ids[1], false), [ids[0]])
      assert.deepEqual(await list(ids[0], true, 2), ids.slice(1, 3))
      assert.deepEqual(await list(undefined, false, 1), [ids[3]])
      assert.equal(await list('nobody', true), undefined)
      const ttl = await redis.pttl(keys.ownerJobs('lister'))
      assert.ok(ttl > 0 && ttl <= keepMs)
      assert.deepEqual(
        (await store.readViews([ids[1] ?? '', 'nobody'])).map(({ id }) => id),
        [ids[1]],
      )
    })

    it('is removed when it is too old', async () => {
      const old = await accept({ owner: 'hoarder', view: { createdAt: Date.now() - keepMs - 60_000 } })
      const fresh = await accept({ owner: 'hoarder' })
      const candidates = await store.listOwnedIds('hoarder', {
        after: undefined,
        oldestFirst: true,
        count: 10,
      })
      assert.deepEqual(candidates, [fresh.id])
      assert.notEqual(await store.readStatus(old.id), undefined)
    })
  })

  describe('a candidate task', () => {
    const createCandidates = (same: boolean, ...tasks: string[]) => ({
      kind: 'candidates' as const,
      same,
      tasks: tasks.map((task) => ({
        ticket: { taskUUID: task },
        outcome: { kind: 'running' as const, ticket: { taskUUID: task }, stage: 'queued' as const },
      })),
    })
    const choose = async (job: string, candidates: ReturnType<typeof createCandidates>) => {
      const choice = { job, fingerprint: 'f', awaitedSince: 0, hasRestored: () => true }
      const chosen = await store.claimCandidate(runware, candidates, choice)
      return typeof chosen === 'object' && chosen.kind === 'running' ? chosen.ticket.taskUUID : chosen
    }

    it('is claimed if it is the only free one', async () => {
      assert.equal(await choose('a', createCandidates(false, 'only-1')), 'only-1')
      assert.equal(await choose('b', createCandidates(false, 'only-1')), undefined)
      assert.equal(await choose('b', createCandidates(false, 'only-1', 'only-2')), 'only-2')
    })

    it('is not claimed if there are several, since one may be another customer’s', async () => {
      assert.equal(await choose('c', createCandidates(false, 'either', 'or')), undefined)
      assert.equal(await choose('d', createCandidates(true, 'either', 'or')), 'either')
      assert.equal(await choose('e', createCandidates(true, 'either', 'or')), 'or')
      assert.equal(await choose('f', createCandidates(true, 'either', 'or')), undefined)
    })

    it('is found again by its job', async () => {
      assert.equal(await choose('g', createCandidates(false, 'mine')), 'mine')
      assert.equal(await choose('g', createCandidates(false, 'other-1', 'other-2', 'mine')), 'mine')
    })

    it('is absent without candidates', async () => {
      assert.equal(await choose('h', createCandidates(true)), undefined)
    })
  })
})
