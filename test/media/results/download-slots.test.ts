import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import {
  createDownloadSlots,
  type DownloadSlots,
  DownloadsBusy,
} from '../../../src/media/results/download-slots.ts'

function isBusy(slots: DownloadSlots, host: string, isRepeated = false): boolean {
  try {
    slots.take(host, isRepeated)()
    return false
  } catch (cause) {
    assert.ok(cause instanceof DownloadsBusy)
    assert.equal(cause.name, 'DownloadsBusy')
    return true
  }
}

/** When the next job without a slot retries. */
function retryMs(slots: DownloadSlots): number {
  try {
    slots.take('a', false)
  } catch (cause) {
    if (cause instanceof DownloadsBusy) return cause.retryMs
  }
  return assert.fail('there was a slot')
}

/** Slots that are all taken, and a manual clock. */
function full(t: TestContext) {
  const clock = { ms: 50_000 }
  t.mock.method(performance, 'now', () => clock.ms)
  const slots = createDownloadSlots({ total: 1, perHost: 1 })
  slots.take('a', false)
  return { slots, clock }
}

describe('slots for downloads', () => {
  it('are limited in total', () => {
    const slots = createDownloadSlots({ total: 2, perHost: 2 })
    slots.take('a', false)
    assert.equal(isBusy(slots, 'b'), false)
    slots.take('b', false)
    assert.equal(isBusy(slots, 'c'), true)
  })

  it('are limited per host, independently of other hosts', () => {
    const slots = createDownloadSlots({ total: 9, perHost: 2 })
    slots.take('a', false)
    assert.equal(isBusy(slots, 'a'), false)
    slots.take('a', false)
    assert.equal(isBusy(slots, 'a'), true)
    assert.equal(isBusy(slots, 'b'), false)
  })

  it('are released when the download ends', () => {
    const slots = createDownloadSlots({ total: 1, perHost: 1 })
    const leave = slots.take('a', false)
    leave()
    assert.equal(isBusy(slots, 'a'), false)
    assert.equal(isBusy(slots, 'b'), false)
  })

  it('are released once', () => {
    const slots = createDownloadSlots({ total: 2, perHost: 9 })
    const leave = slots.take('a', false)
    slots.take('a', false)
    leave()
    leave()
    slots.take('a', false)
    assert.equal(isBusy(slots, 'a'), true)
  })

  it('are limited per host after one of two is released', () => {
    const slots = createDownloadSlots({ total: 9, perHost: 2 })
    const leave = slots.take('a', false)
    slots.take('a', false)
    leave()
    slots.take('a', false)
    assert.equal(isBusy(slots, 'a'), true)
  })

  it('are available to repeated downloads for half of a host, to first ones for all of it', () => {
    const slots = createDownloadSlots({ total: 9, perHost: 5 })
    slots.take('a', true)
    assert.equal(isBusy(slots, 'a', true), false)
    slots.take('a', true)
    assert.equal(isBusy(slots, 'a', true), true)
    for (let count = 0; count < 3; count += 1) slots.take('a', false)
    assert.equal(isBusy(slots, 'a', false), true)
  })

  it('are counted separately for first and repeated downloads', () => {
    const slots = createDownloadSlots({ total: 9, perHost: 4 })
    slots.take('a', false)
    slots.take('a', false)
    assert.equal(isBusy(slots, 'a', true), false)
  })

  it('are available to a repeated download from a host with a single slot', () => {
    const slots = createDownloadSlots({ total: 9, perHost: 1 })
    assert.equal(isBusy(slots, 'a', true), false)
  })

  it('are released for repeated downloads, too', () => {
    const slots = createDownloadSlots({ total: 9, perHost: 2 })
    slots.take('a', false)
    slots.take('a', true)()
    assert.equal(isBusy(slots, 'a', true), false)
  })
})

describe('a job without a download slot', () => {
  it('retries after a second, and later the more jobs are waiting', (t) => {
    const { slots } = full(t)
    assert.deepEqual([retryMs(slots), retryMs(slots), retryMs(slots)], [1020, 1040, 1060])
  })

  it('never waits longer than 20 seconds', (t) => {
    const { slots } = full(t)
    const waits = Array.from({ length: 1000 }, () => retryMs(slots))
    assert.equal(waits[948], 19_980)
    assert.equal(waits[949], 20_000)
    assert.equal(waits[999], 20_000)
  })

  it('waits according to the jobs of the previous second', (t) => {
    const { slots, clock } = full(t)
    for (let count = 0; count < 10; count += 1) retryMs(slots)
    clock.ms += 1000
    assert.equal(retryMs(slots), 1200)
  })

  it('does not count jobs that waited earlier', (t) => {
    const { slots, clock } = full(t)
    for (let count = 0; count < 10; count += 1) retryMs(slots)
    clock.ms += 1000
    retryMs(slots)
    clock.ms += 1000
    assert.equal(retryMs(slots), 1020)
  })

  it('counts the same second until it is over', (t) => {
    const { slots, clock } = full(t)
    retryMs(slots)
    clock.ms += 999
    assert.equal(retryMs(slots), 1040)
  })
})
