import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createUploadQueue } from '../../../src/media/inputs/upload-queue.ts'

const megabyte = 1024 * 1024

function create(uploadsAtOnce = 2) {
  const time = { now: 0 }
  const { tryEnter: enter } = createUploadQueue({ maxConcurrentUploads: uploadsAtOnce, now: () => time.now })
  const tryEnter = (job: string, size: number) => {
    const admission = enter(job, size)
    return 'release' in admission ? admission.release : undefined
  }
  return { time, enter, tryEnter }
}

describe('uploads to one upstream', () => {
  it('are limited in number, and further jobs retry instead of waiting', () => {
    const { enter, tryEnter } = create(2)
    const first = tryEnter('a', 1)
    assert.ok(first && tryEnter('b', 1))
    const admission = enter('c', 1)
    assert.ok('waitMs' in admission && admission.waitMs > 0)
    first()
    first()
    assert.ok(tryEnter('c', 1))
    assert.equal(tryEnter('d', 1), undefined)
  })

  it('are limited in bytes, but a larger file is uploaded alone', () => {
    const { tryEnter } = create(9)
    const large = tryEnter('large', 200 * megabyte)
    assert.ok(large)
    assert.equal(tryEnter('small', 1), undefined)
    large()
    assert.ok(tryEnter('small', 1))
    assert.ok(tryEnter('medium', 31 * megabyte))
    assert.equal(tryEnter('one more', 2 * megabyte), undefined)
  })

  it('start in their order of arrival', () => {
    const { tryEnter } = create(1)
    const first = tryEnter('a', 1)
    assert.equal(tryEnter('large', 100 * megabyte), undefined)
    assert.equal(tryEnter('small', 1), undefined)
    first?.()
    assert.equal(tryEnter('small', 1), undefined)
    assert.ok(tryEnter('large', 100 * megabyte))
  })

  it('do not wait for a job that never retries', () => {
    const { time, tryEnter } = create(1)
    const first = tryEnter('a', 1)
    assert.equal(tryEnter('gone', 1), undefined)
    first?.()
    assert.equal(tryEnter('b', 1), undefined)
    time.now = 2500
    assert.equal(tryEnter('b', 1), undefined)
    time.now = 2501
    assert.ok(tryEnter('b', 1))
  })

  it('do not wait long for the first in the queue, which may be canceled or uploaded by another worker', () => {
    const { time, enter, tryEnter } = create(1)
    const first = tryEnter('a', 1)
    const admission = enter('gone', 1)
    assert.ok('waitMs' in admission)
    assert.equal(tryEnter('b', 1), undefined)
    first?.()
    time.now += admission.waitMs + 1000
    assert.equal(tryEnter('b', 1), undefined)
    time.now += 2000
    assert.ok(tryEnter('b', 1))
  })

  it('keep the positions of jobs that retry later', () => {
    const { time, enter, tryEnter } = create(1)
    const first = tryEnter('a', 1)
    const waits = Array.from({ length: 60 }, (_, n) => enter(`job ${n}`, 1))
    first?.()
    time.now += 10_500
    assert.equal(tryEnter('new', 1), undefined)
    assert.ok(waits.length === 60 && tryEnter('job 59', 1) === undefined)
  })

  it('do not delay jobs without files', () => {
    const { tryEnter } = create(1)
    assert.ok(tryEnter('a', 1))
    assert.ok(tryEnter('b', 0))
    assert.ok(tryEnter('c', 0))
  })

  it('are retried less often the longer the queue is, up to a limit', () => {
    const { enter, tryEnter } = create(1)
    tryEnter('first', 1)
    const waits = Array.from({ length: 100 }, (_, n) => {
      const admission = enter(`job ${n}`, 1)
      return 'waitMs' in admission ? admission.waitMs : 0
    })
    assert.ok((waits[0] ?? 0) < (waits[20] ?? 0))
    assert.ok(Math.max(...waits) <= 10_000)
  })

  it('are retried a quarter of a second later for each job before', () => {
    const { enter, tryEnter } = create(1)
    tryEnter('first', 1)
    assert.deepEqual(enter('a', 1), { waitMs: 250 })
    assert.deepEqual(enter('b', 1), { waitMs: 500 })
    assert.deepEqual(enter('a', 1), { waitMs: 250 })
  })
})
