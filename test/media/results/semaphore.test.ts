import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isMediaKind } from '../../../src/catalogue/media-values/stored-reference.ts'
import { formatMegabytes, maxBytesFor } from '../../../src/media/inputs/media-limits.ts'
import { createSemaphore } from '../../../src/media/results/semaphore.ts'

const turn = () => new Promise(setImmediate)

describe('a semaphore with weights', () => {
  function create(capacity: number) {
    const semaphore = createSemaphore(capacity)
    const inside: string[] = []
    const enter = (name: string, weight: number) => {
      let leave = () => undefined as unknown
      void semaphore.acquire(weight).then((release) => {
        inside.push(name)
        leave = release
      })
      return () => leave()
    }
    return { inside, enter }
  }

  it('admits work while it fits, up to exactly its capacity', async () => {
    const { inside, enter } = create(10)
    enter('a', 6)
    enter('b', 4)
    enter('c', 1)
    await turn()
    assert.deepEqual(inside, ['a', 'b'])
  })

  it('admits work in order, so that heavy work is not overtaken', async () => {
    const { inside, enter } = create(10)
    const leave = enter('a', 6)
    enter('heavy', 8)
    enter('light', 1)
    await turn()
    assert.deepEqual(inside, ['a'])
    leave()
    await turn()
    assert.deepEqual(inside, ['a', 'heavy', 'light'])
  })

  it('admits work that is heavier than the capacity alone', async () => {
    const { inside, enter } = create(10)
    const leave = enter('huge', 50)
    enter('light', 1)
    await turn()
    assert.deepEqual(inside, ['huge'])
    leave()
    await turn()
    assert.deepEqual(inside, ['huge', 'light'])
  })

  it('releases work once, however often it is called', async () => {
    const { inside, enter } = create(10)
    const leave = enter('a', 10)
    enter('b', 10)
    enter('c', 1)
    await turn()
    leave()
    leave()
    await turn()
    assert.deepEqual(inside, ['a', 'b'])
  })

  it('lets work without weight wait for heavy work, too', async () => {
    const { inside, enter } = create(10)
    enter('huge', 50)
    enter('nothing', 0)
    await turn()
    assert.deepEqual(inside, ['huge'])
  })
})

describe('the largest file', () => {
  const limits = { image: 1, video: 30, audio: 2 }

  it('is that of its kind, in any spelling of the type', () => {
    assert.equal(maxBytesFor(limits, 'image/png'), 1)
    assert.equal(maxBytesFor(limits, ' Image /png'), 1)
    assert.equal(maxBytesFor(limits, 'AUDIO/mpeg'), 2)
  })

  it('is the largest of all if the type has no kind', () => {
    for (const type of ['application/octet-stream', '', 'images/png'])
      assert.equal(maxBytesFor(limits, type), 30)
  })

  it('has three kinds', () => {
    assert.deepEqual(['image', 'video', 'audio', 'text', ''].map(isMediaKind), [
      true,
      true,
      true,
      false,
      false,
    ])
  })

  it('is reported in megabytes with one digit', () => {
    assert.equal(formatMegabytes(1024 * 1024), '1 MB')
    assert.equal(formatMegabytes(1.26 * 1024 * 1024), '1.3 MB')
  })
})
