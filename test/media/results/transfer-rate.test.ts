import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { watchTransferRate } from '../../../src/media/results/transfer-rate.ts'

const windowMs = 1000
const bytesPerSecond = 100

/** Time moves only when a test says so. */
function start(t: TestContext) {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'] })
  const stallReports: string[] = []
  const progress = watchTransferRate({
    bytesPerSecond,
    windowMs,
    onStall: (message) => stallReports.push(message),
  })
  const receive = (bytes: number) => progress.store(bytes, Promise.resolve())
  return { ...progress, stallReports, receive, tick: (ms: number) => t.mock.timers.tick(ms) }
}

/** Moves the clock, but lets no timer run meanwhile, as in a process that is busy. */
function beBusy(t: TestContext, ms: number): void {
  t.mock.timers.setTime(Date.now() + ms)
}

describe('the rate of a download', () => {
  it('no bytes in a window are too slow', (t) => {
    const { stallReports, tick } = start(t)
    tick(windowMs)
    assert.deepEqual(stallReports, ['the result came too slowly: 0 bytes in 1000 ms'])
  })

  it('is not judged before a window is over', (t) => {
    const { stallReports, tick } = start(t)
    tick(windowMs - 1)
    assert.deepEqual(stallReports, [])
  })

  it('accepts the exact rate', async (t) => {
    const { stallReports, tick, receive } = start(t)
    await receive(60)
    await receive(40)
    tick(windowMs)
    assert.deepEqual(stallReports, [])
  })

  it('rejects one byte less', async (t) => {
    const { stallReports, tick, receive } = start(t)
    await receive(99)
    tick(windowMs)
    assert.deepEqual(stallReports, ['the result came too slowly: 99 bytes in 1000 ms'])
  })

  it('counts each window separately: earlier bytes do not count later', async (t) => {
    const { stallReports, tick, receive } = start(t)
    await receive(100_000)
    tick(windowMs)
    assert.deepEqual(stallReports, [])
    tick(windowMs)
    assert.deepEqual(stallReports, ['the result came too slowly: 0 bytes in 1000 ms'])
  })

  it('each window lasts from the end of the one before', async (t) => {
    const { stallReports, tick, receive } = start(t)
    await receive(100)
    tick(windowMs)
    await receive(100)
    tick(windowMs)
    assert.deepEqual(stallReports, [])
  })

  it('does not count the time of writing', async (t) => {
    const { stallReports, tick, store } = start(t)
    const { promise, resolve } = Promise.withResolvers<void>()
    const storing = store(61, promise)
    tick(400)
    resolve()
    await storing
    tick(600)
    assert.deepEqual(stallReports, [])
  })

  it('excludes the time of writing only', async (t) => {
    const { stallReports, tick, store } = start(t)
    const { promise, resolve } = Promise.withResolvers<void>()
    const storing = store(59, promise)
    tick(400)
    resolve()
    await storing
    tick(600)
    assert.deepEqual(stallReports, ['the result came too slowly: 59 bytes in 600 ms'])
  })

  it('counts an unfinished write up to the end of the window', async (t) => {
    const { stallReports, tick, store } = start(t)
    tick(600)
    void store(59, new Promise(() => undefined))
    tick(400)
    assert.deepEqual(stallReports, ['the result came too slowly: 59 bytes in 600 ms'])
  })

  it('does not exclude its time from the next window again', async (t) => {
    const { stallReports, tick, store, receive } = start(t)
    const { promise, resolve } = Promise.withResolvers<void>()
    await receive(100)
    tick(600)
    const storing = store(0, promise)
    tick(400)
    tick(300)
    resolve()
    await storing
    tick(700)
    assert.deepEqual(stallReports, ['the result came too slowly: 0 bytes in 700 ms'])
  })

  it('a window of writes alone does not count', async (t) => {
    const { stallReports, tick, store } = start(t)
    tick(499)
    void store(0, new Promise(() => undefined))
    tick(501)
    assert.deepEqual(stallReports, [])
    tick(windowMs)
    assert.deepEqual(stallReports, [])
  })

  it('half a window of receiving counts', async (t) => {
    const { stallReports, tick, store } = start(t)
    tick(500)
    void store(0, new Promise(() => undefined))
    tick(500)
    assert.deepEqual(stallReports, ['the result came too slowly: 0 bytes in 500 ms'])
  })

  it('ends with a failed write, and passes on its error', async (t) => {
    const { stallReports, tick, store } = start(t)
    await assert.rejects(store(0, Promise.reject(new Error('full'))), { message: 'full' })
    tick(windowMs)
    assert.deepEqual(stallReports, ['the result came too slowly: 0 bytes in 1000 ms'])
  })

  it('ignores a window if the process was busy for one and a half windows', (t) => {
    const { stallReports, tick } = start(t)
    beBusy(t, 501)
    tick(windowMs)
    assert.deepEqual(stallReports, [])
  })

  it('counts a window if the process was busy for less', (t) => {
    const { stallReports, tick } = start(t)
    beBusy(t, 500)
    tick(windowMs)
    assert.equal(stallReports.length, 1)
  })

  it('is not checked after the end', (t) => {
    const { stallReports, tick, stop } = start(t)
    stop()
    tick(10 * windowMs)
    assert.deepEqual(stallReports, [])
  })
})
