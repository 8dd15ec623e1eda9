import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { createStoredVideoFinder } from '../../../src/media/results/served-file.ts'
import type { ByteRange, FileStore } from '../../../src/media/storage/file-store.ts'
import { video } from '../files.ts'

const webm = Buffer.concat([
  Buffer.from('1a45dfa39f4286810142f7810142f2810442f381084282847765626d', 'hex'),
  Buffer.alloc(200),
])

/** A store in memory that records its reads. */
function start(files: Record<string, Buffer>, others: Partial<FileStore> = {}) {
  const reads: [string, ByteRange | undefined][] = []
  const store = {
    async stat(name: string) {
      const file = files[name]
      return file && { bytes: file.length, storedAt: 7 }
    },
    async open(name: string, range?: ByteRange) {
      reads.push([name, range])
      return Readable.from([
        files[name]?.subarray(range?.start ?? 0, (range?.end ?? Number.POSITIVE_INFINITY) + 1),
      ])
    },
    ...others,
  } as unknown as FileStore
  return { find: createStoredVideoFinder(store), reads }
}

describe('a stored video', () => {
  it('is found with its detected type', async () => {
    const { find } = start({ a: video, b: webm })
    assert.equal((await find('a'))?.contentType, 'video/mp4')
    assert.equal((await find('b'))?.contentType, 'video/webm')
  })

  it('of an unknown type is served as MP4', async () => {
    const { find } = start({ a: Buffer.from('text') })
    assert.equal((await find('a'))?.contentType, 'video/mp4')
  })

  it('is found with its size and time', async () => {
    const file = await start({ a: video }).find('a')
    assert.deepEqual([file?.bytes, file?.storedAt], [video.length, 7])
  })

  it('that is missing is not found', async () => {
    const { find, reads } = start({})
    assert.equal(await find('a'), undefined)
    assert.deepEqual(reads, [])
  })

  it('is read for its type once, and only its first bytes', async () => {
    const { find, reads } = start({ a: video, b: webm })
    await find('a')
    await find('a')
    await find('b')
    assert.deepEqual(reads, [
      ['a', { start: 0, end: Math.min(video.length, 4100) - 1 }],
      ['b', { start: 0, end: webm.length - 1 }],
    ])
  })

  it('can be read, whole and in part', async () => {
    const { find, reads } = start({ a: video })
    const file = await find('a')
    assert.ok(file)
    assert.ok((await buffer(await file.open())).equals(video))
    await file.open({ start: 1, end: 2 })
    assert.deepEqual(reads.slice(1), [
      ['a', undefined],
      ['a', { start: 1, end: 2 }],
    ])
  })

  it('can be opened locally if it is stored on this machine', async () => {
    const opened: string[] = []
    const openLocal = async (name: string) => opened.push(name) as never
    const file = await start({ a: video }, { openLocal }).find('a')
    await file?.openLocal?.()
    assert.deepEqual(opened, ['a'])
  })

  it('cannot be opened locally if it is stored elsewhere', async () => {
    const file = await start({ a: video }).find('a')
    assert.ok(file)
    assert.equal('openLocal' in file, false)
  })

  it('has a cached type among the thousand most recently requested videos', async () => {
    const names = Array.from({ length: 1001 }, (_, index) => `${index}`)
    const { find, reads } = start(Object.fromEntries(names.map((name) => [name, webm])))
    for (const name of names.slice(0, 1000)) await find(name)
    await find('0')
    assert.equal(reads.length, 1000)
    await find('1000')
    await find('0')
    assert.equal(reads.length, 1001)
    await find('1')
    assert.equal(reads.length, 1002)
  })
})
