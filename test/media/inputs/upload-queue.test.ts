import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createUploadQueue } from '../../../src/media/inputs/upload-queue.ts'

const megabyte = 1024 * 1024

function create(uploadsAtOnce = 2) {
  const time = { now: 0 }
  const { tryEnter: enter } = createUploadQueue({ maxConcurrentUploads: uploadsAtOnce, now: () => time.now })
  const enters = (job: string, size: number) => {
    const place = enter(job, size)
    return 'release' in place ? place.release : undefined
  }
  return { time, enter, enters }
}

describe('uploads to one upstream', () => {
  it('are so many at once, and the others come again instead of waiting inside', () => {
    const { enter, enters } = create(2)
    const first = enters('a', 1)
    assert.ok(first && enters('b', 1))
    const place = enter('c', 1)
    assert.ok('waitMs' in place && place.waitMs > 0)
    first()
    first()
    assert.ok(enters('c', 1))
    assert.equal(enters('d', 1), undefined)
  })

  it('are so many bytes at once, but a larger file goes alone', () => {
    const { enters } = create(9)
    const large = enters('large', 200 * megabyte)
    assert.ok(large)
    assert.equal(enters('small', 1), undefined)
    large()
    assert.ok(enters('small', 1))
    assert.ok(enters('medium', 31 * megabyte))
    assert.equal(enters('one more', 2 * megabyte), undefined)
  })

  it('begin in the order in which they came', () => {
    const { enters } = create(1)
    const first = enters('a', 1)
    assert.equal(enters('large', 100 * megabyte), undefined)
    assert.equal(enters('small', 1), undefined)
    first?.()
    assert.equal(enters('small', 1), undefined)
    assert.ok(enters('large', 100 * megabyte))
  })

  it('do not wait for a job that never comes again', () => {
    const { time, enters } = create(1)
    const first = enters('a', 1)
    assert.equal(enters('gone', 1), undefined)
    first?.()
    assert.equal(enters('b', 1), undefined)
    time.now = 2500
    assert.equal(enters('b', 1), undefined)
    time.now = 2501
    assert.ok(enters('b', 1))
  })

  it('do not wait long for the first in the line: it was canceled, or is uploaded by another worker', () => {
    const { time, enter, enters } = create(1)
    const first = enters('a', 1)
    const place = enter('gone', 1)
    assert.ok('waitMs' in place)
    assert.equal(enters('b', 1), undefined)
    first?.()
    time.now += place.waitMs + 1000
    assert.equal(enters('b', 1), undefined)
    time.now += 2000
    assert.ok(enters('b', 1))
  })

  it('keep the places of those who were told to come later', () => {
    const { time, enter, enters } = create(1)
    const first = enters('a', 1)
    const waits = Array.from({ length: 60 }, (_, n) => enter(`job ${n}`, 1))
    first?.()
    time.now += 10_500
    assert.equal(enters('new', 1), undefined)
    assert.ok(waits.length === 60 && enters('job 59', 1) === undefined)
  })

  it('hold up nobody who brings no file', () => {
    const { enters } = create(1)
    assert.ok(enters('a', 1))
    assert.ok(enters('b', 0))
    assert.ok(enters('c', 0))
  })

  it('are asked for less often the longer the line is, but not too rarely', () => {
    const { enter, enters } = create(1)
    enters('first', 1)
    const waits = Array.from({ length: 100 }, (_, n) => {
      const place = enter(`job ${n}`, 1)
      return 'waitMs' in place ? place.waitMs : 0
    })
    assert.ok((waits[0] ?? 0) < (waits[20] ?? 0))
    assert.ok(Math.max(...waits) <= 10_000)
  })

  it('are asked for a quarter of a second later for each job before', () => {
    const { enter, enters } = create(1)
    enters('first', 1)
    assert.deepEqual(enter('a', 1), { waitMs: 250 })
    assert.deepEqual(enter('b', 1), { waitMs: 500 })
    assert.deepEqual(enter('a', 1), { waitMs: 250 })
  })
})
