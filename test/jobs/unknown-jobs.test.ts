import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import type { Provider } from '../../providers/provider.ts'
import { runware } from '../../providers/runware/index.ts'
import { models } from '../../src/catalogue/models/index.ts'
import {
  createUnknownJobs,
  explainRefusedDecision,
  jobDeadlineMs,
  type UnknownJobs,
} from '../../src/jobs/unknown-jobs.ts'
import { createTestAccounts } from '../accounts/job-money.ts'
import { createCleanup, startRedis } from '../support/setup.ts'

const now = 1_800_000_000_000
const by = 'olga'

describe('a job whose money is on hold', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let accounts: ReturnType<typeof createTestAccounts>
  let unknown: UnknownJobs

  const task: Provider['task'] = { reference: (id) => ({ task: id }), id: ({ task }) => `id of ${task}` }
  const mapping = Object.values(runware.models)[0] ?? assert.fail()
  const routing: Parameters<typeof createUnknownJobs>[0]['routing'] = {
    find: ({ id }, name) =>
      id === 'veo' && name === 'fal' ? { provider: { ...runware, task }, mapping } : undefined,
  }

  before(async () => {
    redis = (await startRedis(cleanup)).redis
    accounts = createTestAccounts(redis, 'unknown:')
    unknown = create()
  })
  after(() => cleanup.run())

  const create = (changes: Partial<Parameters<typeof createUnknownJobs>[0]> = {}) =>
    createUnknownJobs({
      store: accounts.store,
      holds: accounts.holds,
      routing,
      settingsOf: () => ({}),
      deadlineMs: () => 60_000,
      now: () => now,
      ...changes,
    })

  async function hold({
    ticket = { task: 'x' },
    model = 'veo',
  }: {
    ticket?: object | null
    model?: string
  } = {}) {
    const { account } = await accounts.ledger.createAccount({ name: 'ann', balanceUsd: 10 })
    const { id: job } = await accounts.accept(account.id, 2, { model })
    await accounts.start(job, ticket === null ? {} : { ticket: ticket as never })
    await accounts.fail(job, 'task_lost')
    return { owner: account.id, job }
  }
  /** As version 0.1 wrote it: without JSON. */
  async function makeOld({ owner, job }: { owner: string; job: string }) {
    const entry = (await redis.hget(accounts.keys.moneyOnHold(owner), job)) ?? ''
    await redis.hset(accounts.keys.moneyOnHold(owner), job, entry.replace(/ \{.*$/, ''))
  }
  const listed = async (job: string) => (await unknown.list()).find(({ id }) => id === job) ?? assert.fail()

  describe('is listed', () => {
    it('with its data, also after its record is gone', async () => {
      const { owner, job } = await hold()
      await redis.del(accounts.keys.job(job))
      const { since, ...rest } = await listed(job)
      assert.ok(Math.abs((since ?? 0) - Date.now()) < 60_000)
      const attempt = { provider: 'fal', attempt: 'attempt', attemptAt: 5, task: 'id of x' }
      assert.deepEqual(rest, { id: job, owner, model: 'veo', costUsd: 2, code: 'task_lost', ...attempt })
    })

    it('with the data of the hold, even if the record has changed', async () => {
      const { job } = await hold()
      const before = await listed(job)
      await redis.hset(
        accounts.keys.job(job),
        'work',
        JSON.stringify({ attempt: { id: 'b', provider: 'runware' } }),
      )
      assert.deepEqual(await listed(job), before)
    })

    it('without a task that its record got later', async () => {
      const { job } = await hold({ ticket: null })
      await redis.hset(accounts.keys.job(job), 'work', JSON.stringify({ ticket: { task: 'y' } }))
      assert.equal((await listed(job)).task, undefined)
    })

    it('with the data of its record, if version 0.1 put the money on hold', async () => {
      const job = await hold()
      const { since, ...rest } = await listed(job.job)
      await makeOld(job)
      const old = await listed(job.job)
      assert.deepEqual(old, { ...rest, since: (await accounts.store.read(job.job))?.view.completedAt })
      assert.ok(Math.abs((old.since ?? 0) - (since ?? 0)) < 60_000)
    })

    it('without data that is lost', async () => {
      const onHold = await hold()
      await makeOld(onHold)
      await redis.del(accounts.keys.job(onHold.job))
      const nothing = { code: undefined, since: undefined, provider: undefined, task: undefined }
      const attempt = { attempt: undefined, attemptAt: undefined }
      const entry = { id: onHold.job, owner: onHold.owner, model: 'veo', costUsd: 2 }
      assert.deepEqual(await listed(onHold.job), { ...entry, ...nothing, ...attempt })
    })

    it('with the task of its late reply', async () => {
      const { job } = await hold({ ticket: null })
      assert.equal((await listed(job)).task, undefined)
      await accounts.store.addNote(job, { at: 1, kind: 'late_result', text: 'other' })
      await accounts.store.addNote(job, { at: 2, kind: 'late_reply', text: 'task-9' })
      assert.equal((await listed(job)).task, 'task-9')
    })

    it('without its task if the upstream no longer has the model', async () => {
      assert.equal((await listed((await hold({ model: 'kling' })).job)).task, undefined)
    })

    it('newest first, and those with an unknown time last', async () => {
      const first = await hold()
      const unknownTime = await hold()
      await makeOld(unknownTime)
      await redis.del(accounts.keys.job(unknownTime.job))
      const entry = (await redis.hget(accounts.keys.moneyOnHold(first.owner), first.job)) ?? ''
      await redis.hset(
        accounts.keys.moneyOnHold(first.owner),
        first.job,
        entry.replace(/"since":\d+/, '"since":1'),
      )
      const second = await hold()
      const ids = (await unknown.list()).map(({ id }) => id)
      const at = [second, first, unknownTime].map(({ job }) => ids.indexOf(job))
      assert.deepEqual(
        at,
        at.toSorted((a, b) => a - b),
      )
    })
  })

  describe('is decided', () => {
    it('with the time of the gateway', async () => {
      const { owner, job } = await hold()
      const settled = await unknown.decide(job, { decision: 'charge', by, note: 'billed' })
      const decision = { job, owner, decision: 'charge', usd: 2, at: now, by, note: 'billed' }
      assert.deepEqual(settled, { kind: 'done', decision })
      assert.deepEqual(await unknown.decide(job, { decision: 'charge', by }), { kind: 'replayed', decision })
      assert.deepEqual(await unknown.decide(job, { decision: 'release', by }), { kind: 'other', decision })
    })

    it('for its owner only, before and after', async () => {
      const { owner, job } = await hold()
      const { account: other } = await accounts.ledger.createAccount({ name: 'bob' })
      const decide = async (whose: string) =>
        (await unknown.decide(job, { decision: 'release', owner: whose, by })).kind
      assert.equal(await decide(other.id), 'none')
      assert.equal(await decide(owner), 'done')
      assert.equal(await decide(owner), 'replayed')
      assert.equal(await decide(other.id), 'none')
      assert.equal((await unknown.decide('nobody', { decision: 'charge', by })).kind, 'none')
    })
  })

  describe('is resumed', () => {
    const adopt = (job: string, ticket: string, changes: object = {}) =>
      unknown.adopt(job, { ticket, by, ...changes })

    it('with its task, once', async () => {
      const { owner, job } = await hold()
      const settled = await adopt(job, 'task-1', { note: 'found' })
      const decision = { job, owner, decision: 'adopt', usd: 2, at: now, by, note: 'found', ticket: 'task-1' }
      assert.deepEqual(settled, { kind: 'done', decision })
      assert.deepEqual(await adopt(job, 'task-1'), { kind: 'replayed', decision })
      assert.deepEqual(await adopt(job, 'task-2'), { kind: 'other', decision })
      assert.deepEqual((await unknown.decide(job, { decision: 'charge', by })).kind, 'other')
      assert.equal((await accounts.store.read(job))?.view.state, 'queued')
    })

    it('for its owner only', async () => {
      const { owner, job } = await hold()
      assert.deepEqual(await adopt(job, 'task-3', { owner: 'key_0' }), { kind: 'none' })
      assert.equal((await adopt(job, 'task-3', { owner })).kind, 'done')
      assert.equal((await adopt(job, 'task-3', { owner })).kind, 'replayed')
      assert.deepEqual(await adopt(job, 'task-3', { owner: 'key_0' }), { kind: 'none' })
    })

    it('not without its record, and not with the task of another job', async () => {
      const [first, second] = [await hold(), await hold()]
      assert.equal((await adopt(first.job, 'task-4')).kind, 'done')
      assert.deepEqual(await adopt(second.job, 'task-4'), { kind: 'taken', job: first.job })
      await redis.del(accounts.keys.job(second.job))
      assert.deepEqual(await adopt(second.job, 'task-5'), { kind: 'gone' })
    })

    it('not if the upstream no longer has the model', async () => {
      assert.deepEqual(await adopt((await hold({ model: 'kling' })).job, 'task-6'), { kind: 'no_attempt' })
    })

    /** Changes the record after each of so many reads. */
    function changing(job: string, times: number) {
      let reads = 0
      const read: typeof accounts.store.read = async (id) => {
        const record = await accounts.store.read(id)
        if (reads++ < times) await redis.hincrby(accounts.keys.job(job), 'version', 1)
        return record
      }
      return { reads: () => reads, unknown: create({ store: { ...accounts.store, read } }) }
    }

    it('from the current record if it changed meanwhile', async () => {
      const { job } = await hold()
      const { reads, unknown } = changing(job, 4)
      assert.equal((await unknown.adopt(job, { ticket: 'task-7', by })).kind, 'done')
      assert.equal(reads(), 5)
    })

    it('not while its record keeps changing', async () => {
      const { job } = await hold()
      const { reads, unknown } = changing(job, 9)
      assert.deepEqual(await unknown.adopt(job, { ticket: 'task-8', by }), { kind: 'changed' })
      assert.equal(reads(), 5)
    })

    it('not if its hold is lost without a decision', async () => {
      const { job, owner } = await hold()
      let lookups = 0
      const ownerOf = async () => (lookups++ === 0 ? owner : undefined)
      const lost = create({ holds: { ...accounts.holds, findOwner: ownerOf } })
      assert.deepEqual(await lost.adopt(job, { ticket: 'task-9', by }), { kind: 'none' })
    })
  })
})

describe('the time limit of a resumed job', () => {
  it('is that of its model, and the maximum if there is none or it is longer', () => {
    const film = models.find(({ deadlineSeconds }) => deadlineSeconds === 3600) ?? assert.fail()
    assert.equal(jobDeadlineMs(film.id, 7200), 3_600_000)
    assert.equal(jobDeadlineMs(film.id, 100), 100_000)
    assert.equal(jobDeadlineMs('no such model', 7200), 7_200_000)
  })
})

describe('the reason why a decision was rejected', () => {
  it('names the job, and what an operator can do', () => {
    for (const [kind, reason] of [
      ['none', /^No money is on hold for the job vid_1$/],
      ['gone', /the job vid_1 .*can only be charged or released$/],
      ['no_attempt', /^The job vid_1 was sent to no upstream/],
      ['no_such_task', /no tasks of such an ID/],
      ['changed', /^The job vid_1 is changing.*try again$/],
    ] as const)
      assert.match(explainRefusedDecision('vid_1', { kind }), reason)
    assert.match(
      explainRefusedDecision('vid_1', { kind: 'taken', job: 'vid_2' }),
      /belongs to the job vid_2$/,
    )
  })

  it('is the first decision, with its task', () => {
    const decision = { job: 'vid_1', owner: 'o', decision: 'adopt', usd: 1, at: now, by } as const
    const date = new Date(now).toISOString()
    assert.equal(
      explainRefusedDecision('vid_1', { kind: 'other', decision: { ...decision, ticket: 't' } }),
      `The job vid_1 was settled before: adopt of the task t on ${date} by olga`,
    )
    assert.equal(
      explainRefusedDecision('vid_1', { kind: 'other', decision: { ...decision, decision: 'charge' } }),
      `The job vid_1 was settled before: charge on ${date} by olga`,
    )
  })
})
