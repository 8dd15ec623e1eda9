import assert from 'node:assert/strict'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { after, before, describe, it, type TestContext } from 'node:test'
import type { Redis } from 'ioredis'
import { parseStoredReference } from '../../src/catalogue/media-values/stored-reference.ts'
import { createInputLinks, readOrCreateLinkSecret } from '../../src/media/inputs/input-links.ts'
import { createMedia, type MediaConfig } from '../../src/media/media.ts'
import { createKeys } from '../../src/redis/keys.ts'
import { createTransport } from '../../src/upstreams/transport.ts'
import { createCleanup, quiet, startRedis, temporaryFolder } from '../support/setup.ts'
import { dataUrl, png, startServer, video } from './files.ts'

const megabyte = 1024 * 1024
const image = png()

const cleanup = createCleanup()
let redis: Redis
before(async () => {
  redis = (await startRedis(cleanup)).redis
})
after(() => cleanup.run())

async function start(t: TestContext, changes: Partial<MediaConfig> = {}) {
  const own = createCleanup()
  t.after(() => own.run())
  const upstream = await startServer(t, (_, response) => void response.end(video))
  const dataDir = join(await temporaryFolder(own), 'deep/data')
  const keys = createKeys(`${dataDir}:`)
  const transport = createTransport({ timeoutMs: 2000 })
  own.add(() => transport.close())
  const config: MediaConfig = {
    dataDir,
    s3: undefined,
    publicUrl: undefined,
    sandbox: false,
    results: 'store',
    resultsKeptMs: 60_000,
    libraryKeptMs: 60_000,
    mediaLimits: { image: megabyte, video: megabyte, audio: megabyte },
    concurrency: 200,
    quotaBytes: megabyte,
    downloads: { largestBytes: megabyte, bytesPerSecond: 1, windowMs: 60_000, total: 2, perHost: 2 },
    storage: { probeMs: 60_000, floorBytes: 0 },
    ffmpeg: 'ffmpeg',
    ...changes,
  }
  const upstreams = {
    test: {
      baseUrls: { api: upstream, other: undefined as unknown as string },
      credentials: {},
      settings: {},
    },
  }
  const media = await createMedia({ config, redis, keys, transport, upstreams, logger: quiet })
  own.add(() => media.storage.stop())
  own.add(() => media.close())
  const token = async (value: string, now?: number) => {
    const reference = parseStoredReference(value)
    assert.ok(reference)
    return createInputLinks(await readOrCreateLinkSecret(redis, keys)).createToken(reference, now)
  }
  const keepImage = async () => {
    const { input } = await media.storeInput({ image: dataUrl('image/png', image) }, { owner: 'alice' })
    return input.image ?? ''
  }
  return { media, dataDir, upstream, token, keepImage }
}

describe('the media of a gateway', () => {
  it('is stored below one folder, which is created', async (t) => {
    const { media, dataDir } = await start(t)
    await media.storage.start()
    assert.equal(media.storage.fault(), undefined)
    assert.deepEqual((await readdir(dataDir)).sort(), ['files', 'scratch'])
  })

  it('downloads a result from a configured upstream, and serves it', async (t) => {
    const { media, upstream, dataDir } = await start(t)
    const [given] = await media.deliver({ secret: 'one' }, [{ url: `${upstream}/a.mp4` }])
    const name = given?.url.slice('/files/'.length) ?? ''
    const file = await media.files.video(name)
    assert.ok(file !== undefined && file !== 'gone')
    assert.ok((await buffer(await file.open())).equals(video))
    assert.equal((await stat(join(dataDir, 'files/results', name))).size, video.length)
    await media.files.remove(name)
    assert.equal(await media.files.video(name), 'gone')
  })

  it('rejects an address of this machine that is not configured', async (t) => {
    const other = await startServer(t, (_, response) => void response.end(video))
    const { media } = await start(t)
    await assert.rejects(media.deliver({ secret: 'one' }, [{ url: other }]), { name: 'AddressRefused' })
    await assert.rejects(media.files.fetchExternal(other), { name: 'AddressRefused' })
  })

  it('downloads nothing with RESULTS=link', async (t) => {
    const { media } = await start(t, { results: 'link', storage: { probeMs: 60_000, floorBytes: 2 ** 70 } })
    const videos = [{ url: 'https://cdn.example/a.mp4' }]
    assert.deepEqual(await media.deliver({ secret: 'one' }, videos), videos)
    await media.storage.start()
    assert.equal(media.storage.fault(), undefined)
  })

  it('reports a storage fault if results are stored', async (t) => {
    const { media } = await start(t, { storage: { probeMs: 60_000, floorBytes: 2 ** 70 } })
    await media.storage.start()
    assert.equal(media.storage.fault()?.isFull, true)
    await assert.rejects(media.storage.requireSpace(), { isFull: true })
  })

  it('returns no thumbnail without ffmpeg', async (t) => {
    const { media } = await start(t, { ffmpeg: '/absent/ffmpeg' })
    const source = { bytes: 1, contentType: 'video/mp4', storedAt: 0, open: async () => Readable.from(['x']) }
    assert.equal(await media.files.createThumbnail('a.mp4', source, 'thumbnail'), undefined)
    assert.equal(await media.files.findThumbnail('a.jpg'), undefined)
  })
})

describe('a link by which an upstream fetches an input', () => {
  it('returns the file', async (t) => {
    const { media, token, keepImage } = await start(t)
    const file = await media.files.input(await token(await keepImage()))
    assert.ok(file !== undefined && file !== 'gone')
    assert.deepEqual([file.contentType, file.bytes], ['image/png', image.length])
    assert.ok((await buffer(await file.open())).equals(image))
    assert.ok((await buffer(await file.open({ start: 1, end: 3 }))).equals(image.subarray(1, 4)))
  })

  it('with an invalid signature is not found', async (t) => {
    const { media } = await start(t)
    assert.equal(await media.files.input('a.b.png'), undefined)
  })

  it('is gone after it expires', async (t) => {
    const { media, token, keepImage } = await start(t)
    assert.equal(await media.files.input(await token(await keepImage(), 0)), 'gone')
  })

  it('is gone when the file is gone', async (t) => {
    const { media, token } = await start(t)
    assert.equal(await media.files.input(await token(`stored:${'a'.repeat(64)}:5:image/png`)), 'gone')
  })
})

describe('whether upstreams can fetch files from us', () => {
  for (const [publicUrl, sandbox, expected] of [
    [undefined, false, false],
    [undefined, true, true],
    ['https://gateway.example', false, true],
  ] as const)
    it(`address ${publicUrl}, mock upstreams ${sandbox}: ${expected}`, async (t) => {
      assert.equal((await start(t, { publicUrl, sandbox })).media.hasPublicUrl, expected)
    })
})

describe('the address for upstreams', () => {
  const cases = [
    { sandbox: false, publicUrl: undefined, expected: undefined },
    { sandbox: true, publicUrl: undefined, expected: 'http://127.0.0.1:1' },
    { sandbox: true, publicUrl: 'https://gateway.example', expected: 'https://gateway.example' },
    { sandbox: false, publicUrl: 'https://gateway.example', expected: 'https://gateway.example' },
  ]
  for (const { expected, ...changes } of cases)
    it(`${JSON.stringify(changes)}: ${expected}`, async (t) => {
      const { media, keepImage } = await start(t, changes)
      media.setOwnAddress('http://127.0.0.1:1')
      const provider = { name: 'fal', mediaTransfer: () => 'link' }
      const upstream = { provider, mapping: {}, config: {} } as unknown as Parameters<
        typeof media.inputUploader.prepare
      >[2]
      const prepared = await media.inputUploader.prepare(
        'job',
        { image: await keepImage() },
        upstream,
        undefined,
      )
      if (expected === undefined) return assert.equal(prepared.kind, 'failed')
      assert.ok(prepared.kind === 'ready')
      assert.ok(String(prepared.input.image).startsWith(`${expected}/media/`))
      prepared.release()
    })
})
