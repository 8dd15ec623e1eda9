import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { createKeys } from '../../src/redis/keys.ts'
import { createCleanup, startRedis } from '../support/setup.ts'
import { createTestLedger } from './test-accounts.ts'

const keys = createKeys('adoption:')
const owner = 'key_1'
const adoption = { by: 'test' }

describe('the adoption of a task, as one atomic write', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let money: ReturnType<typeof createTestLedger>

  before(async () => {
    redis = (await startRedis(cleanup)).redis
    money = createTestLedger({ redis, keys })
    await redis.zadd(keys.accounts, 1, owner)
  })
  after(() => cleanup.run())

  const attempt = { id: 'attempt-1', provider: 'fal', at: 1_700_000_000_000 }

  /** A job that ended with its money on hold. */
  async function putJob(id: string, work: object = { attempt, cancelSentAt: 5, denials: 9, polls: 7 }) {
    const view = {
      id,
      model: 'minimax-video',
      state: 'failed',
      progress: 40,
      createdAt: 1,
      completedAt: 2,
      costUsd: 0.5,
      error: { code: 'submission_unknown', message: '' },
    }
    await redis.hset(keys.job(id), {
      owner,
      state: 'failed',
      view: JSON.stringify(view),
      input: JSON.stringify({ prompt: 'a boat' }),
      work: JSON.stringify({
        route: ['wavespeed'],
        deadlineAt: 3,
        refusals: 2,
        misses: 4,
        polls: 7,
        ...work,
      }),
      version: 2,
      fence: 3,
      cancel: '1',
      reserved: '500000',
      paid: '500000',
      webhook: 'https://files.example/hook',
    })
    await redis.pexpire(keys.job(id), 60_000)
    await redis.rpush(keys.history(id), '{"at":1,"state":"pending","progress":0}')
    await redis.rpush(keys.history(id), '{"at":2,"state":"failed","progress":40}')
    await redis.pexpire(keys.history(id), 60_000)
    await redis.hset(
      keys.moneyOnHold(owner),
      id,
      `500000 500000 ${keys.usage(owner, '2026-11-27')} minimax-video`,
    )
    await redis.hincrby(keys.account(owner), 'held', 500_000)
    await redis.zadd(keys.webhooks, 1, id)
  }

  it('puts the job back into the queue', async () => {
    await putJob('vid_1')
    const subscriber = redis.duplicate({ enableOfflineQueue: true })
    cleanup.add(() => subscriber.disconnect())
    const messages: string[] = []
    await subscriber.subscribe(keys.channel('vid_1'))
    subscriber.on('message', (_, message) => messages.push(message))

    const before = Date.now()
    const settled = await money.unknownJobs.adopt('vid_1', { ...adoption, ticket: 'task-1' })
    assert.equal(settled.kind, 'done')

    const job = await redis.hgetall(keys.job('vid_1'))
    const { deadlineAt, takenAt, ticket, ...work } = JSON.parse(job.work ?? '')
    assert.deepEqual(work, { route: ['fal'], attempt, refusals: 0, misses: 0, polls: 0 })
    assert.ok(takenAt >= before && deadlineAt === takenAt + 600_000)
    assert.equal(ticket.id, 'task-1')
    const { state, error, completedAt, progress, adoptions } = JSON.parse(job.view ?? '')
    assert.deepEqual(
      [state, error, completedAt, progress, adoptions],
      ['queued', undefined, undefined, 40, 1],
    )
    assert.deepEqual([job.state, job.version, job.fence, job.cancel], ['queued', '3', '4', undefined])
    assert.equal(job.attempt, 'attempt-1')
    assert.equal(await redis.pttl(keys.job('vid_1')), -1)
    assert.equal(await redis.pttl(keys.history('vid_1')), -1)
    const events = await redis.lrange(keys.history('vid_1'), 0, -1)
    assert.deepEqual(
      events.map((event) => JSON.parse(event).state),
      ['pending', 'failed', 'queued'],
    )
    assert.ok(Number(await redis.zscore(keys.open, 'vid_1')) > before)
    assert.equal(await redis.zscore(keys.webhooks, 'vid_1'), null)
    assert.deepEqual(await redis.lrange(`${keys.queuePrefix('fal')}wait`, 0, -1), ['vid_1'])
    assert.equal(await redis.hexists(keys.moneyOnHold(owner), 'vid_1'), 0)
    assert.equal(await redis.get(keys.task('fal', 'task-1')), 'vid_1')
    const { held, reserved } = await redis.hgetall(keys.account(owner))
    assert.deepEqual([held, reserved], ['0', '500000'])
    const usage = await redis.hgetall(keys.usage(owner, '2026-11-27'))
    assert.deepEqual(usage, { 'minimax-video|failed': '-1' })
    while (messages.length === 0) await sleep(5)
    assert.match(messages[0] ?? '', /^3 \{.*"state":"queued"/)
  })

  it('adds no second entry to the queue', async () => {
    await putJob('vid_2')
    await redis.hset(`${keys.queuePrefix('fal')}vid_2`, 'name', 'step')
    await money.unknownJobs.adopt('vid_2', { ...adoption, ticket: 'task-2' })
    assert.ok(!(await redis.lrange(`${keys.queuePrefix('fal')}wait`, 0, -1)).includes('vid_2'))
  })

  const revival = {
    version: 2,
    view: '{}',
    work: '{}',
    attempt: '',
    event: '{}',
    dueAt: 1,
    queue: 'fal',
    task: { provider: 'fal', id: 'task-3', ticket: { id: 'task-3' } },
  }
  const adopt = (job: string, change: object = {}) =>
    money.holds.adopt(owner, job, { decision: 'adopt', by: 'test' }, { ...revival, ...change }, Date.now())

  it('does not overwrite a record that has changed meanwhile', async () => {
    await putJob('vid_3')
    const before = await redis.hgetall(keys.job('vid_3'))
    assert.deepEqual(await adopt('vid_3', { version: 1 }), { kind: 'changed' })
    await redis.hset(keys.job('vid_3'), 'state', 'queued')
    assert.deepEqual(await adopt('vid_3'), { kind: 'changed' })
    assert.deepEqual(await redis.hgetall(keys.job('vid_3')), { ...before, state: 'queued' })
    assert.equal(await redis.hexists(keys.moneyOnHold(owner), 'vid_3'), 1)
    assert.equal(await redis.exists(keys.task('fal', 'task-3')), 0)
    await redis.del(keys.job('vid_3'))
    assert.deepEqual(await adopt('vid_3'), { kind: 'gone' })
  })

  it('succeeds once when several run at the same time; the others return its decision and write nothing', async () => {
    await putJob('vid_10')
    const task = { provider: 'fal', id: 'task-10', ticket: { id: 'task-10' } }
    const decided = await Promise.all([1, 2, 3].map(() => adopt('vid_10', { task })))
    assert.deepEqual(decided.map(({ kind }) => kind).sort(), ['decided', 'decided', 'done'])
    assert.equal(new Set(decided.map((one) => JSON.stringify('first' in one && one.first))).size, 1)
    assert.equal(await redis.hget(keys.job('vid_10'), 'version'), '3')
    const rows = (await money.ledger.listMovements(owner, 100)).filter(({ job }) => job === 'vid_10')
    assert.deepEqual(
      rows.map(({ kind, by, heldUsd, reservedUsd }) => [kind, by, heldUsd, reservedUsd]),
      [['adopt', 'test', -0.5, 0.5]],
    )
    await redis.del(keys.decision('vid_10'))
    assert.deepEqual(await adopt('vid_10', { task }), { kind: 'none' })
  })

  it('rejects a task of another job, by task ID or by ticket', async () => {
    await putJob('vid_4')
    await redis.set(keys.task('fal', JSON.stringify({ id: 'task-3' })), 'vid_9')
    assert.deepEqual(await adopt('vid_4'), { kind: 'taken', job: 'vid_9' })
    await redis.del(keys.task('fal', JSON.stringify({ id: 'task-3' })))
    await redis.set(keys.task('fal', 'task-3'), 'vid_8')
    assert.deepEqual(await adopt('vid_4'), { kind: 'taken', job: 'vid_8' })
    assert.equal(await redis.hget(keys.job('vid_4'), 'state'), 'failed')
    await redis.set(keys.task('fal', 'task-3'), 'vid_4')
    assert.equal((await adopt('vid_4')).kind, 'done')
  })

  it('is rejected without an attempt, or if the upstream has no such tasks', async () => {
    await putJob('vid_5', { attempt: undefined })
    assert.deepEqual(await money.unknownJobs.adopt('vid_5', { ...adoption, ticket: 't' }), {
      kind: 'no_attempt',
    })
    await putJob('vid_6', { attempt: { ...attempt, provider: 'wavespeed' } })
    assert.deepEqual(await money.unknownJobs.adopt('vid_6', { ...adoption, ticket: 't' }), {
      kind: 'no_attempt',
    })
    assert.deepEqual(await money.unknownJobs.adopt('vid_0', { ...adoption, ticket: 't' }), { kind: 'none' })
  })

  it('may put the money on hold again, which needs a new decision', async () => {
    await putJob('vid_7')
    assert.equal((await money.unknownJobs.adopt('vid_7', { ...adoption, ticket: 'task-7' })).kind, 'done')
    const first = await money.unknownJobs.decide('vid_7', { ...adoption, decision: 'charge' })
    assert.equal(first.kind, 'other')
    await putJob('vid_7')
    const second = await money.unknownJobs.decide('vid_7', { ...adoption, decision: 'charge' })
    assert.equal(second.kind, 'done')
    assert.equal(
      (await money.unknownJobs.decide('vid_7', { ...adoption, decision: 'charge' })).kind,
      'replayed',
    )
    const decision = await money.holds.readDecision('vid_7')
    assert.deepEqual([decision?.decision, decision?.ticket], ['charge', undefined])
    for (const key of [keys.decision('vid_7'), keys.notes('vid_7')]) assert.ok((await redis.pttl(key)) > 0)
    const notes = Object.values(await redis.hgetall(keys.notes('vid_7')))
    assert.deepEqual(
      notes.map((note) => JSON.parse(note).kind),
      ['adopt', 'charge'],
    )
  })
})
