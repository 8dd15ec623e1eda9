import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createTransition } from '../../../src/jobs/store/transition.ts'
import { LinkUseless } from '../../../src/media/results/download.ts'
import { DownloadsBusy } from '../../../src/media/results/download-slots.ts'
import { AddressRefused } from '../../../src/net/safe-fetch.ts'
import { createCleanup, startRedis } from '../../support/setup.ts'
import {
  createDeliveryHarness,
  type Deliver,
  type DeliveryHarness,
  endless,
  hour,
  minute,
  noLink,
  noSpace,
  stored,
} from './delivery-harness.ts'

/** The step that fetches a result, with a real record, a manual clock, and a delivery by the test. */
describe('the delivery of a result', () => {
  const cleanup = createCleanup()
  let begin: DeliveryHarness['begin']
  let store: DeliveryHarness['store']
  before(async () => {
    ;({ begin, store } = createDeliveryHarness((await startRedis(cleanup)).redis))
  })
  after(() => cleanup.run())

  it('storage that fails for hours does not end the job, and does not count as an attempt', async () => {
    let broken = true
    const job = await begin(async () => {
      if (broken) throw noSpace()
      return stored
    })
    await job.runFor(23 * hour)
    assert.equal(await job.state(), 'delivering')
    const work = await job.work()
    assert.equal(work?.misses, 0)
    assert.match(work?.storeFault?.store ?? '', /disk store: ENOSPC/)
    assert.deepEqual(await job.history(), ['storage: Cannot store results/a.mp4 on the disk store: ENOSPC'])
    broken = false
    await job.run()
    assert.equal(await job.state(), 'succeeded')
    assert.deepEqual(await job.money(), { reserved: 0, spent: 1_000_000 })
    assert.equal((await job.work())?.storeFault, undefined)
  })

  it('storage that fails for longer ends the job as an internal fault: refunded, with the links for the operator', async () => {
    const job = await begin(async () => {
      throw noSpace()
    })
    await job.runFor(30 * hour)
    assert.ok(job.elapsed() > 24 * hour && job.elapsed() < 24 * hour + 2 * minute)
    assert.deepEqual(await job.error(), {
      code: 'result_not_stored',
      message: 'The finished video could not be stored',
    })
    assert.match((await job.history()).at(-1) ?? '', /ENOSPC.*https:\/\/cdn\.example\/a\.mp4/)
    assert.deepEqual(await job.money(), { reserved: 0, spent: 0 })
  })

  it('an internal error is not reported as an upstream fault', async () => {
    let calls = 0
    const job = await begin(async () => {
      calls += 1
      if (calls < 40) throw new TypeError('undefined is not a function')
      return stored
    })
    await job.runFor(2 * hour)
    assert.equal(await job.state(), 'succeeded')
  })

  for (const [when, before] of [
    ['before the first attempt', 0],
    ['between two attempts', 1],
  ] as const) {
    it(`the time without a worker ${when} does not count`, async () => {
      const errors = [...Array.from({ length: before }, noLink), noLink()]
      const job = await begin(
        async () => {
          const error = errors.shift()
          if (error !== undefined) throw error
          return stored
        },
        {},
        { deliveringAt: 1_800_000_000_000, fetchDueAt: 1_800_000_000_000 },
      )
      for (let attempt = 0; attempt < before; attempt += 1) await job.run()
      job.clock.now += 3 * hour
      await job.run()
      assert.equal(await job.state(), 'delivering')
      assert.equal((await job.work())?.misses, before + 1)
      await job.runFor(minute)
      assert.equal(await job.state(), 'succeeded')
    })
  }

  it('a link that expired without a worker is an internal fault, with the link for the operator', async () => {
    const deliver: Deliver = async () => {
      throw new LinkUseless('HTTP 410')
    }
    const job = await begin(deliver, {}, { deliveringAt: 1_800_000_000_000 })
    job.clock.now += hour
    await job.run()
    assert.equal((await job.error())?.code, 'result_not_stored')
    assert.match((await job.history()).at(-1) ?? '', /no worker.*https:\/\/cdn\.example\/a\.mp4/)
  })

  it('days without a worker are not added to the deadline: every job ends', async () => {
    const deliver: Deliver = async () => {
      throw noLink()
    }
    const job = await begin(deliver, {}, { deliveringAt: 1_800_000_000_000 })
    job.clock.now += 30 * hour
    await job.run()
    assert.equal(await job.state(), 'failed')
  })

  it('the time for which the process was stopped during an attempt does not count', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const { promise: broken, reject: breakOff } = Promise.withResolvers<never>()
    const { promise: begun, resolve: noteBegin } = Promise.withResolvers<void>()
    let calls = 0
    const job = await begin(async () => {
      calls += 1
      noteBegin()
      return calls === 1 ? broken : stored
    })
    const step = job.run()
    await begun
    job.clock.now += 2 * hour
    t.mock.timers.tick(1000)
    breakOff(noLink())
    await step
    assert.equal(await job.state(), 'delivering')
    await job.runFor(minute)
    assert.equal(await job.state(), 'succeeded')
  })

  it('the time of a storage failure is added to the delivery time of the upstream', async () => {
    const errors = [...Array.from({ length: 100 }, noSpace), noLink(), noLink()]
    let signal: AbortSignal | undefined
    const job = await begin(async (_, __, options) => {
      signal = options.signal
      const error = errors.shift()
      if (error !== undefined) throw error
      return stored
    })
    await job.runFor(10 * hour)
    assert.ok(job.elapsed() > 90 * minute)
    assert.equal(signal?.aborted, false)
    assert.equal(await job.state(), 'succeeded')
    assert.equal((await job.work())?.misses, 2)
  })

  it('a link that expired during a storage failure is an internal fault', async () => {
    const errors: Error[] = Array.from({ length: 100 }, noSpace)
    const job = await begin(async () => {
      throw errors.shift() ?? noLink()
    })
    await job.runFor(10 * hour)
    assert.equal((await job.error())?.code, 'result_not_stored')
  })

  it('a link that never works ends the job in time, whatever its deadline', async () => {
    const job = await begin(async () => {
      throw noLink()
    })
    await job.runFor(10 * hour)
    assert.equal((await job.error())?.code, 'result_unavailable')
    // The deadline is nine minutes away, delivery has ten.
    assert.ok(job.elapsed() >= 10 * minute && job.elapsed() < 11 * minute, `${job.elapsed()}`)
    assert.deepEqual(await job.money(), { reserved: 0, spent: 0 })
  })

  it('a result that comes after 6 minutes of failures is not lost', async () => {
    let calls = 0
    const job = await begin(async () => {
      calls += 1
      if (calls < 30) throw noLink()
      return stored
    })
    await job.runFor(hour)
    assert.ok(job.elapsed() > 6 * minute)
    assert.equal(await job.state(), 'succeeded')
  })

  it('a result that can never be fetched ends the job at once', async () => {
    const job = await begin(async () => {
      throw new LinkUseless('too large')
    })
    await job.run()
    assert.equal((await job.error())?.code, 'result_unavailable')
  })

  it('a job without a download slot retries, and nothing is counted', async () => {
    let calls = 0
    const job = await begin(async () => {
      calls += 1
      if (calls < 50) throw new DownloadsBusy('cdn.example', 1000)
      return stored
    })
    await job.runFor(hour)
    assert.equal(await job.state(), 'succeeded')
    assert.equal((await job.work())?.misses, 0)
  })

  it('the time without a download slot does not count: the first attempt has the full time', async () => {
    const busyUntil = 1_800_000_000_000 + 3 * hour
    const job = await begin(async (_, __, { signal }) => {
      if (job.clock.now < busyUntil) throw new DownloadsBusy('cdn.example', 20_000)
      if (job.clock.now < busyUntil + 5 * minute) throw noLink()
      assert.equal(signal?.aborted, false)
      return stored
    })
    await job.runFor(10 * hour)
    assert.equal(await job.state(), 'succeeded')
  })

  it('a host name that resolves to a private address is retried; a private address is not', async () => {
    let isLookedUp = true
    let attempts = 0
    const deliver: Deliver = async () => {
      attempts += 1
      if (attempts < 5) throw new AddressRefused('cdn.example has no public address', { isLookedUp })
      return stored
    }
    const byName = await begin(deliver)
    await byName.runFor(hour)
    assert.equal(await byName.state(), 'succeeded')
    attempts = 0
    isLookedUp = false
    const byAddress = await begin(deliver)
    await byAddress.runFor(hour)
    assert.equal((await byAddress.error())?.code, 'result_unavailable')
    assert.equal(attempts, 1)
  })

  it('a job that never gets a download slot ends as an internal fault', async () => {
    const delivery = { timeoutMs: 30 * minute, graceMs: 10 * minute, storageRetryMs: hour }
    const deliver: Deliver = async () => {
      throw new DownloadsBusy('cdn.example', 39_000)
    }
    const job = await begin(deliver, { deliveryLimits: delivery })
    await job.runFor(10 * hour)
    assert.equal((await job.error())?.code, 'result_not_stored')
    assert.ok(job.elapsed() >= hour && job.elapsed() < 1.1 * hour, `${job.elapsed()}`)
    assert.match((await job.history()).join(), /https:\/\/cdn\.example\/a\.mp4/)
    assert.deepEqual(await job.money(), { reserved: 0, spent: 0 })
  })

  it('a cancel ends a job that is being delivered, and is charged', async () => {
    const job = await begin(async () => {
      throw noLink()
    })
    await job.run()
    await store.requestCancel(job.id)
    await job.run()
    assert.equal(await job.state(), 'canceled')
    assert.deepEqual(await job.money(), { reserved: 0, spent: 1_000_000 })
  })

  it('a cancel stops a running download', async () => {
    const { deliver, begun } = endless()
    const job = await begin(deliver)
    const running = job.run()
    await begun
    await store.requestCancel(job.id)
    await running
    assert.equal(await job.state(), 'canceled')
  })

  it('an endless download is stopped when its time is over', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const { deliver, begun } = endless()
    const job = await begin(deliver)
    const running = job.run()
    await begun
    for (let seconds = 0; seconds < 600; seconds += 1) {
      job.clock.now += 1000
      t.mock.timers.tick(1000)
    }
    await running
    assert.equal((await job.error())?.code, 'result_unavailable')
  })

  it('the sweep does not requeue a job during a download', async () => {
    const { promise, resolve } = Promise.withResolvers<typeof stored>()
    const job = await begin(() => promise)
    const running = job.run()
    const isOverdue = async () => (await store.listOverdue(job.clock.now, 100)).includes(job.id)
    for (let tries = 0; tries < 5; tries += 1) {
      job.clock.now += 20_000
      for (let waits = 0; waits < 100 && (await isOverdue()); waits += 1)
        await new Promise((resolve) => setTimeout(resolve, 50))
      assert.equal(await isOverdue(), false)
    }
    resolve(stored)
    await running
    assert.equal(await job.state(), 'succeeded')
  })

  it('a cancel after the end of the render does not discard its result', async () => {
    const job = await begin(async () => stored)
    const claimed = await store.claimStep(job.id, 0)
    assert.ok(typeof claimed === 'object')
    await store.write(
      claimed,
      createTransition(claimed, { work: { cancelSentAt: job.clock.now }, now: job.clock.now }),
    )
    await store.requestCancel(job.id)
    await job.run()
    assert.equal(await job.state(), 'succeeded')
  })

  it('a cancel after the end of the render ends the job when the first attempt fails', async () => {
    const job = await begin(async () => {
      throw noLink()
    })
    const claimed = await store.claimStep(job.id, 0)
    assert.ok(typeof claimed === 'object')
    await store.write(
      claimed,
      createTransition(claimed, { work: { cancelSentAt: job.clock.now }, now: job.clock.now }),
    )
    await store.requestCancel(job.id)
    await job.runFor(minute)
    assert.equal(await job.state(), 'canceled')
  })

  it('an actual length that cannot be read because storage fails is read again', async () => {
    let reads = 0
    const job = await begin(async () => stored, {
      measureVideoSeconds: async () => {
        reads += 1
        if (reads < 3) throw noSpace()
        return 4
      },
    })
    const claimed = await store.claimStep(job.id, 0)
    assert.ok(typeof claimed === 'object')
    const meter = { usdPerSecond: 0.1, markupPercent: 0, usualSeconds: 8 }
    await store.write(claimed, createTransition(claimed, { work: { meter }, now: job.clock.now }))
    await job.runFor(hour)
    assert.equal(await job.state(), 'succeeded')
    assert.deepEqual(await job.money(), { reserved: 0, spent: 375_000 })
  })
})
