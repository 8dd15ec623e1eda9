import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { JobRefused } from '../../src/accounts/check-account.ts'
import type { Engine } from '../../src/jobs/engine.ts'
import type { JobView } from '../../src/jobs/job.ts'
import type { JobRequest } from '../../src/jobs/job-request.ts'
import { RedisUnavailable } from '../../src/redis/redis-unavailable.ts'

export type EngineUnderTest = {
  engine: Engine
  /** Changes the state of a job, like a worker. */
  advance(id: string, change: Partial<JobView>): Promise<JobView>
  /** Lets a worker run the next step of a job with a requested cancel. */
  runCancel(id: string): Promise<void>
  /** Makes Redis unavailable for the rest of the test. */
  breakDown(): Promise<void> | void
  close(): Promise<void> | void
}

const ended = { state: 'succeeded', progress: 100, completedAt: 1_800_000_000_000 } as const

/** The contract for the APIs. The engine and its test double pass it. */
export function testEngineContract(name: string, start: () => Promise<EngineUnderTest>): void {
  describe(`${name}: the contract of the engine`, () => {
    let setup: EngineUnderTest
    let engine: Engine
    let jobs = 0

    before(async () => {
      setup = await start()
      engine = setup.engine
    })
    after(() => setup.close())

    function requestOf(changes: Partial<JobRequest> = {}): JobRequest {
      return {
        id: `job${++jobs}`,
        owner: 'alice',
        model: 'veo2-video',
        input: { prompt: 'a paper boat' },
        route: ['fal'],
        deadlineSeconds: 60,
        costUsd: 2.5,
        sandbox: false,
        ...changes,
      }
    }

    const create = async (changes?: Partial<JobRequest>) => (await engine.create(requestOf(changes))).id

    it('a new job is pending, with what was requested', async () => {
      const request = requestOf({ sandbox: true, conversationUUID: 'c1', remixedFrom: 'job0' })
      const { createdAt, ...view } = await engine.create(request)
      assert.deepEqual(view, {
        id: request.id,
        version: 1,
        model: 'veo2-video',
        state: 'pending',
        progress: 0,
        costUsd: 2.5,
        sandbox: true,
        conversationUUID: 'c1',
        remixedFrom: 'job0',
      })
      assert.deepEqual(await engine.readStatus(request.id), { owner: 'alice', view: { createdAt, ...view } })
      assert.deepEqual(await engine.readInput(request.id), { prompt: 'a paper boat' })
      assert.equal(await engine.readTaskReference(request.id), undefined)
    })

    it('an unknown job has no status, no input, no history and no notes', async () => {
      assert.equal(await engine.readStatus('nobody'), undefined)
      assert.deepEqual(await engine.readInput('nobody'), {})
      assert.equal(await engine.readTaskReference('nobody'), undefined)
      assert.deepEqual(await engine.readHistory('nobody'), [])
      assert.deepEqual(await engine.readHistoryAfter('nobody', 0), [])
      assert.deepEqual(await engine.readNotes('nobody'), [])
      assert.equal(await engine.cancel('nobody'), undefined)
      assert.equal(await engine.remove('nobody'), false)
    })

    it('an idempotency key returns the first job again, with its warnings', async () => {
      const idempotencyKey = { key: 'k1', fingerprint: 'f1' }
      assert.equal(await engine.findReplay('alice', idempotencyKey), undefined)
      const first = await engine.create(requestOf({ idempotencyKey, warnings: ['adjusted'] }))
      assert.equal(first.replay, undefined)
      const second = await engine.create(requestOf({ idempotencyKey, warnings: ['others'] }))
      const { replay, ...view } = second
      assert.deepEqual([view, replay], [first, { warnings: ['adjusted'] }])
      assert.deepEqual(await engine.findReplay('alice', idempotencyKey), second)
    })

    it('a replay shows the job as it was created', async () => {
      const idempotencyKey = { key: 'k2', fingerprint: 'f1' }
      const id = await create({ idempotencyKey })
      await setup.advance(id, { state: 'generating', progress: 40 })
      assert.equal((await engine.findReplay('alice', idempotencyKey))?.state, 'pending')
    })

    it('an idempotency key rejects another request, and belongs to one owner', async () => {
      const idempotencyKey = { key: 'k3', fingerprint: 'f1' }
      await create({ idempotencyKey })
      const other = { key: 'k3', fingerprint: 'f2' }
      const isReused = (error: unknown) => error instanceof JobRefused && error.reason.kind === 'reused'
      await assert.rejects(engine.create(requestOf({ idempotencyKey: other })), isReused)
      await assert.rejects(engine.findReplay('alice', other), isReused)
      const bobbys = await create({ owner: 'bobby', idempotencyKey: other })
      assert.equal((await engine.findReplay('bobby', other))?.id, bobbys)
    })

    it('each change has a version, and the history has each change', async () => {
      const id = await create()
      await setup.advance(id, { state: 'queued' })
      await setup.advance(id, { state: 'generating', progress: 40 })
      const view = await setup.advance(id, ended)
      assert.equal(view.version, 4)
      assert.deepEqual((await engine.readStatus(id))?.view, view)
      const history = await engine.readHistory(id)
      assert.deepEqual(
        history.map(({ state, progress, provider }) => [state, progress, provider]),
        [
          ['pending', 0, undefined],
          ['queued', 0, 'fal'],
          ['generating', 40, 'fal'],
          ['succeeded', 100, 'fal'],
        ],
      )
      assert.ok(history.every(({ at }) => Number.isInteger(at)))
      const later = await engine.readHistoryAfter(id, 2)
      assert.deepEqual(
        later.map(({ version, entry }) => [version, entry.state]),
        [
          [3, 'generating'],
          [4, 'succeeded'],
        ],
      )
      assert.deepEqual(await engine.readNotes(id), [])
    })

    it('a cancel ends a job that has not been purchased', async () => {
      const id = await create()
      assert.equal((await engine.cancel(id))?.id, id)
      await setup.runCancel(id)
      const canceled = (await engine.readStatus(id))?.view
      assert.deepEqual([canceled?.state, canceled?.error?.code], ['canceled', 'canceled'])
      assert.ok(canceled?.completedAt !== undefined)
      assert.deepEqual(await engine.cancel(id), canceled)
    })

    it('a cancel does not change a job that has ended', async () => {
      const id = await create()
      const view = await setup.advance(id, ended)
      assert.deepEqual(await engine.cancel(id), view)
    })

    it('only a job that has ended is removed, once', async () => {
      const owner = 'remover'
      const [running, finished] = [await create({ owner }), await create({ owner })]
      await setup.advance(finished, ended)
      assert.equal(await engine.remove(running), false)
      assert.equal(await engine.remove(finished), true)
      assert.equal(await engine.remove(finished), false)
      assert.equal(await engine.readStatus(finished), undefined)
      assert.deepEqual(await engine.readHistory(finished), [])
      const page = await engine.list({ owner, limit: 10 })
      assert.deepEqual(
        page?.views.map(({ id }) => id),
        [running],
      )
    })

    it('the list returns an owner’s jobs page by page, in both orders', async () => {
      const owner = 'lister'
      const ids = [await create({ owner }), await create({ owner }), await create({ owner })]
      const idsOf = async (query: object) => {
        const page = await engine.list({ owner, limit: 2, ...query })
        return [page?.views.map(({ id }) => id), page?.next]
      }
      const [first, second, third] = ids
      assert.deepEqual(await idsOf({}), [[third, second], second])
      assert.deepEqual(await idsOf({ after: second }), [[first], undefined])
      assert.deepEqual(await idsOf({ oldestFirst: true }), [[first, second], second])
      assert.deepEqual(await idsOf({ oldestFirst: true, after: second }), [[third], undefined])
      assert.deepEqual(await idsOf({ limit: 3 }), [[third, second, first], undefined])
      assert.equal(await engine.list({ owner, limit: 2, after: 'nobody' }), undefined)
      assert.equal(await engine.list({ owner: 'lister2', limit: 2, after: first ?? '' }), undefined)
      assert.deepEqual(await engine.list({ owner: 'lister3', limit: 2 }), { views: [] })
    })

    it('the list continues after a job that has been removed', async () => {
      const owner = 'skipper'
      const [first, second] = [await create({ owner }), await create({ owner })]
      await setup.advance(second, ended)
      await engine.remove(second)
      const page = await engine.list({ owner, limit: 2, after: second })
      assert.deepEqual(
        page?.views.map(({ id }) => id),
        [first],
      )
    })

    it('the list can be limited to a model, to states and to a conversation', async () => {
      const owner = 'filterer'
      const [plain, other, spoken] = [
        await create({ owner }),
        await create({ owner, model: 'sora-2' }),
        await create({ owner, conversationUUID: 'c9' }),
      ]
      await setup.advance(plain, ended)
      const idsOf = async (query: object) =>
        (await engine.list({ owner, limit: 10, ...query }))?.views.map(({ id }) => id)
      assert.deepEqual(await idsOf({ model: 'sora-2' }), [other])
      assert.deepEqual(await idsOf({ states: ['succeeded', 'failed'] }), [plain])
      assert.deepEqual(await idsOf({ conversationUUID: 'c9' }), [spoken])
      assert.deepEqual(await idsOf({ model: 'veo2-video', states: ['pending'] }), [spoken])
    })

    it('a watcher receives each later change, until it stops', async () => {
      const id = await create()
      const seen: JobView[] = []
      const change = Promise.withResolvers<void>()
      const stop = await engine.watch(id, {
        onChange: (view) => {
          seen.push(view)
          change.resolve()
        },
        onMissed: () => undefined,
      })
      const view = await setup.advance(id, { state: 'queued' })
      await change.promise
      assert.deepEqual(seen, [view])
      stop()
      await setup.advance(id, { state: 'generating' })
      // Another watcher gets the same message: when it has arrived, the first one would have it too.
      const last = Promise.withResolvers<void>()
      const stopLast = await engine.watch(id, { onChange: () => last.resolve(), onMissed: () => undefined })
      await setup.advance(id, { state: 'generating', progress: 50 })
      await last.promise
      stopLast()
      assert.deepEqual(seen, [view])
    })

    it('every call rejects while Redis cannot serve', async () => {
      const id = await create()
      await setup.breakDown()
      const calls: readonly (() => Promise<unknown>)[] = [
        () => engine.create(requestOf()),
        () => engine.findReplay('alice', { key: 'k', fingerprint: 'f' }),
        () => engine.readStatus(id),
        () => engine.list({ owner: 'alice', limit: 1 }),
        () => engine.readInput(id),
        () => engine.cancel(id),
        () => engine.remove(id),
        () => engine.readTaskReference(id),
        () => engine.readHistory(id),
        () => engine.readNotes(id),
        () => engine.readHistoryAfter(id, 0),
        () => engine.watch(id, { onChange: () => undefined, onMissed: () => undefined }),
      ]
      for (const call of calls) await assert.rejects(call(), RedisUnavailable, String(call))
    })
  })
}
