import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createEngine, type Engine } from '../../src/jobs/engine.ts'
import type { JobListQuery } from '../../src/jobs/list-jobs.ts'
import { createQueues } from '../../src/jobs/queues.ts'
import { createJobStore, type JobStore } from '../../src/jobs/store/store.ts'
import { createJobWatchers } from '../../src/jobs/watchers.ts'
import { createKeys } from '../../src/redis/keys.ts'
import { createCleanup, startRedis } from '../support/setup.ts'

describe('the list of a caller’s jobs', () => {
  const cleanup = createCleanup()
  let engine: Engine
  let store: JobStore

  before(async () => {
    const { redis } = await startRedis(cleanup)
    const keys = createKeys('list:')
    store = createJobStore({ redis, keys, keepMs: 3_600_000 })
    const queues = createQueues({ redis, keys, names: ['fal'] })
    cleanup.add(() => queues.close())
    const watchers = createJobWatchers({ subscriber: redis, keys })
    cleanup.add(() => watchers.close())
    engine = createEngine({
      store,
      queues,
      watchers,
      longestJobSeconds: 3600,
      withdraw: async () => undefined,
    })
  })
  after(() => cleanup.run())

  async function add(owner: string, id: string, model = 'veo2-video'): Promise<string> {
    const record = { input: {}, route: ['fal'], deadlineSeconds: 60, costUsd: 0, sandbox: false } as const
    await engine.create({ ...record, id, owner, model })
    return id
  }

  async function pages(query: JobListQuery, between: () => Promise<unknown> = async () => undefined) {
    const seen: string[][] = []
    for (let after: string | undefined; ; ) {
      const page = await engine.list({ ...query, ...(after !== undefined && { after }) })
      assert.ok(page)
      seen.push(page.views.map(({ id }) => id))
      if (page.next === undefined) return seen
      after = page.next
      await between()
    }
  }

  it('is read page by page in either order, even if many jobs arrive in one millisecond', async () => {
    const ids = Array.from({ length: 25 }, (_, index) => `a${index}`)
    await Promise.all(ids.map((id) => add('alice', id)))
    let more = 0
    const newest = await pages({ owner: 'alice', limit: 10 }, () => add('alice', `later${more++}`))
    assert.deepEqual(
      newest.map((page) => page.length),
      [10, 10, 5],
    )
    assert.deepEqual(newest.flat().toSorted(), ids.toSorted())
    const oldest = await pages({ owner: 'alice', limit: 9, oldestFirst: true })
    assert.deepEqual(oldest.flat(), [...newest.flat().toReversed(), 'later0', 'later1'])
  })

  it('continues after a job that has been removed, and skips it', async () => {
    for (const id of ['b1', 'b2', 'b3']) await add('bobby', id)
    assert.equal(await engine.remove('b3'), false)
    const job = await store.claimStep('b3', Date.now())
    assert.ok(typeof job === 'object')
    await store.write(job, {
      view: { ...job.view, state: 'failed', completedAt: Date.now() },
      work: job.work,
    })
    assert.equal(await engine.remove('b3'), true)
    assert.equal(await engine.readStatus('b3'), undefined)
    assert.deepEqual(await engine.readHistory('b3'), [])
    assert.deepEqual(
      await engine.list({ owner: 'bobby', limit: 1, after: 'b3' }).then((page) => page?.views[0]?.id),
      'b2',
    )
    assert.deepEqual(await pages({ owner: 'bobby', limit: 10 }), [['b2', 'b1']])
  })

  it('rejects a job of another owner as a cursor', async () => {
    assert.equal(await engine.list({ owner: 'bobby', limit: 1, after: 'a1' }), undefined)
  })

  it('reads a limited number of records at a time', async () => {
    await add('carol', 'c-first', 'sora-2')
    for (let batch = 0; batch < 42; batch++) {
      await Promise.all(Array.from({ length: 50 }, (_, index) => add('carol', `c${batch}-${index}`)))
    }
    const seen = await pages({ owner: 'carol', limit: 5, model: 'sora-2' })
    assert.deepEqual(seen, [[], ['c-first']])
  })
})
