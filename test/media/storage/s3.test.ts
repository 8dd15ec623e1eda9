import assert from 'node:assert/strict'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import type { FileStore } from '../../../src/media/storage/file-store.ts'
import { createS3Store } from '../../../src/media/storage/s3.ts'
import { createCleanup, temporaryFolder } from '../../support/setup.ts'
import { startFaultyBucket } from '../faulty-bucket.ts'

const megabyte = 1024 * 1024

describe('files in a bucket', () => {
  const cleanup = createCleanup()
  let bucket: Awaited<ReturnType<typeof startFaultyBucket>>
  let store: FileStore
  let dir: string
  before(async () => {
    bucket = await startFaultyBucket(cleanup)
    store = createS3Store({ ...bucket.settings, timeoutMs: 20_000 })
    cleanup.add(() => store.close())
    dir = await temporaryFolder(cleanup)
  })
  after(() => cleanup.run())

  async function put(name: string, content: string | Buffer): Promise<void> {
    const path = join(dir, 'new')
    await writeFile(path, content)
    await store.put(name, path)
  }

  async function names(folder: string): Promise<string[]> {
    const keys: string[] = []
    for await (const { name } of store.list(folder)) keys.push(name)
    return keys.sort()
  }

  it('a file is stored, and its local copy removed', async () => {
    await put('stored/a', 'one')
    assert.equal((await buffer(await store.open('stored/a'))).toString(), 'one')
    assert.deepEqual(await readdir(dir), [])
  })

  it('a file is found with its size and when it was stored', async () => {
    const before = Date.now()
    await put('found/a', 'one')
    const keys = await store.stat('found/a')
    assert.equal(keys?.bytes, 3)
    // The bucket counts in seconds.
    assert.ok((keys?.storedAt ?? 0) > before - 2000 && (keys?.storedAt ?? 0) < Date.now() + 2000)
  })

  it('an absent file is not found', async () => {
    assert.equal(await store.stat('absent/a'), undefined)
  })

  it('a part of a file can be read, both ends included', async () => {
    await put('parts/a', '0123456789')
    assert.equal((await buffer(await store.open('parts/a', { start: 2, end: 4 }))).toString(), '234')
    assert.equal((await buffer(await store.open('parts/a', { start: 0, end: 1 }))).toString(), '01')
  })

  it('an absent file cannot be read', async () => {
    await assert.rejects(store.open('absent/a'), {
      name: 'StorageUnavailable',
      message: 'Cannot read absent/a in the bucket media: NoSuchKey (HTTP 404)',
    })
  })

  it('a removed file is gone', async () => {
    await put('removed/a', 'one')
    await store.remove('removed/a')
    assert.equal(await store.stat('removed/a'), undefined)
  })

  it('a folder lists its own files with their times', async () => {
    await put('folder/a', 'one')
    await put('folder/b', 'one')
    await put('folder2/c', 'one')
    assert.deepEqual(await names('folder'), ['folder/a', 'folder/b'])
    for await (const { storedAt } of store.list('folder')) assert.ok(Math.abs(storedAt - Date.now()) < 60_000)
  })

  it('an absent folder is empty', async () => {
    assert.deepEqual(await names('nothing'), [])
  })

  it('a large file is uploaded in parts of 8 MB', async () => {
    const content = Buffer.alloc(17 * megabyte, 7)
    await put('large/a', content)
    const partNumbers = bucket.requests.flatMap((request) => /partNumber=(\d+)/.exec(request)?.[1] ?? [])
    assert.deepEqual([...new Set(partNumbers)].sort(), ['1', '2', '3'])
    assert.equal((await store.stat('large/a'))?.bytes, content.length)
  })

  it('no checksum is sent that other servers do not support', async () => {
    await put('plain/a', 'one')
    assert.ok(!bucket.requests.some((request) => request.includes('checksum')))
  })

  it('a denied call is a storage fault with that reason', async () => {
    bucket.fail('forbidden')
    const calls: Record<string, () => Promise<unknown>> = {
      'store a/b': () => put('a/b', 'one'),
      'look up a/b': () => store.stat('a/b'),
      'read a/b': () => store.open('a/b'),
      'remove a/b': () => store.remove('a/b'),
      'list a': () => names('a'),
    }
    for (const [operation, call] of Object.entries(calls)) {
      await assert.rejects(call, (cause: Error & { isForbidden?: boolean }) => {
        assert.match(cause.message, new RegExp(`^Cannot ${operation} in the bucket media: .*HTTP 403`))
        return cause.isForbidden === true
      })
    }
    bucket.fail('none')
  })

  it('a file that cannot be stored stays for the next attempt', async () => {
    bucket.fail('forbidden')
    await assert.rejects(put('kept/a', 'one'))
    bucket.fail('none')
    assert.deepEqual(await readdir(dir), ['new'])
    await store.put('kept/a', join(dir, 'new'))
  })

  for (const call of ['stat', 'open'] as const) {
    it(`a bucket that does not reply to ${call} is a storage fault soon`, async () => {
      const quick = createS3Store({ ...bucket.settings, timeoutMs: 100 })
      bucket.fail('hanging')
      await assert.rejects(quick[call]('hanging/a'), { name: 'StorageUnavailable' })
      bucket.fail('none')
      quick.close()
    })
  }

  it('a canceled upload ends at once, even if the bucket does not reply', {
    timeout: 10_000,
  }, async () => {
    bucket.fail('hanging')
    const path = join(dir, 'canceled')
    await writeFile(path, 'one')
    const abort = new AbortController()
    const taking = store.put('canceled/a', path, abort.signal)
    setImmediate(() => abort.abort())
    await assert.rejects(taking, { name: 'StorageUnavailable' })
    bucket.fail('none')
    assert.deepEqual(await readdir(dir), ['canceled'])
  })

  it('a reader can pause for longer than the call timeout', async () => {
    const content = Buffer.alloc(12 * megabyte, 7)
    await put('paused/a', content)
    const quick = createS3Store({ ...bucket.settings, timeoutMs: 100 })
    const stream = await quick.open('paused/a')
    await new Promise((resolve) => setTimeout(resolve, 400))
    assert.equal((await buffer(stream)).length, content.length)
    quick.close()
  })
})
