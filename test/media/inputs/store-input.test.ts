import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { after, before, describe, it, type TestContext } from 'node:test'
import type { Redis } from 'ioredis'
import type { Input } from '../../../providers/input.ts'
import { createUploadedFile, uploadReferenceOf } from '../../../src/catalogue/media-values/uploaded-file.ts'
import { createInputUses } from '../../../src/media/inputs/input-uses.ts'
import { createLibrary } from '../../../src/media/inputs/library.ts'
import { createQuota } from '../../../src/media/inputs/quota.ts'
import { createInputStorer, hasFilesToStore, type Sender } from '../../../src/media/inputs/store-input.ts'
import { createUploadBuffer } from '../../../src/media/inputs/upload-buffer.ts'
import { createDiskStore } from '../../../src/media/storage/disk.ts'
import type { FileStore } from '../../../src/media/storage/file-store.ts'
import { createTempDir } from '../../../src/media/storage/temp-dir.ts'
import { createKeys } from '../../../src/redis/keys.ts'
import { createCleanup, startRedis, temporaryFolder } from '../../support/setup.ts'
import { dataUrl, png, video } from '../files.ts'

const megabyte = 1024 * 1024
const hour = 3_600_000
const image = png()
const hashOf = (content: Buffer) => createHash('sha256').update(content).digest('hex')
const stored = (content: Buffer, type = 'image/png') => `stored:${hashOf(content)}:${content.length}:${type}`
const url = dataUrl('image/png', image)

const cleanup = createCleanup()
let redis: Redis
before(async () => {
  redis = (await startRedis(cleanup)).redis
})
after(() => cleanup.run())

type Changes = { store?: Partial<FileStore>; quotaBytes?: number; imageBytes?: number }

async function start(t: TestContext, changes: Changes = {}) {
  const own = createCleanup()
  t.after(() => own.run())
  const dataDir = await temporaryFolder(own)
  const tempDir = await createTempDir(join(dataDir, 'scratch'))
  const disk = createDiskStore(join(dataDir, 'files'))
  const taken: string[] = []
  const store: FileStore = {
    ...disk,
    async put(name, path) {
      taken.push(name)
      await disk.put(name, path)
    },
    ...changes.store,
  }
  const keys = createKeys(`${dataDir}:`)
  const limits = { image: changes.imageBytes ?? megabyte, video: megabyte, audio: megabyte }
  const uploadBuffer = createUploadBuffer({
    tempDir,
    limits: { image: megabyte, video: megabyte, audio: megabyte },
  })
  const quota = createQuota({ redis, keys, quotaBytes: changes.quotaBytes ?? 100 * megabyte })
  const uses = createInputUses({ redis, keys, keepMs: hour })
  const library = createLibrary({ redis, keys, store, tempDir, limits, quota, keepMs: hour })
  const storeInput = createInputStorer({
    store,
    tempDir,
    uploadBuffer,
    library,
    limits,
    inputUses: uses,
    quota,
  })
  const put = async (name: string, content: Buffer) => {
    const path = tempDir.createPath('put')
    await writeFile(path, content)
    await disk.put(name, path)
  }
  return {
    library,
    taken,
    disk,
    uploadBuffer,
    put,
    storeInput: (input: Input, sender: Partial<Sender> = {}) =>
      storeInput(input, { owner: 'alice', ...sender }),
    attach: (content = image, owner = 'alice') =>
      library.add({ owner, filename: 'a.png', declaredType: 'image/png', content: Readable.from([content]) }),
    inputs: () => readdir(join(dataDir, 'files/inputs')).catch(() => [] as string[]),
    temporary: () => readdir(join(dataDir, 'scratch')),
    usedBytes: async () => Number((await redis.get(keys.storedBytes('alice'))) ?? 0),
    usesOf: (content: Buffer) => redis.hgetall(keys.inputUses(hashOf(content))),
    /** Makes a stored input older. */
    age: async (content: Buffer, ms: number) => {
      const seconds = (Date.now() - ms) / 1000
      await utimes(join(dataDir, 'files/inputs', hashOf(content)), seconds, seconds)
    },
  }
}

describe('whether an input has files to store', () => {
  const cases: [Input, boolean][] = [
    [{ prompt: 'a boat' }, false],
    [{ image: 'https://cdn.example/a.png' }, false],
    [{ image: url }, true],
    [{ image: 'DATA:,x' }, true],
    [{ image: 'see data:image/png;base64,AAAA' }, false],
    [{ image: 'attachment:att_1' }, true],
    [{ image: 'attachment:' }, false],
    [{ image: 'my attachment:att_1' }, false],
    [{ video: `result:${'a'.repeat(40)}.mp4` }, true],
    [{ video: 'result:a.webm' }, false],
    [{ video: 'result:a.mp4 ' }, false],
    [{ video: 'a result:a.mp4' }, false],
    [{ video: 'result:a/b.mp4' }, false],
    [{ image: `data:${' '.repeat(600)},x` }, true],
    [{ image: `data:${' '.repeat(5000)},x` }, false],
    [{ image: image.toString('base64') }, true],
    [{ image: 'aGVsbG8sIHRoaXMgaXMgdGV4dCwgYW5kIG5vIGZpbGU=' }, false],
    [{ referenceImages: ['https://cdn.example/a.png', url] }, true],
    [{ referenceImages: ['https://cdn.example/a.png'] }, false],
  ]
  for (const [input, brings] of cases) {
    it(`${JSON.stringify(input).slice(0, 70)}: ${brings}`, () => assert.equal(hasFilesToStore(input), brings))
  }
})

describe('a data URL', () => {
  it('is stored by its content, and counted', async (t) => {
    const setup = await start(t)
    const { input } = await setup.storeInput({ prompt: 'a boat', image: url })
    assert.deepEqual(input, { prompt: 'a boat', image: stored(image) })
    assert.deepEqual(await setup.inputs(), [hashOf(image)])
    assert.deepEqual(await setup.temporary(), [])
    assert.equal(await setup.usedBytes(), image.length)
    assert.deepEqual(await setup.usesOf(image), { uses: '1', new: '1' })
  })

  for (const head of [
    'data:image/png;base64,',
    'DATA:image/png;BASE64,',
    'data:;base64,',
    'data:,',
    'data:image/png,',
  ]) {
    it(`can start with ${head}`, async (t) => {
      const setup = await start(t)
      const { input } = await setup.storeInput({ image: head + image.toString('base64') })
      assert.equal(input.image, stored(image))
    })
  }

  it('that was streamed is claimed from the upload buffer', async (t) => {
    const setup = await start(t)
    const buffered = await setup.uploadBuffer.receiveDataUrl('image/png')
    await buffered.write(image.toString('base64'))
    const { input } = await setup.storeInput({ image: uploadReferenceOf(await buffered.end()) })
    assert.equal(input.image, stored(image))
    assert.deepEqual(await setup.temporary(), [])
  })

  it('that is no longer buffered is rejected', async (t) => {
    const setup = await start(t)
    await assert.rejects(setup.storeInput({ image: uploadReferenceOf(createUploadedFile('image/png')) }), {
      field: 'image',
      message: /has no file any more/,
    })
  })

  it('has its detected type, not the declared one', async (t) => {
    const setup = await start(t)
    const { input } = await setup.storeInput({ video: dataUrl('video/webm', video) })
    assert.equal(input.video, stored(video, 'video/mp4'))
  })

  it('a link that contains a data URL is not changed', async (t) => {
    const setup = await start(t)
    const image = 'https://cdn.example/?data:image/png;base64,AAAA'
    const { input } = await setup.storeInput({ image })
    assert.equal(input.image, image)
    assert.deepEqual(setup.taken, [])
  })
})

describe('a data URL that is rejected', () => {
  const cases: [string, Input, RegExp, string][] = [
    ['no base64', { image: 'data:image/png;base64,$$$$' }, /^`image` is not valid base64$/, 'invalid'],
    [
      'cut short',
      { image: 'data:image/png;base64,AAAAA' },
      /^`image` is base64 that is cut short$/,
      'invalid',
    ],
    ['empty', { image: 'data:image/png;base64,' }, /^`image` holds no bytes$/, 'invalid'],
    [
      'too large',
      { image: dataUrl('image/png', Buffer.alloc(megabyte + 1)) },
      /^`image` is larger than 1 MB$/,
      'too_large',
    ],
    [
      'no image',
      { image: dataUrl('image/png', Buffer.from('text')) },
      /^`image` must be an image file/,
      'invalid',
    ],
    ['a video', { image: dataUrl('image/png', video) }, /is video\/mp4 by its content/, 'invalid'],
  ]
  for (const [what, input, message, reason] of cases) {
    it(`${what}: the error names the field, and no file is left`, async (t) => {
      const setup = await start(t)
      await assert.rejects(setup.storeInput(input), { name: 'MediaRefused', message, reason, field: 'image' })
      assert.deepEqual([await setup.inputs(), await setup.temporary(), await setup.usedBytes()], [[], [], 0])
    })
  }

  it('larger than the limit of its kind, even if another kind allows it', async (t) => {
    const setup = await start(t, { imageBytes: image.length - 1 })
    await assert.rejects(setup.storeInput({ image: dataUrl('video/mp4', image) }), {
      name: 'MediaRefused',
      reason: 'too_large',
    })
  })

  it('exactly at the limit of its kind is accepted', async (t) => {
    const setup = await start(t, { imageBytes: image.length })
    assert.equal((await setup.storeInput({ image: url })).input.image, stored(image))
  })

  it('the error has the field name of the client', async (t) => {
    const setup = await start(t)
    const spell = (field: string) => `my_${field}`
    await assert.rejects(setup.storeInput({ image: 'data:,' }, { spellField: spell }), { field: 'my_image' })
  })

  it('earlier files of the same request are removed', async (t) => {
    const setup = await start(t)
    await assert.rejects(setup.storeInput({ referenceImages: [url, 'data:image/png;base64,'] }), {
      name: 'MediaRefused',
    })
    assert.deepEqual([await setup.inputs(), await setup.usedBytes()], [[], 0])
    assert.deepEqual(await setup.usesOf(image), {})
  })

  it('an error during that removal does not hide the reason', async (t) => {
    const setup = await start(t, { store: { remove: () => Promise.reject(new Error('broken')) } })
    await assert.rejects(setup.storeInput({ referenceImages: [url, 'data:image/png;base64,'] }), {
      name: 'MediaRefused',
    })
  })

  it('more than the quota is rejected, and not counted', async (t) => {
    const setup = await start(t, { quotaBytes: image.length - 1 })
    await assert.rejects(setup.storeInput({ image: url }), { name: 'QuotaExceeded' })
    assert.deepEqual([await setup.inputs(), await setup.usedBytes()], [[], 0])
  })

  it('a file that cannot be stored is not counted', async (t) => {
    const setup = await start(t, { store: { put: () => Promise.reject(new Error('broken')) } })
    await assert.rejects(setup.storeInput({ image: url }), { message: 'broken' })
    assert.deepEqual([await setup.usedBytes(), await setup.temporary()], [0, []])
    assert.deepEqual(await setup.usesOf(image), {})
  })
})

describe('a file that is already stored', () => {
  it('is not stored again, and is used once more', async (t) => {
    const setup = await start(t)
    await setup.storeInput({ image: url })
    await setup.storeInput({ image: url })
    assert.equal(setup.taken.length, 1)
    assert.deepEqual(await setup.usesOf(image), { uses: '2', new: '1' })
    assert.equal(await setup.usedBytes(), image.length)
  })

  it('is stored again after an hour, so that it stays longer', async (t) => {
    const setup = await start(t)
    await setup.storeInput({ image: url })
    await setup.age(image, hour + 1000)
    await setup.storeInput({ image: url })
    assert.equal(setup.taken.length, 2)
  })

  it('is recent for nearly an hour', async (t) => {
    const setup = await start(t)
    await setup.storeInput({ image: url })
    await setup.age(image, hour - 60_000)
    await setup.storeInput({ image: url })
    assert.equal(setup.taken.length, 1)
  })

  it('is too old after exactly one hour', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_800_000_000_000 })
    const setup = await start(t)
    await setup.put(`inputs/${hashOf(image)}`, image)
    await setup.age(image, hour)
    await setup.storeInput({ image: url })
    assert.equal(setup.taken.length, 1)
  })

  it('is replaced if it is truncated', async (t) => {
    const setup = await start(t)
    await setup.put(`inputs/${hashOf(image)}`, image.subarray(1))
    await setup.storeInput({ image: url })
    assert.equal(setup.taken.length, 1)
  })

  it('of an earlier request is not removed', async (t) => {
    const setup = await start(t)
    await setup.put(`inputs/${hashOf(image)}`, image)
    const { discard: forget } = await setup.storeInput({ image: url })
    assert.deepEqual(await setup.usesOf(image), { uses: '1' })
    await forget()
    assert.deepEqual(await setup.inputs(), [hashOf(image)])
  })
})

describe('a failed request', () => {
  it('removes its files', async (t) => {
    const setup = await start(t)
    const { discard: forget } = await setup.storeInput({ image: url })
    await forget()
    assert.deepEqual([await setup.inputs(), await setup.usedBytes()], [[], 0])
  })

  it('removes them once if called twice', async (t) => {
    const setup = await start(t)
    await setup.storeInput({ image: url })
    const { discard: forget } = await setup.storeInput({ image: url })
    await forget()
    await forget()
    assert.deepEqual(await setup.inputs(), [hashOf(image)])
    assert.deepEqual(await setup.usesOf(image), { uses: '1', new: '1' })
  })

  it('keeps what was counted before it', async (t) => {
    const setup = await start(t)
    await setup.storeInput({ image: url })
    const { discard: forget } = await setup.storeInput({ image: url })
    await forget()
    assert.equal(await setup.usedBytes(), image.length)
  })
})

describe('an attachment', () => {
  it('is copied for the job', async (t) => {
    const setup = await start(t)
    const { id } = await setup.attach()
    const { input } = await setup.storeInput({ image: `attachment:${id}` })
    assert.equal(input.image, stored(image))
    assert.ok((await buffer(await setup.disk.open(`inputs/${hashOf(image)}`))).equals(image))
    assert.deepEqual(await setup.temporary(), [])
    assert.equal(await setup.usedBytes(), 2 * image.length)
  })

  it('that is already copied is not copied again', async (t) => {
    const setup = await start(t)
    const { id } = await setup.attach()
    await setup.storeInput({ image: `attachment:${id}` })
    await setup.storeInput({ image: `attachment:${id}` })
    assert.equal(setup.taken.filter((name) => name.startsWith('inputs/')).length, 1)
  })

  it('of another owner is not found', async (t) => {
    const setup = await start(t)
    const { id } = await setup.attach(image, 'bobby')
    await assert.rejects(setup.storeInput({ image: `attachment:${id}` }), {
      name: 'MediaRefused',
      reason: 'invalid',
      field: 'image',
      message: `\`image\` names no attachment of yours: ${id}`,
    })
  })

  it('with a long ID is shortened in the error', async (t) => {
    const setup = await start(t)
    await assert.rejects(setup.storeInput({ image: `attachment:${'x\n'.repeat(100)}` }), {
      message: `\`image\` names no attachment of yours: ${'x\n'.repeat(30)}`,
    })
  })

  it('of another kind is rejected', async (t) => {
    const setup = await start(t)
    const { id } = await setup.attach()
    await assert.rejects(setup.storeInput({ video: `attachment:${id}` }), {
      name: 'MediaRefused',
      reason: 'invalid',
      field: 'video',
      message: '`video` names an attachment that is a image file, not video',
    })
  })

  it('with a missing file fails, and leaves no temporary file', async (t) => {
    const setup = await start(t)
    const { id } = await setup.attach()
    await setup.disk.remove(`library/${id}`)
    await assert.rejects(setup.storeInput({ image: `attachment:${id}` }), { code: 'ENOENT' })
    assert.deepEqual(await setup.temporary(), [])
  })
})

describe('a finished video', () => {
  const file = `${'a'.repeat(40)}.mp4`

  it('is copied for the job', async (t) => {
    const setup = await start(t)
    await setup.put(`results/${file}`, video)
    const { input } = await setup.storeInput({ video: `result:${file}` })
    assert.equal(input.video, stored(video, 'video/mp4'))
    assert.ok((await buffer(await setup.disk.open(`inputs/${hashOf(video)}`))).equals(video))
    assert.ok((await setup.disk.stat(`results/${file}`)) !== undefined)
    assert.deepEqual(await setup.temporary(), [])
  })

  it('has its detected type', async (t) => {
    const webm = Buffer.concat([
      Buffer.from('1a45dfa39f4286810142f7810142f2810442f381084282847765626d', 'hex'),
      Buffer.alloc(200),
    ])
    const setup = await start(t)
    await setup.put(`results/${file}`, webm)
    assert.equal(
      (await setup.storeInput({ video: `result:${file}` })).input.video,
      stored(webm, 'video/webm'),
    )
  })

  it('of an unknown type is served as MP4', async (t) => {
    const setup = await start(t)
    await setup.put(`results/${file}`, Buffer.from('text'))
    const { input } = await setup.storeInput({ video: `result:${file}` })
    assert.equal(input.video, stored(Buffer.from('text'), 'video/mp4'))
  })

  it('that has expired is rejected', async (t) => {
    const setup = await start(t)
    await assert.rejects(setup.storeInput({ video: `result:${file}` }), {
      name: 'MediaRefused',
      reason: 'invalid',
      message: '`video` names a video that is not kept any more',
    })
    assert.deepEqual(await setup.temporary(), [])
  })
})
