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
  const scratch = await createTempDir(join(dataDir, 'scratch'))
  const store: FileStore = { ...createDiskStore(join(dataDir, 'files')), ...changes.store }
  const keys = createKeys(`${dataDir}:`)
  const limits = { image: 2 * megabyte, video: 3 * megabyte, audio: megabyte, ...changes.limits }
  const quota = createQuota({ redis, keys, quotaBytes: changes.quotaBytes ?? 99 * megabyte })
  const library = createLibrary({ redis, keys, store, tempDir: scratch, limits, quota, keepMs })
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
  it('is stored with all that is known of it', async (t) => {
    const room = await start(t)
    const before = Date.now()
    const added = await room.add()
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
    assert.deepEqual(await room.stored(), [id])
    assert.deepEqual(await room.temporary(), [])
    assert.ok((await buffer(await room.library.open(added))).equals(image))
    assert.equal(await room.usedBytes(), image.length)
  })

  it('is found by its owner, and by nobody else', async (t) => {
    const room = await start(t)
    const added = await room.add()
    assert.deepEqual(await room.library.find(added.id, 'alice'), added)
    assert.equal(await room.library.find(added.id, 'bobby'), undefined)
    assert.equal(await room.library.find('att_unknown', 'alice'), undefined)
  })

  it('has an ID of its own', async (t) => {
    const room = await start(t)
    const [first, second] = [await room.add(), await room.add()]
    assert.notEqual(first.id, second.id)
  })

  it('has a record until its time is over', async (t) => {
    const room = await start(t)
    const { id } = await room.add()
    for (const key of [room.keys.attachment(id), room.keys.library('alice')]) {
      const ms = await redis.pttl(key)
      assert.ok(ms > keepMs - 60_000 && ms <= keepMs, `${key}: ${ms}`)
    }
    assert.equal(await room.library.exists(id), true)
    await redis.del(room.keys.attachment(id))
    assert.equal(await room.library.exists(id), false)
  })

  it('is not listed after its time', async (t) => {
    const room = await start(t)
    await redis.zadd(room.keys.library('alice'), Date.now() - keepMs - 60_000, 'old')
    await redis.zadd(room.keys.library('alice'), Date.now() - keepMs + 60_000, 'young')
    const { id } = await room.add()
    assert.deepEqual(await redis.zrange(room.keys.library('alice'), '0', '-1'), ['young', id])
  })

  it('that was sent as sound is sound, although it looks like a video', async (t) => {
    const room = await start(t, { limits: { audio: 9 * megabyte } })
    const added = await room.add(video, { declaredType: 'audio/mp4' })
    assert.deepEqual([added.kind, added.contentType], ['audio', 'audio/mp4'])
  })

  it('that was sent as something else is what its bytes are', async (t) => {
    const room = await start(t)
    assert.equal((await room.add(video, { declaredType: 'image/png' })).kind, 'video')
    assert.equal((await room.add(image, { declaredType: 'audio/mp4' })).kind, 'image')
  })
})

describe('the list of attachments', () => {
  it('begins with the newest, and is so long', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
    const room = await start(t)
    const ids: string[] = []
    for (let count = 0; count < 3; count += 1) {
      t.mock.timers.setTime(Date.now() + 1000)
      ids.unshift((await room.add()).id)
    }
    const list = async (limit: number) => (await room.library.list('alice', limit)).map(({ id }) => id)
    assert.deepEqual(await list(3), ids)
    assert.deepEqual(await list(2), ids.slice(0, 2))
    assert.deepEqual(await room.library.list('bobby', 3), [])
  })

  it('leaves out what has no record any more', async (t) => {
    const room = await start(t)
    const [first, second] = [await room.add(), await room.add()]
    await redis.del(room.keys.attachment(second.id))
    assert.deepEqual(
      (await room.library.list('alice', 9)).map(({ id }) => id),
      [first.id],
    )
  })
})

describe('the removal of an attachment', () => {
  it('removes its record, its file and what it counts', async (t) => {
    const room = await start(t)
    const { id } = await room.add()
    assert.equal(await room.library.remove(id, 'alice'), true)
    assert.deepEqual(await room.stored(), [])
    assert.equal(await room.usedBytes(), 0)
    assert.equal(await redis.exists(room.keys.attachment(id), room.keys.library('alice')), 0)
  })

  it('is its owner’s only', async (t) => {
    const room = await start(t)
    const { id } = await room.add()
    assert.equal(await room.library.remove(id, 'bobby'), false)
    assert.deepEqual(await room.stored(), [id])
  })
})

describe('an attachment that is refused', () => {
  const names = ['', 'x'.repeat(256), 'a/b.png', 'a\\b.png', 'a\nb.png', '.', '..', '...']
  for (const filename of names) {
    it(`for its name ${JSON.stringify(filename.slice(0, 20))}`, async (t) => {
      const room = await start(t)
      await assert.rejects(room.add(image, { filename }), {
        name: 'MediaRefused',
        reason: 'invalid',
        field: 'file',
        message: '`file` must have a plain file name, not a path',
      })
      assert.deepEqual([await room.stored(), await room.temporary()], [[], []])
    })
  }

  for (const filename of ['x'.repeat(255), '.png', 'a.', 'a..b']) {
    it(`is not for its name ${JSON.stringify(filename.slice(0, 20))}`, async (t) => {
      const room = await start(t)
      assert.equal((await room.add(image, { filename })).filename, filename)
    })
  }

  it('for its type', async (t) => {
    const room = await start(t)
    await assert.rejects(room.add(Buffer.from('text')), {
      name: 'MediaRefused',
      reason: 'invalid',
      field: 'file',
      message: '`file` must be an image, a video or an audio file',
    })
    assert.deepEqual([await room.temporary(), await room.usedBytes()], [[], 0])
  })

  it('because it is cut short', async (t) => {
    const room = await start(t)
    await assert.rejects(room.add(image.subarray(0, -9)), {
      reason: 'invalid',
      field: 'file',
      message: /is cut short/,
    })
    assert.deepEqual(await room.temporary(), [])
  })

  it('because it is larger than any file may be', async (t) => {
    const room = await start(t)
    await assert.rejects(room.add(Buffer.alloc(3 * megabyte + 1)), {
      reason: 'too_large',
      field: 'file',
      message: '`file` is larger than 3 MB',
    })
    assert.deepEqual(await room.temporary(), [])
  })

  it('because it is larger than its kind may be', async (t) => {
    const room = await start(t)
    await assert.rejects(room.add(png({ padding: 2 * megabyte })), {
      reason: 'too_large',
      field: 'file',
      message: '`file` is larger than 2 MB',
    })
    assert.deepEqual(await room.temporary(), [])
  })

  it('is not for being as large as it may be', async (t) => {
    const room = await start(t, { limits: { image: image.length, video: 1, audio: 1 } })
    assert.equal((await room.add()).bytes, image.length)
  })

  it('because of the quota: nothing is stored', async (t) => {
    const room = await start(t, { quotaBytes: image.length - 1 })
    await assert.rejects(room.add(), { name: 'QuotaExceeded' })
    assert.deepEqual([await room.stored(), await room.temporary()], [[], []])
  })

  it('by the store: it is not counted', async (t) => {
    const room = await start(t, { store: { put: () => Promise.reject(new Error('broken')) } })
    await assert.rejects(room.add(), { message: 'broken' })
    assert.deepEqual([await room.usedBytes(), await room.temporary()], [0, []])
  })

  it('because its sender broke off', async (t) => {
    const room = await start(t)
    async function* content() {
      yield image.subarray(0, 20)
      throw new Error('gone')
    }
    await assert.rejects(room.add(image, { content: content() }), { message: 'gone' })
    assert.deepEqual(await room.temporary(), [])
  })
})
