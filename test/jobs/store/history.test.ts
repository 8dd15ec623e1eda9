import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { followJob } from '../../../src/jobs/follow-job.ts'
import type { HistoryEntry, JobView } from '../../../src/jobs/job.ts'
import { createJobStore, type JobStore } from '../../../src/jobs/store/store.ts'
import { createKeys } from '../../../src/redis/keys.ts'
import { createCleanup, startRedis } from '../../support/setup.ts'

const keys = createKeys('trail:')
const event = (at: number, state: HistoryEntry['state']): HistoryEntry => ({ at, state, progress: 0 })

describe('the history of a job that has ended', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let store: JobStore

  before(async () => {
    redis = (await startRedis(cleanup)).redis
    store = createJobStore({ redis, keys, keepMs: 3_600_000 })
  })
  after(() => cleanup.run())

  async function end(id: string, events: HistoryEntry[]): Promise<void> {
    const view = { id, model: 'm', state: events.at(-1)?.state, progress: 0, createdAt: 1, costUsd: 0 }
    const version = events.length
    await redis.hset(keys.job(id), { owner: 'o', state: view.state, view: JSON.stringify(view), version })
    await redis.rpush(keys.history(id), ...events.map((one) => JSON.stringify(one)))
  }

  async function followed(id: string, after?: number): Promise<string[]> {
    const views: JobView[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    const source = {
      readStatus: store.readStatus,
      readHistoryAfter: store.readHistoryAfter,
      watch: async () => () => undefined,
    }
    await followJob(source, id, { after, onChange: (view) => views.push(view), onEnd: resolve })
    await promise
    return views.map(({ version, state }) => `${version} ${state}`)
  }

  it('accepts each note once, without a new version', async () => {
    await end('noted', [event(1, 'pending'), event(2, 'failed')])
    const note = { at: 3, kind: 'late_result', provider: 'fal', text: 'https://files.example/a.mp4' } as const
    await store.addNote('noted', note)
    await store.addNote('noted', { ...note, at: 4 })
    assert.deepEqual(await store.readNotes('noted'), [note])
    assert.equal((await store.readHistory('noted')).length, 2)
    assert.equal((await store.readStatus('noted'))?.view.version, 2)
    assert.deepEqual(await followed('noted', 1), ['2 failed'])
    assert.ok((await redis.pttl(keys.notes('noted'))) > 0)
  })

  it('rejects notes for a job that is missing or running', async () => {
    await end('running', [event(1, 'pending'), event(2, 'queued')])
    for (const id of ['absent', 'running']) {
      await store.addNote(id, { at: 3, kind: 'late_result' })
      assert.deepEqual(await store.readNotes(id), [])
    }
  })

  it('has one end if version 0.1 wrote notes among the changes', async () => {
    await end('old', [event(1, 'pending'), event(2, 'failed'), event(3, 'failed'), event(4, 'failed')])
    assert.deepEqual(await store.readHistory('old'), [event(1, 'pending'), event(2, 'failed')])
    assert.deepEqual(await store.readHistoryAfter('old', 1), [{ version: 2, entry: event(2, 'failed') }])
    assert.deepEqual(await store.readHistoryAfter('old', 2), [])
    assert.deepEqual(await followed('old', 1), ['2 failed'])
  })

  it('is followed to the last end if an operator resumed the job', async () => {
    await end('adopted', [event(1, 'pending'), event(2, 'failed'), event(3, 'queued'), event(4, 'succeeded')])
    for (const after of [1, 2])
      assert.deepEqual(await followed('adopted', after), ['3 queued', '4 succeeded'])
    assert.equal((await store.readHistory('adopted')).length, 4)
  })

  it('is returned from the beginning without a version, and otherwise from that version', async () => {
    const states = ['pending', 'submitting', 'queued', 'failed'] as const
    await end(
      'versions',
      states.map((state, at) => event(at, state)),
    )
    const after = async (version: number) =>
      (await store.readHistoryAfter('versions', version)).map((one) => one.version)
    assert.deepEqual(await after(-3), [1, 2, 3, 4])
    assert.deepEqual(await after(0), [1, 2, 3, 4])
    assert.deepEqual(await after(1), [2, 3, 4])
    assert.deepEqual(await after(3), [4])
    assert.deepEqual(await after(4), [])
    assert.deepEqual(await store.readHistoryAfter('absent', 0), [])
  })

  it('has its notes in the order of their time', async () => {
    await end('ordered', [event(1, 'pending'), event(2, 'failed')])
    await store.addNote('ordered', { at: 9, kind: 'late_result' })
    await store.addNote('ordered', { at: 8, kind: 'late_reply' })
    assert.deepEqual(
      (await store.readNotes('ordered')).map(({ at }) => at),
      [8, 9],
    )
    const ttl = await redis.pttl(keys.notes('ordered'))
    assert.ok(ttl > 399 * 86_400_000 && ttl <= 400 * 86_400_000)
  })
})

describe('the overdue jobs', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let store: JobStore

  before(async () => {
    redis = (await startRedis(cleanup)).redis
    store = createJobStore({ redis, keys, keepMs: 3_600_000 })
  })
  after(() => cleanup.run())

  it('are those that are due, the longest overdue first', async () => {
    await redis.zadd(keys.open, 30, 'third', 10, 'first', 20, 'second', 31, 'later')
    assert.deepEqual(await store.listOverdue(30, 9), ['first', 'second', 'third'])
    assert.deepEqual(await store.listOverdue(30, 2), ['first', 'second'])
    await store.postponeDeadline('first', 40)
    await store.postponeDeadline('ended', 1)
    await store.removeFromOpen('second')
    assert.deepEqual(await store.listOverdue(39, 9), ['third', 'later'])
    assert.deepEqual(await store.listOverdue(40, 9), ['third', 'later', 'first'])
  })
})
