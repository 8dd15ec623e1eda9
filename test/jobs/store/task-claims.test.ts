import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import type { Outcome, Provider, TaskCandidates, TaskReference } from '../../../providers/provider.ts'
import { createCallbackReceiver } from '../../../src/jobs/callbacks.ts'
import { createJournal } from '../../../src/jobs/journal/journal.ts'
import type { Queues } from '../../../src/jobs/queues.ts'
import { createCleanup, quiet, startRedis, temporaryFolder } from '../../support/setup.ts'
import { createJobHarness, done, lost, reply, type Upstream } from '../job-harness.ts'

const ticket: TaskReference = { task: 'the one task' }
const accepted: Outcome = { kind: 'running', ticket, stage: 'queued' }
const task: Provider['task'] = { id: ({ task }) => String(task), reference: (id) => ({ task: id }) }

describe('a task belongs to one job', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let harness: ReturnType<typeof createJobHarness>

  before(async () => {
    redis = (await startRedis(cleanup)).redis
  })
  after(() => cleanup.run())

  let tests = 0
  /** Jobs of an upstream that lists its tasks without our IDs. */
  const begin = (more: Partial<Provider> = {}, upstream: Upstream = {}) => {
    const find: Provider['find'] = {
      call: () => ({ method: 'GET', path: 'find' }),
      read: (): TaskCandidates => ({
        kind: 'candidates',
        tasks: [{ ticket, outcome: accepted }],
        same: true,
      }),
      safeToResend: false,
    }
    return harness.begin({ provider: { task, find, accept: () => accepted, ...more }, ...upstream })
  }
  const reset = () => {
    harness = createJobHarness(redis, `claims${++tests}:`)
  }

  it('with a failed call does not claim the task of an identical job with a slow reply', async () => {
    reset()
    const died = await begin({}, { sent: (path) => (path === 'submit' ? lost : reply) })
    let arrive = (): void => undefined
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve
    })
    const slow = await begin({}, { sent: () => arrived.then(() => reply) })
    const waiting = slow.run()
    while (slow.calls.length === 0) await new Promise((resolve) => setImmediate(resolve))
    await died.run()
    died.clock.now += 500
    await died.run()
    assert.equal(await died.state(), 'submitting')
    arrive()
    await waiting
    assert.equal(await slow.state(), 'queued')
    await died.runAll()
    assert.equal(await died.error(), 'submission_unknown')
  })

  it('is not claimed by a process that has not restored its attempts', async () => {
    reset()
    const job = await begin({}, { sent: (path) => (path === 'submit' ? lost : reply) })
    await job.run()
    Object.assign(job.deps, { hasRestored: () => false })
    job.clock.now += 5000
    await job.run()
    assert.equal(await job.state(), 'submitting')
    Object.assign(job.deps, { hasRestored: () => true })
    job.clock.now += 5000
    await job.run()
    assert.equal(await job.state(), 'queued')
  })

  it('is found again if the identical job was never accepted', async () => {
    reset()
    const job = await begin({}, { sent: (path) => (path === 'submit' ? lost : reply) })
    await job.run()
    const other = await begin({}, { sent: (path) => (path === 'submit' ? lost : reply) })
    await other.run()
    job.clock.now += 5000
    await job.run()
    assert.equal(await job.state(), 'queued')
    await other.runAll()
    assert.equal(await other.error(), 'submission_unknown')
  })

  it('even if an upstream returns it for two purchases, and the second is not charged', async () => {
    reset()
    const first = await begin({ find: undefined } as never)
    const second = await begin({ find: undefined } as never)
    await first.run()
    await second.run()
    assert.equal(await first.state(), 'queued')
    assert.equal(await second.state(), 'submitting')
    await second.runAll()
    assert.equal(await second.error(), 'submission_unknown')
  })

  it('and a reply with a task of another job is not stored', async () => {
    reset()
    const dir = join(await temporaryFolder(cleanup), 'journal')
    const journal = await createJournal({ dir, keepMs: 3_600_000, logger: quiet })
    cleanup.add(() => journal.close())
    const first = await begin({ find: undefined } as never)
    const second = await begin({ find: undefined } as never, { deps: { journal } })
    await first.run()
    await second.runAll()
    assert.equal(await second.error(), 'submission_unknown')
    const { value: [entry] = [] } = await journal.listMadeElsewhere('').next()
    assert.equal(entry?.job, second.id)
    assert.equal(entry.reply, undefined)
  })

  it('even if an upstream replies to the second purchase with the finished video', async () => {
    reset()
    const accept = () => ({ ...done, ticket }) as Outcome
    const first = await begin({ accept, find: undefined } as never)
    const second = await begin({ accept, find: undefined } as never)
    await first.run()
    await second.run()
    assert.equal(await first.state(), 'delivering')
    assert.equal(await second.state(), 'submitting')
  })

  it('even if a callback names it for another job', async () => {
    reset()
    const first = await begin({ find: undefined } as never)
    await first.run()
    const second = await begin({ find: undefined } as never, { sent: () => lost })
    await second.run()
    const adopt = () => ticket
    const endpoint = second.deps.routing.find({ id: '' }, 'runware')
    assert.ok(endpoint)
    const routing = { find: () => ({ ...endpoint, provider: { ...endpoint.provider, adopt } }) }
    const callback = createCallbackReceiver({
      now: () => second.clock.now,
      store: harness.store,
      queues: { bringForward: async () => undefined } as unknown as Queues,
      routing: routing as never,
      upstreams: second.deps.upstreams,
    })
    assert.equal(await callback(second.id, 'secret', {}), true)
    assert.equal(await second.state(), 'submitting')
    assert.equal((await second.work())?.ticket, undefined)
  })

  it('and a reply that is written again claims it again', async () => {
    reset()
    const job = await begin()
    const { writeReply: writeAnswer } = harness.store
    let rejections = 3
    Object.assign(job.deps, {
      store: {
        ...harness.store,
        writeReply: async (...args: Parameters<typeof writeAnswer>) => {
          rejections -= 1
          if (rejections > 0)
            throw Object.assign(new Error('OOM command not allowed'), { name: 'ReplyError' })
          return writeAnswer(...args)
        },
      },
    })
    await job.run()
    assert.equal(rejections, 0)
    assert.equal(await job.state(), 'queued')
  })
})
