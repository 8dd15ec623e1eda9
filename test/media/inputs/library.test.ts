import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { after, before, describe, it, type TestContext } from 'node:test'
import type { Redis } from 'ioredis'
import { createLibrary } from '../../../src/media/inputs/library.ts'
import { createQuota } from '../../../src/media/inputs/quota.ts'
import { createDiskStore } from '../../../src/media/storage/disk.ts'
import type { FileStore } from '../../../src/media/storage/file-store.ts'
import { createTempDir } from '../../../src/media/storage/temp-dir.ts'
import { createKeys } from '../../../src/redis/keys.ts'
import { createCleanup, startRedis, temporaryFolder } from '../../support/setup.ts'
import { png, video } from '../files.ts'

const megabyte = 1024 * 1024
const keepMs = 3_600_000
const image = png()

const cleanup = createCleanup()
let redis: Redis
before(async () => {
  redis = (await startRedis(cleanup)).redis
})
after(() => cleanup.run())

type Changes = { store?: Partial<FileStore>; quotaBytes?: number; limits?: object }

async function start(t: TestContext, changes: Changes = {}) {
  const own = createCleanup()
  t.after(() => own.run())
  const dataDir = await temporaryFolder(own)
  const tempDir = await createTempDir(join(dataDir, 'scratch'))
  const store: FileStore = { ...createDiskStore(join(dataDir, 'files')), ...changes.store }
  const keys = createKeys(`${dataDir}:`)
  const limits = { image: 2 * megabyte, video: 3 * megabyte, audio: megabyte, ...changes.limits }
  const quota = createQuota({ redis, keys, quotaBytes: changes.quotaBytes ?? 99 * megabyte })
  const library = createLibrary({ redis, keys, store, tempDir, limits, quota, keepMs })
  return {
    library,
    keys,
    store,
    add: (content = image, sent = {}) =>
      library.add({
        owner: 'alice',
        filename: 'face.png',
        declaredType: 'image/png',
        content: Readable.from([content]),
        ...sent,
      }),
    stored: () => readdir(join(dataDir, 'files/library')).catch(() => [] as string[]),
    temporary: () => readdir(join(dataDir, 'scratch')),
    usedBytes: async () => Number((await redis.get(keys.storedBytes('alice'))) ?? 0),
  }
}

describe('an attachment', () => {
  it('is stored with its metadata', async (t) => {
    const setup = await start(t)
    const before = Date.now()
    const added = await setup.add()
    assert.match(added.id, /^att_[0-9a-z]{25}$/)
    const { id, createdAt, expiresAt, ...rest } = added
    assert.deepEqual(rest, {
      owner: 'alice',
      kind: 'image',
      contentType: 'image/png',
      bytes: image.length,
      hash: createHash('sha256').update(image).digest('hex'),
      filename: 'face.png',
    })
    assert.ok(createdAt >= before && createdAt <= Date.now())
    assert.equal(expiresAt, createdAt + keepMs)
    assert.deepEqual(await setup.stored(), [id])
    assert.deepEqual(await setup.temporary(), [])
    assert.ok((await buffer(await setup.library.open(added))).equals(image))
    assert.equal(await setup.usedBytes(), image.length)
  })

  it('is found by its owner only', async (t) => {
    const setup = await start(t)
    const added = await setup.add()
    assert.deepEqual(await setup.library.find(added.id, 'alice'), added)
    assert.equal(await setup.library.find(added.id, 'bobby'), undefined)
    assert.equal(await setup.library.find('att_unknown', 'alice'), undefined)
  })

  it('has its own ID', async (t) => {
    const setup = await start(t)
    const [first, second] = [await setup.add(), await setup.add()]
    assert.notEqual(first.id, second.id)
  })

  it('has a record until it expires', async (t) => {
    const setup = await start(t)
    const { id } = await setup.add()
    for (const key of [setup.keys.attachment(id), setup.keys.library('alice')]) {
      const ms = await redis.pttl(key)
      assert.ok(ms > keepMs - 60_000 && ms <= keepMs, `${key}: ${ms}`)
    }
    assert.equal(await setup.library.exists(id), true)
    await redis.del(setup.keys.attachment(id))
    assert.equal(await setup.library.exists(id), false)
  })

  it('is not listed after it expires', async (t) => {
    const setup = await start(t)
    await redis.zadd(setup.keys.library('alice'), Date.now() - keepMs - 60_000, 'old')
    await redis.zadd(setup.keys.library('alice'), Date.now() - keepMs + 60_000, 'young')
    const { id } = await setup.add()
    assert.deepEqual(await redis.zrange(setup.keys.library('alice'), '0', '-1'), ['young', id])
  })

  it('that was sent as audio is audio, even if it looks like a video', async (t) => {
    const setup = await start(t, { limits: { audio: 9 * megabyte } })
    const added = await setup.add(video, { declaredType: 'audio/mp4' })
    assert.deepEqual([added.kind, added.contentType], ['audio', 'audio/mp4'])
  })

  it('that was sent with another type has the type of its bytes', async (t) => {
    const setup = await start(t)
    assert.equal((await setup.add(video, { declaredType: 'image/png' })).kind, 'video')
    assert.equal((await setup.add(image, { declaredType: 'audio/mp4' })).kind, 'image')
  })
})

describe('the list of attachments', () => {
  it('starts with the newest, and is limited', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
    const setup = await start(t)
    const ids: string[] = []
    for (let count = 0; count < 3; count += 1) {
      t.mock.timers.setTime(Date.now() + 1000)
      ids.unshift((await setup.add()).id)
    }
    const list = async (limit: number) => (await setup.library.list('alice', limit)).map(({ id }) => id)
    assert.deepEqual(await list(3), ids)
    assert.deepEqual(await list(2), ids.slice(0, 2))
    assert.deepEqual(await setup.library.list('bobby', 3), [])
  })

  it('omits attachments without a record', async (t) => {
    const setup = await start(t)
    const [first, second] = [await setup.add(), await setup.add()]
    await redis.del(setup.keys.attachment(second.id))
    assert.deepEqual(
      (await setup.library.list('alice', 9)).map(({ id }) => id),
      [first.id],
    )
  })
})

describe('the removal of an attachment', () => {
  it('removes its record, its file and its quota', async (t) => {
    const setup = await start(t)
    const { id } = await setup.add()
    assert.equal(await setup.library.remove(id, 'alice'), true)
    assert.deepEqual(await setup.stored(), [])
    assert.equal(await setup.usedBytes(), 0)
    assert.equal(await redis.exists(setup.keys.attachment(id), setup.keys.library('alice')), 0)
  })

  it('is allowed to its owner only', async (t) => {
    const setup = await start(t)
    const { id } = await setup.add()
    assert.equal(await setup.library.remove(id, 'bobby'), false)
    assert.deepEqual(await setup.stored(), [id])
  })
})

describe('an attachment that is rejected', () => {
  const names = ['', 'x'.repeat(256), 'a/b.png', 'a\\b.png', 'a\nb.png', '.', '..', '...']
  for (const filename of names) {
    it(`for its name ${JSON.stringify(filename.slice(0, 20))}`, async (t) => {
      const setup = await start(t)
      await assert.rejects(setup.add(image, { filename }), {
        name: 'MediaRefused',
        reason: 'invalid',
        field: 'file',
        message: '`file` must have a plain file name, not a path',
      })
      assert.deepEqual([await setup.stored(), await setup.temporary()], [[], []])
    })
  }

  for (const filename of ['x'.repeat(255), '.png', 'a.', 'a..b']) {
    it(`is accepted with the name ${JSON.stringify(filename.slice(0, 20))}`, async (t) => {
      const setup = await start(t)
      assert.equal((await setup.add(image, { filename })).filename, filename)
    })
  }

  it('for its type', async (t) => {
    const setup = await start(t)
    await assert.rejects(setup.add(Buffer.from('text')), {
      name: 'MediaRefused',
      reason: 'invalid',
      field: 'file',
      message: '`file` must be an image, a video or an audio file',
    })
    assert.deepEqual([await setup.temporary(), await setup.usedBytes()], [[], 0])
  })

  it('because it is truncated', async (t) => {
    const setup = await start(t)
    await assert.rejects(setup.add(image.subarray(0, -9)), {
      reason: 'invalid',
      field: 'file',
      message: /is cut short/,
    })
    assert.deepEqual(await setup.temporary(), [])
  })

  it('because it is larger than any file may be', async (t) => {
    const setup = await start(t)
    await assert.rejects(setup.add(Buffer.alloc(3 * megabyte + 1)), {
      reason: 'too_large',
      field: 'file',
      message: '`file` is larger than 3 MB',
    })
    assert.deepEqual(await setup.temporary(), [])
  })

  it('because it is larger than its kind may be', async (t) => {
    const setup = await start(t)
    await assert.rejects(setup.add(png({ padding: 2 * megabyte })), {
      reason: 'too_large',
      field: 'file',
      message: '`file` is larger than 2 MB',
    })
    assert.deepEqual(await setup.temporary(), [])
  })

  it('is accepted at exactly the limit', async (t) => {
    const setup = await start(t, { limits: { image: image.length, video: 1, audio: 1 } })
    assert.equal((await setup.add()).bytes, image.length)
  })

  it('because of the quota: nothing is stored', async (t) => {
    const setup = await start(t, { quotaBytes: image.length - 1 })
    await assert.rejects(setup.add(), { name: 'QuotaExceeded' })
    assert.deepEqual([await setup.stored(), await setup.temporary()], [[], []])
  })

  it('by the store: it is not counted', async (t) => {
    const setup = await start(t, { store: { put: () => Promise.reject(new Error('broken')) } })
    await assert.rejects(setup.add(), { message: 'broken' })
    assert.deepEqual([await setup.usedBytes(), await setup.temporary()], [0, []])
  })

  it('because its client disconnected', async (t) => {
    const setup = await start(t)
    async function* content() {
      yield image.subarray(0, 20)
      throw new Error('gone')
    }
    await assert.rejects(setup.add(image, { content: content() }), { message: 'gone' })
    assert.deepEqual(await setup.temporary(), [])
  })
})
