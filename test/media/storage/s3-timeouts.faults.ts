import assert from 'node:assert/strict'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { describe, it, type TestContext } from 'node:test'
import { createS3Store } from '../../../src/media/storage/s3.ts'
import { StorageUnavailable } from '../../../src/media/storage/storage-fault.ts'
import { createCleanup, temporaryFolder } from '../../support/setup.ts'
import { startFaultyBucket } from '../faulty-bucket.ts'
import { megabyte } from '../media-gateway.ts'

async function start(t: TestContext, bytes: number, timeoutMs = 400) {
  const cleanup = createCleanup()
  t.after(() => cleanup.run())
  const bucket = await startFaultyBucket(cleanup)
  const store = createS3Store({ ...bucket.settings, timeoutMs })
  cleanup.add(() => store.close())
  const dir = await temporaryFolder(cleanup)
  const path = join(dir, 'file')
  await writeFile(path, Buffer.alloc(bytes, 7))
  return { bucket, store, path, dir }
}

describe('calls to a bucket have a time limit', () => {
  it('every call fails as a storage fault without a reply', async (t) => {
    const { bucket, store, path } = await start(t, 1000)
    bucket.fail('hanging')
    const calls: Record<string, () => Promise<unknown>> = {
      take: () => store.put('results/a', path),
      stat: () => store.stat('results/a'),
      open: () => store.open('results/a'),
      remove: () => store.remove('results/a'),
      list: () => store.list('results')[Symbol.asyncIterator]().next(),
    }
    for (const [name, call] of Object.entries(calls)) {
      await assert.rejects(call, (cause) => {
        assert.ok(cause instanceof StorageUnavailable, `${name}: ${cause}`)
        assert.match(cause.message, /^Cannot \w+.* in the bucket media: \w/)
        return true
      })
    }
  })

  it('a slow upload with progress can take longer', async (t) => {
    const timeoutMs = 2000
    const { bucket, store, path, dir } = await start(t, 80 * megabyte, timeoutMs)
    bucket.fail('slow')
    const began = performance.now()
    await store.put('results/a', path)
    assert.ok(performance.now() - began > 1.5 * timeoutMs, 'the upload was slow')
    bucket.fail('none')
    assert.equal((await store.stat('results/a'))?.bytes, 80 * megabyte)
    assert.deepEqual(await readdir(dir), [])
  })

  it('a failed multipart upload is aborted, and its file stays for the next attempt', async (t) => {
    const { bucket, store, path, dir } = await start(t, 20 * megabyte)
    bucket.fail('second part hangs')
    await assert.rejects(store.put('results/a', path), StorageUnavailable)
    const ends = bucket.requests.filter((request) => /^DELETE .*uploadId=/.test(request))
    assert.equal(ends.length, 1)
    assert.deepEqual(await readdir(dir), ['file'])
    bucket.fail('none')
    await store.put('results/a', path)
    assert.ok((await buffer(await store.open('results/a'))).equals(Buffer.alloc(20 * megabyte, 7)))
  })
})
