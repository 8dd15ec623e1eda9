import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import type { Redis } from 'ioredis'
import { overdueAfterMs } from '../../../src/jobs/job.ts'
import type { StepDeps } from '../../../src/jobs/steps/deps.ts'
import { createTransition } from '../../../src/jobs/store/transition.ts'
import { LinkUseless } from '../../../src/media/results/download.ts'
import { DownloadsBusy } from '../../../src/media/results/download-slots.ts'
import type { DeliverOptions } from '../../../src/media/results/results.ts'
import { StorageUnavailable } from '../../../src/media/storage/storage-fault.ts'
import { AddressRefused } from '../../../src/net/safe-fetch.ts'
import { createCleanup, quiet, startRedis } from '../../support/setup.ts'
import {
  createDeliveryHarness,
  type DeliveryHarness,
  hour,
  minute,
  noLink,
  noSpace,
  stored,
} from './delivery-harness.ts'

const links = [{ url: 'https://cdn.example/a.mp4' }, { url: 'https://cdn.example/b.mp4' }]
const storageMessage = noSpace().message
const fail = (cause: unknown) => () => Promise.reject(cause)
const succeed = async () => stored
const meter = { usdPerSecond: 0.1, markupPercent: 0, usualSeconds: 8 }

function recorder() {
  const lines: string[] = []
  const logger = Object.create(quiet) as typeof quiet
  for (const level of ['debug', 'info', 'warn', 'error'] as const)
    logger[level] = ((...args: unknown[]) => lines.push(`${level}: ${args.at(-1)}`)) as never
  return { lines, logger }
}

/** One step at a time. The job of the harness was accepted one minute before its first step. */
describe('a step that fetches a result', () => {
  const cleanup = createCleanup()
  let redis: Redis
  let harness: DeliveryHarness
  before(async () => {
    redis = (await startRedis(cleanup)).redis
    harness = createDeliveryHarness(redis)
  })
  after(() => cleanup.run())

  const dueAt = async (id: string) => Number(await redis.zscore(harness.keys.open, id)) - overdueAfterMs

  async function cancel(job: Awaited<ReturnType<DeliveryHarness['begin']>>, sentAt?: number): Promise<void> {
    if (sentAt !== undefined) {
      const claimed = await harness.store.claimStep(job.id, 0)
      assert.ok(typeof claimed === 'object')
      await harness.store.write(
        claimed,
        createTransition(claimed, { work: { cancelSentAt: sentAt }, now: job.clock.now }),
      )
    }
    await harness.store.requestCancel(job.id)
  }

  it('requests the files with the job’s ID, its secret and its links', async () => {
    let deliverArgs: unknown[] = []
    const job = await harness.begin(
      async (...args) => {
        deliverArgs = args
        return stored
      },
      {},
      { results: links },
    )
    await job.run()
    const options = deliverArgs[2] as DeliverOptions
    assert.deepEqual(deliverArgs.slice(0, 2), [{ id: job.id, secret: 'secret' }, links])
    assert.equal(options.isRepeated, false)
    assert.ok(options.signal instanceof AbortSignal)
  })

  it('marks an attempt after a failure as repeated', async () => {
    const repeated: unknown[] = []
    const job = await harness.begin(async (_, __, { isRepeated }) => {
      repeated.push(isRepeated)
      throw noLink()
    })
    await job.run()
    await job.run()
    assert.deepEqual(repeated, [false, true])
  })

  it('requests nothing if the upstream named no file', async () => {
    let deliverArgs: unknown
    const job = await harness.begin(
      async (_, videos) => {
        deliverArgs = videos
        return stored
      },
      {},
      { results: undefined } as never,
    )
    await job.run()
    assert.deepEqual(deliverArgs, [])
  })

  it('ends the job with the links for clients', async () => {
    const job = await harness.begin(succeed)
    assert.deepEqual(await job.run(), { kind: 'end' })
    const view = (await harness.store.readStatus(job.id))?.view
    assert.deepEqual([view?.state, view?.videos, view?.completedAt], ['succeeded', stored, job.clock.now])
  })

  it('writes and logs nothing if another step has taken over', async () => {
    const { lines, logger } = recorder()
    const job = await harness.begin(
      async () => {
        await harness.store.claimStep(job.id, 0)
        return stored
      },
      { logger },
    )
    assert.deepEqual(await job.run(), { kind: 'end' })
    assert.equal(await job.state(), 'delivering')
    assert.deepEqual(lines, [])
  })

  it('records when the first one started', async () => {
    const job = await harness.begin(fail(noLink()))
    const first = job.clock.now
    await job.run()
    job.clock.now += 1000
    await job.run()
    assert.equal((await job.work())?.deliveringAt, first)
  })

  describe('when a cancel is requested', () => {
    it('does not fetch it', async () => {
      const job = await harness.begin(() => assert.fail('fetched'))
      await cancel(job)
      assert.deepEqual(await job.run(), { kind: 'end' })
      assert.equal(await job.state(), 'canceled')
      assert.match((await job.history()).at(-1) ?? '', /^canceled: canceled$/)
    })

    it('fetches it if the upstream received the cancel too late', async () => {
      const job = await harness.begin(succeed)
      await cancel(job, job.clock.now)
      await job.run()
      assert.equal(await job.state(), 'succeeded')
    })

    it('does not fetch it again after a storage failure', async () => {
      const job = await harness.begin(fail(noSpace()))
      await job.run()
      await cancel(job, job.clock.now)
      await job.run()
      assert.equal(await job.state(), 'canceled')
    })

    for (const [what, sent, isLooked] of [
      ['checks for a cancel during the download', false, true],
      ['does not check when the upstream received the cancel too late', true, false],
    ] as const) {
      it(what, async (t) => {
        t.mock.timers.enable({ apis: ['setInterval'] })
        let reads = 0
        const isCancelAsked = async () => {
          reads += 1
          return false
        }
        const deliver = async () => {
          t.mock.timers.tick(1000)
          return stored
        }
        const job = await harness.begin(deliver, { isCancelRequested: isCancelAsked })
        if (sent) await cancel(job, job.clock.now)
        await job.run()
        assert.equal(reads > 0, isLooked)
      })
    }

    it('ends the job as canceled after it aborted the download', async (t) => {
      t.mock.timers.enable({ apis: ['setInterval'] })
      const deliver: StepDeps['storeResults'] = (_, __, { signal }) => {
        t.mock.timers.tick(1000)
        return new Promise((_resolve, reject) =>
          signal?.addEventListener('abort', () => reject(signal.reason)),
        )
      }
      const job = await harness.begin(deliver, { isCancelRequested: async () => true })
      assert.deepEqual(await job.run(), { kind: 'end' })
      assert.equal(await job.state(), 'canceled')
      assert.match((await job.history()).at(-1) ?? '', /^canceled: canceled$/)
    })
  })

  async function leaseEnds(t: TestContext, deliver: StepDeps['storeResults']): Promise<void> {
    const ended = t.mock.method(globalThis, 'clearInterval')
    const job = await harness.begin(deliver)
    const before = ended.mock.callCount()
    await job.run()
    assert.equal(ended.mock.callCount() - before, 1)
  }

  it('releases the job after a success', (t) => leaseEnds(t, succeed))

  it('releases the job after a failure', (t) => leaseEnds(t, fail(noLink())))

  it('gives up a download at the delivery deadline', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    let reason: unknown
    const job = await harness.begin(async (_, __, { signal }) => {
      for (let seconds = 1; seconds < 600; seconds += 1) {
        job.clock.now += 1000
        t.mock.timers.tick(1000)
      }
      assert.equal(signal?.aborted, false)
      job.clock.now += 1000
      t.mock.timers.tick(1000)
      assert.equal(signal?.aborted, true)
      reason = signal?.reason
      throw reason
    })
    await job.run()
    assert.equal((reason as Error).name, 'LinkNotReady')
    assert.equal((await job.error())?.code, 'result_unavailable')
  })

  describe('if the price depends on the length', () => {
    it('measures the first video', async () => {
      const measured: unknown[] = []
      const secondsOf: StepDeps['measureVideoSeconds'] = async (video) => {
        measured.push(video)
        return 4
      }
      const job = await harness.begin(
        async () => [...stored, { url: '/files/b.mp4' }],
        { measureVideoSeconds: secondsOf },
        { meter },
      )
      await job.run()
      assert.deepEqual(measured, stored)
      assert.equal((await job.money()).spent, 375_000)
    })

    it('measures nothing without a video', async () => {
      const job = await harness.begin(
        async () => [],
        { measureVideoSeconds: () => assert.fail('measured') },
        { meter },
      )
      await job.run()
      assert.equal(await job.state(), 'succeeded')
    })

    it('uses the typical length if it cannot be measured', async () => {
      const { lines, logger } = recorder()
      const job = await harness.begin(
        succeed,
        { measureVideoSeconds: fail(new TypeError('bug')), logger },
        { meter },
      )
      await job.run()
      assert.equal(await job.state(), 'succeeded')
      assert.equal((await job.money()).spent, 800_000)
      assert.deepEqual(lines, ['warn: Length of a result not measurable'])
    })

    it('measures again later if storage fails', async () => {
      const job = await harness.begin(succeed, { measureVideoSeconds: fail(noSpace()) }, { meter })
      await job.run()
      assert.equal((await job.work())?.storeFault?.store, storageMessage)
    })

    it('measures nothing otherwise', async () => {
      const job = await harness.begin(succeed, { measureVideoSeconds: () => assert.fail('measured') })
      await job.run()
      assert.equal(await job.state(), 'succeeded')
    })
  })

  describe('without a slot', () => {
    for (const [random, ms] of [
      [0, 500],
      [0.25, 750],
      [0.9996, 1500],
    ] as const) {
      it(`retries after ${ms} ms of 1000`, async (t) => {
        t.mock.method(Math, 'random', () => random)
        const job = await harness.begin(fail(new DownloadsBusy('cdn.example', 1000)))
        const at = job.clock.now + ms
        assert.deepEqual(await job.run(), { kind: 'wait', at })
        assert.equal(await dueAt(job.id), at)
        const work = await job.work()
        assert.deepEqual([work?.misses, work?.storeFault], [0, undefined])
      })
    }
  })

  it('ends a job that waited too long for slots', async () => {
    const message = new DownloadsBusy('cdn.example', 1000).message
    const job = await harness.begin(
      fail(new DownloadsBusy('cdn.example', 1000)),
      {},
      { slotWaitMs: 24 * hour },
    )
    assert.equal((await job.run()).kind, 'wait')
    assert.equal(((await job.work())?.slotWaitMs ?? 0) > 24 * hour, true)
    assert.deepEqual(await job.run(), { kind: 'end' })
    assert.equal(
      (await job.history()).at(-1),
      `result_not_stored: ${message}; the upstream's links: https://cdn.example/a.mp4`,
    )
  })

  it('adds up the waits for slots', async (t) => {
    t.mock.method(Math, 'random', () => 0.25)
    const job = await harness.begin(fail(new DownloadsBusy('cdn.example', 1000)))
    await job.run()
    assert.equal((await job.work())?.slotWaitMs, 750)
    await job.run()
    assert.equal((await job.work())?.slotWaitMs, 1500)
  })

  describe('while storage fails', () => {
    it('records since when, how often and why', async () => {
      const { lines, logger } = recorder()
      const job = await harness.begin(fail(noSpace()), { logger })
      const since = job.clock.now
      const first = await job.run()
      assert.deepEqual(first, { kind: 'wait', at: since + 1000 })
      assert.equal(await dueAt(job.id), since + 1000)
      assert.deepEqual((await job.work())?.storeFault, { since, tries: 1, store: storageMessage })
      job.clock.now += 5000
      await job.run()
      assert.deepEqual((await job.work())?.storeFault, { since, tries: 2, store: storageMessage })
      assert.deepEqual(await job.history(), [`storage: ${storageMessage}`])
      assert.deepEqual(lines, [
        'warn: Storage unavailable: the job waits with its result',
        'debug: Storage unavailable: the job waits with its result',
      ])
    })

    it('logs a new reason once more', async () => {
      const causes = [noSpace(), new StorageUnavailable('broken')]
      const job = await harness.begin(() => Promise.reject(causes.shift()))
      await job.run()
      await job.run()
      assert.deepEqual(await job.history(), [`storage: ${storageMessage}`, 'storage: broken'])
    })

    it('waits longer each time, up to a minute', async () => {
      const job = await harness.begin(fail(noSpace()))
      const waits: number[] = []
      for (let tries = 0; tries < 9; tries += 1) {
        const next = await job.run()
        if (next.kind === 'wait') waits.push((next.at - job.clock.now) / 1000)
      }
      assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60])
    })

    it('treats an internal error as a storage failure', async () => {
      const job = await harness.begin(fail(new TypeError('bug')))
      await job.run()
      assert.equal((await job.work())?.storeFault?.store, 'Cannot keep a result: TypeError')
    })

    it('gives up after the configured time, not before', async () => {
      const job = await harness.begin(fail(noSpace()), {}, { results: links })
      await job.run()
      job.clock.now += 24 * hour
      assert.equal((await job.run()).kind, 'wait')
      job.clock.now += 1
      assert.deepEqual(await job.run(), { kind: 'end' })
      assert.equal((await job.error())?.code, 'result_not_stored')
      assert.equal(
        (await job.history()).at(-1),
        `result_not_stored: ${storageMessage}; the upstream's links: ${links.map(({ url }) => url).join(' ')}`,
      )
    })

    it('also gives up a job without links', async () => {
      const job = await harness.begin(fail(noSpace()), {}, { results: undefined } as never)
      await job.run()
      job.clock.now += 24 * hour + 1
      await job.run()
      assert.equal(
        (await job.history()).at(-1),
        `result_not_stored: ${storageMessage}; the upstream's links: `,
      )
    })

    it('ends the failure after a success', async () => {
      let cause: Error | undefined = noSpace()
      const job = await harness.begin(async () => {
        if (cause !== undefined) throw cause
        return stored
      })
      await job.run()
      cause = undefined
      await job.run()
      assert.equal(await job.state(), 'succeeded')
      assert.equal((await job.work())?.storeFault, undefined)
    })
  })

  describe('when the upstream does not deliver', () => {
    it('retries, and counts the attempt', async () => {
      const { lines, logger } = recorder()
      const job = await harness.begin(fail(noLink()), { logger })
      const waits: number[] = []
      for (let tries = 0; tries < 7; tries += 1) {
        const next = await job.run()
        if (next.kind === 'wait') waits.push((next.at - job.clock.now) / 1000)
        assert.equal(await dueAt(job.id), job.clock.now + (waits.at(-1) ?? 0) * 1000)
        assert.equal((await job.work())?.misses, tries + 1)
      }
      assert.deepEqual(waits, [1, 2, 4, 8, 16, 16, 16])
      assert.equal(lines.length, 7)
      assert.equal((await job.work())?.storeFaultMs, 0)
    })

    it('ends a storage failure, and records its duration', async () => {
      const causes: Error[] = [noSpace(), noLink()]
      const job = await harness.begin(() => Promise.reject(causes.shift()))
      await job.run()
      job.clock.now += 7000
      await job.run()
      const work = await job.work()
      assert.deepEqual([work?.storeFault, work?.storeFaultMs, work?.misses], [undefined, 7000, 1])
      assert.equal(work?.lateMs, 0)
    })

    it('retries a last time at the delivery deadline', async () => {
      const job = await harness.begin(fail(noLink()))
      const end = job.clock.now + 10 * minute
      let next = await job.run()
      while (next.kind === 'wait' && next.at < end) {
        job.clock.now = next.at
        next = await job.run()
      }
      assert.deepEqual(next, { kind: 'wait', at: end })
      job.clock.now = end
      assert.deepEqual(await job.run(), { kind: 'end' })
      assert.deepEqual(await job.error(), {
        code: 'result_unavailable',
        message: 'The finished video could not be downloaded from the upstream',
      })
    })

    for (const cause of [new LinkUseless('too large'), new AddressRefused('private address')]) {
      it(`ends the job at once after ${cause.name}`, async () => {
        const job = await harness.begin(fail(cause))
        assert.deepEqual(await job.run(), { kind: 'end' })
        assert.equal((await job.error())?.code, 'result_unavailable')
      })
    }

    it('retries a host name that resolves to a private address', async () => {
      const job = await harness.begin(fail(new AddressRefused('private address', { isLookedUp: true })))
      assert.equal((await job.run()).kind, 'wait')
      const work = await job.work()
      assert.deepEqual([work?.misses, work?.storeFault], [1, undefined])
    })

    it('reports a link that expired during a storage failure as an internal fault', async () => {
      const causes: Error[] = [noSpace(), new LinkUseless('gone')]
      const job = await harness.begin(() => Promise.reject(causes.shift()))
      await job.run()
      job.clock.now += 1
      await job.run()
      assert.equal((await job.error())?.code, 'result_not_stored')
      assert.equal(
        (await job.history()).at(-1),
        "result_not_stored: the link expired while storage was unavailable: gone; the upstream's links: https://cdn.example/a.mp4",
      )
    })

    it('does not extend the delivery time for a storage failure of 0 ms', async () => {
      const causes: Error[] = [noSpace(), new LinkUseless('gone')]
      const job = await harness.begin(() => Promise.reject(causes.shift()))
      await job.run()
      await job.run()
      assert.equal((await job.error())?.code, 'result_unavailable')
    })
  })
})
