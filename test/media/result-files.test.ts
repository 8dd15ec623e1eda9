import assert from 'node:assert/strict'
import { readdir, rm, utimes } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import type { Redis } from 'ioredis'
import type { MediaConfig } from '../../src/media/media.ts'
import { createDownloader, LinkNotReady, LinkUseless } from '../../src/media/results/download.ts'
import { createDownloadSlots, DownloadsBusy } from '../../src/media/results/download-slots.ts'
import { StorageUnavailable } from '../../src/media/storage/storage-fault.ts'
import { createTempDir } from '../../src/media/storage/temp-dir.ts'
import { createCleanup, startRedis, temporaryFolder } from '../support/setup.ts'
import { startFaultyBucket } from './faulty-bucket.ts'
import { startServer, video, videoOf } from './files.ts'
import { type MediaSetup, megabyte, namesIn, startMediaGateway } from './media-gateway.ts'

const cleanup = createCleanup()
let redis: Redis
before(async () => {
  redis = (await startRedis(cleanup)).redis
})
after(() => cleanup.run())

const downloadLimits = {
  largestBytes: 8 * megabyte,
  bytesPerSecond: 1024,
  windowMs: 300,
  total: 20,
  perHost: 10,
}

/** The last result of a probe counts for no longer. */
const probeMs = 20

type Request = { url: string; range: string | undefined; encoding: string | undefined }

async function start(
  t: TestContext,
  reply: (response: ServerResponse, request: Request) => void,
  changes: Partial<MediaConfig> = {},
) {
  const requests: Request[] = []
  const upstream = await startServer(t, ({ url = '', headers }, response) => {
    const encoding = headers['accept-encoding']?.toString()
    const request = { url, range: headers.range, encoding }
    requests.push(request)
    reply(response, request)
  })
  const setup = await startMediaGateway(t, 'disk', {
    redis,
    trusted: [upstream],
    downloads: downloadLimits,
    ...changes,
  })
  const deliver = (secret = 'one', options = {}) =>
    setup.media.deliver({ secret }, [{ url: `${upstream}/${secret}.mp4` }], options)
  return { ...setup, upstream, requests, deliver }
}

async function bytesOf(setup: MediaSetup, [given]: readonly { url: string }[]): Promise<Buffer> {
  return Buffer.from(await (await fetch(setup.address + given?.url)).arrayBuffer())
}

describe('the type of a result is detected from its bytes', () => {
  for (const type of ['text/plain', 'application/json', 'application/octet-stream', 'image/png', undefined]) {
    it(`accepts a video that is sent as ${type}`, async (t) => {
      const setup = await start(t, (response) =>
        response.writeHead(200, type === undefined ? {} : { 'content-type': type }).end(video),
      )
      assert.ok((await bytesOf(setup, await setup.deliver())).equals(video))
    })
  }

  it('rejects a page that is sent as a video', async (t) => {
    const setup = await start(t, (response) =>
      response.writeHead(200, { 'content-type': 'video/mp4' }).end('<html>soon</html>'),
    )
    await assert.rejects(setup.deliver(), LinkNotReady)
    assert.deepEqual(await namesIn(setup.store, 'results'), [])
  })
})

describe('a complete video', () => {
  const all = `bytes 0-${video.length - 1}/${video.length}`

  for (const [status, headers] of [
    [203, {}],
    [206, { 'content-range': all }],
  ] as const) {
    it(`is accepted with HTTP ${status}, even if no range was requested`, async (t) => {
      const setup = await start(t, (response) => response.writeHead(status, headers).end(video))
      assert.ok((await bytesOf(setup, await setup.deliver())).equals(video))
    })
  }

  for (const range of ['bytes 0-999/*', `bytes 0-999/${video.length}`, 'bytes 1-999/1000', 'x', undefined]) {
    it(`is not a reply with HTTP 206 and the range ${range}`, async (t) => {
      const headers = range === undefined ? {} : { 'content-range': range }
      const setup = await start(t, (response) =>
        response.writeHead(206, headers).end(video.subarray(0, 1000)),
      )
      await assert.rejects(setup.deliver(), LinkNotReady)
      assert.deepEqual(await readdir(join(setup.dataDir, 'scratch')), [])
    })
  }
})

describe('an encoded result', () => {
  const content = videoOf(2 * megabyte)
  const encodings: Record<string, (bytes: Buffer) => Buffer> = {
    gzip: gzipSync,
    'x-gzip': gzipSync,
    deflate: deflateSync,
    br: brotliCompressSync,
    'gzip, br': (bytes) => brotliCompressSync(gzipSync(bytes)),
  }
  for (const [name, encode] of Object.entries(encodings)) {
    it(`${name} is decoded, even if it was not requested`, async (t) => {
      const encoded = encode(content)
      const setup = await start(t, (response) =>
        response.writeHead(200, { 'content-type': 'video/mp4', 'content-encoding': name }).end(encoded),
      )
      assert.ok((await bytesOf(setup, await setup.deliver())).equals(content))
      assert.equal(setup.requests[0]?.encoding, 'identity')
    })
  }

  it('its size is checked after decoding', async (t) => {
    const bomb = gzipSync(videoOf(9 * megabyte))
    assert.ok(bomb.length < megabyte)
    const setup = await start(t, (response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb),
    )
    await assert.rejects(setup.deliver(), LinkUseless)
    assert.deepEqual(await readdir(join(setup.dataDir, 'scratch')), [])
  })

  it('is not resumed by range after an interruption', async (t) => {
    const encoded = gzipSync(content)
    const setup = await start(t, (response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': encoded.length })
      if (setup.requests.length > 1) response.end(encoded)
      else
        response.write(encoded.subarray(0, encoded.length / 2), () =>
          setTimeout(() => response.destroy(), 50),
        )
    })
    await assert.rejects(setup.deliver(), LinkNotReady)
    assert.ok((await bytesOf(setup, await setup.deliver())).equals(content))
    assert.deepEqual(
      setup.requests.map(({ range }) => range),
      [undefined, undefined],
    )
  })

  it('an encoded remainder of a plain file is not appended', async (t) => {
    const setup = await start(t, (response, { range }) => {
      const headers = { etag: '"one"', 'content-type': 'video/mp4' }
      if (setup.requests.length === 1) {
        response.writeHead(200, { ...headers, 'content-length': content.length })
        return void response.write(content.subarray(0, 1000), () => setTimeout(() => response.destroy(), 50))
      }
      if (range === undefined) return void response.writeHead(200, headers).end(content)
      const rangeHeaders = { 'content-range': `bytes 1000-${content.length - 1}/${content.length}` }
      response.writeHead(206, { ...headers, ...rangeHeaders, 'content-encoding': 'gzip' })
      // The range of an encoded file refers to its encoded bytes.
      response.end(gzipSync(content).subarray(1000))
    })
    await assert.rejects(setup.deliver(), LinkNotReady)
    assert.ok((await bytesOf(setup, await setup.deliver())).equals(content))
  })

  for (const name of ['aws-chunked', 'none', 'UTF-8', 'binary', 'constructor']) {
    it(`${name} is not an encoding, and the bytes decide`, async (t) => {
      const setup = await start(t, (response) =>
        response.writeHead(200, { 'content-encoding': name }).end(video),
      )
      assert.ok((await bytesOf(setup, await setup.deliver())).equals(video))
    })
  }
})

describe('a result that does not arrive', () => {
  it('never starts', async (t) => {
    const setup = await start(t, () => undefined)
    await assert.rejects(setup.deliver(), { name: 'LinkNotReady', message: /too slowly/ })
  })

  it('arrives byte by byte', async (t) => {
    const setup = await start(t, (response) => {
      response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': video.length })
      const timer = setInterval(() => response.write('x'), 50)
      response.once('close', () => clearInterval(timer))
    })
    await assert.rejects(setup.deliver(), { name: 'LinkNotReady', message: /too slowly/ })
  })

  it('stops in the middle: the received part is kept and the rest is fetched', async (t) => {
    const content = videoOf(megabyte)
    const setup = await start(t, (response, { range }) => {
      const from = Number(/\d+/.exec(range ?? '')?.[0] ?? 0)
      const rangeHeaders =
        from === 0 ? {} : { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` }
      const headers = { etag: '"one"', 'content-length': content.length - from, ...rangeHeaders }
      response.writeHead(from === 0 ? 200 : 206, headers)
      if (from === 0) response.write(content.subarray(0, content.length / 2))
      else response.end(content.subarray(from))
    })
    await assert.rejects(setup.deliver(), { name: 'LinkNotReady', message: /too slowly/ })
    assert.ok((await bytesOf(setup, await setup.deliver())).equals(content))
    assert.match(setup.requests[1]?.range ?? '', /^bytes=[1-9]/)
  })

  it('is endless', async (t) => {
    const piece = Buffer.alloc(256 * 1024)
    const setup = await start(t, (response) => {
      response.writeHead(200, { 'content-type': 'video/mp4' })
      const more = () => {
        while (!response.destroyed && response.write(piece));
      }
      response.on('drain', more)
      more()
    })
    await assert.rejects(setup.deliver(), {
      name: 'LinkUseless',
      message: /larger than 8 MB \(RESULT_MAX_MB\)/,
    })
    assert.deepEqual(await readdir(join(setup.dataDir, 'scratch')), [])
  })

  it('is announced as too large: nothing of it is fetched', async (t) => {
    const setup = await start(t, (response) => {
      response.writeHead(200, { 'content-length': 9 * megabyte }).write('x')
    })
    await assert.rejects(setup.deliver(), LinkUseless)
  })

  it('ends with the reason of an abort', async (t) => {
    const abort = new AbortController()
    const setup = await start(t, () => abort.abort(new Error('enough')), {
      downloads: { ...downloadLimits, windowMs: 60_000 },
    })
    await assert.rejects(setup.deliver('one', { signal: abort.signal }), { message: 'enough' })
  })
})

describe('many results that do not arrive', () => {
  const downloads = { ...downloadLimits, windowMs: 60_000, total: 6, perHost: 4 }

  it('do not delay other hosts, or a first attempt at the same host', async (t) => {
    const setup = await start(
      t,
      (response, { url }) => {
        if (url.includes('good')) response.writeHead(200).end(video)
      },
      { downloads },
    )
    const abort = new AbortController()
    t.after(() => abort.abort())
    const isRepeated = true
    const stuck = Array.from({ length: 200 }, (_, index) =>
      setup.deliver(`stuck${index}`, { signal: abort.signal, isRepeated }).catch((cause: unknown) => cause),
    )
    const settled = await Promise.all(stuck.map((one) => Promise.race([one, undefined])))
    assert.equal(settled.filter((one) => one !== undefined && !(one instanceof DownloadsBusy)).length, 0)
    while (setup.requests.length < 2) await new Promise((resolve) => setTimeout(resolve, 10))
    assert.ok((await bytesOf(setup, await setup.deliver('good'))).equals(video))
    assert.equal(setup.requests.filter(({ url }) => url.includes('stuck')).length, 2)
    abort.abort(new Error('over'))
    const ends = (await Promise.all(stuck)).map((one) => Object(one).name)
    assert.equal(ends.filter((name) => name === 'DownloadsBusy').length, 198)
  })

  it('slots are limited in total and per host, and are released once', () => {
    const slots = createDownloadSlots({ total: 3, perHost: 2 })
    const leave = slots.take('a', false)
    const other = slots.take('a', true)
    assert.throws(() => slots.take('a', false), DownloadsBusy)
    slots.take('b', false)
    assert.throws(() => slots.take('c', false), DownloadsBusy)
    leave()
    leave()
    slots.take('a', false)
    assert.throws(() => slots.take('c', false), DownloadsBusy)
    other()
    assert.ok(slots.take('a', true))
  })
})

describe('a connection that fails on this machine', () => {
  for (const code of ['EMFILE', 'ENFILE', 'ENOBUFS', 'EADDRNOTAVAIL'])
    it(`${code} is not a fault of the upstream`, async () => {
      const tempDir = await createTempDir(await temporaryFolder(cleanup))
      const request = async () => {
        throw Object.assign(new Error(`connect ${code}`), { code, syscall: 'connect' })
      }
      const download = createDownloader({
        ...downloadLimits,
        tempDir,
        safeFetch: { fetch: request, close: async () => undefined },
      })
      await assert.rejects(download('https://cdn.example/a.mp4', 'a'), StorageUnavailable)
    })
})

describe('a folder for temporary files that is removed while the gateway runs', () => {
  it('is created again by the next storage probe', async (t) => {
    const setup = await start(t, (response) => response.writeHead(200).end(video), {
      storage: { probeMs, floorBytes: 0 },
    })
    await setup.media.storage.start()
    t.after(() => setup.media.storage.stop())
    for (const folder of ['scratch', 'files', '.']) {
      await rm(join(setup.dataDir, folder), { recursive: true, maxRetries: 20, retryDelay: 5 })
      let given: readonly { url: string }[] | undefined
      for (let tries = 0; tries < 300 && given === undefined; tries += 1) {
        given = await setup.deliver(folder).catch((cause: unknown) => {
          assert.ok(cause instanceof StorageUnavailable, String(cause))
          return undefined
        })
        await sleep(10)
      }
      assert.ok((await bytesOf(setup, given ?? [])).equals(video))
    }
  })
})

describe('a result that cannot be stored', () => {
  it('is fetched once, and kept until it can be stored', async (t) => {
    const bucket = await startFaultyBucket({ ...cleanup, add: (close) => t.after(() => close()) })
    const setup = await start(t, (response) => response.writeHead(200).end(video), {
      s3: bucket.settings,
      storage: { probeMs, floorBytes: 0 },
    })
    bucket.fail('no results')
    for (let tries = 0; tries < 3; tries += 1) await assert.rejects(setup.deliver(), StorageUnavailable)
    // The sweep of old temporary files keeps files that are retried.
    const [whole = ''] = await readdir(join(setup.dataDir, 'scratch'))
    await utimes(join(setup.dataDir, 'scratch', whole), 0, 0)
    await assert.rejects(setup.deliver(), StorageUnavailable)
    await setup.media.retention.sweep()
    bucket.fail('none')
    assert.ok((await bytesOf(setup, await setup.deliver())).equals(video))
    assert.equal(setup.requests.length, 1)
    assert.deepEqual(await readdir(join(setup.dataDir, 'scratch')), [])
  })

  describe('during the upload to the store', () => {
    async function storing(t: TestContext) {
      const bucket = await startFaultyBucket({ ...cleanup, add: (close) => t.after(() => close()) })
      const content = videoOf(20 * megabyte)
      const setup = await start(t, (response) => response.writeHead(200).end(content), {
        s3: { ...bucket.settings, timeoutMs: 60_000 },
        downloads: { ...downloadLimits, largestBytes: 32 * megabyte },
      })
      bucket.fail('second part hangs')
      const controller = new AbortController()
      const delivered = setup.deliver('one', { signal: controller.signal })
      delivered.catch(() => undefined)
      while (!bucket.requests.some((request) => request.includes('partNumber=2'))) await sleep(10)
      return { bucket, controller, delivered, setup }
    }

    it('a cancel ends it at once, and its parts are removed when their calls end', async (t) => {
      const { bucket, controller, delivered } = await storing(t)
      const reason = new Error('canceled')
      controller.abort(reason)
      await assert.rejects(delivered, reason)
      bucket.release()
      while (!bucket.requests.some((request) => /^DELETE .*uploadId=/.test(request))) await sleep(10)
    })

    it('the deadline of the upstream does not end it', async (t) => {
      const { bucket, controller, delivered, setup } = await storing(t)
      controller.abort(new LinkNotReady('the result took too long'))
      await sleep(200)
      bucket.release()
      assert.equal((await bytesOf(setup, await delivered)).length, 20 * megabyte)
    })
  })

  for (const fault of ['says OK to all', 'keeps nothing'] as const) {
    it(`is not treated as stored by a bucket that ${fault}`, async (t) => {
      const bucket = await startFaultyBucket({ ...cleanup, add: (close) => t.after(() => close()) })
      // A long time between two probes: the fault is not detected yet.
      const setup = await start(t, (response) => response.writeHead(200).end(video), {
        s3: bucket.settings,
        storage: { probeMs: 60_000, floorBytes: 0 },
      })
      bucket.fail(fault)
      for (let tries = 0; tries < 2; tries += 1) await assert.rejects(setup.deliver(), StorageUnavailable)
      bucket.fail('none')
      assert.ok((await bytesOf(setup, await setup.deliver())).equals(video))
      assert.equal(setup.requests.length, 1)
    })
  }

  it('is not fetched while the bucket is known to fail', async (t) => {
    const bucket = await startFaultyBucket({ ...cleanup, add: (close) => t.after(() => close()) })
    const setup = await start(t, (response) => response.writeHead(200).end(video), {
      s3: bucket.settings,
      storage: { probeMs, floorBytes: 0 },
    })
    for (const fault of ['forbidden', 'missing', 'hanging', 'unreachable'] as const) {
      bucket.fail(fault)
      await sleep(probeMs + 1)
      await assert.rejects(setup.deliver(fault), StorageUnavailable, fault)
      const before = setup.requests.length
      await assert.rejects(setup.deliver(fault), StorageUnavailable, fault)
      bucket.fail('none')
      await sleep(probeMs + 1)
      const given = await setup.deliver(fault)
      assert.ok((await bytesOf(setup, given)).equals(video))
      assert.ok(setup.requests.length - before <= 1)
    }
    assert.deepEqual(await readdir(join(setup.dataDir, 'scratch')), [])
  })

  it('credentials without list permission can store and serve', async (t) => {
    const bucket = await startFaultyBucket({ ...cleanup, add: (close) => t.after(() => close()) })
    const setup = await start(t, (response) => response.writeHead(200).end(video), {
      s3: bucket.settings,
      storage: { probeMs, floorBytes: 0 },
    })
    bucket.fail('no list permission')
    assert.ok((await bytesOf(setup, await setup.deliver())).equals(video))
    const absent = await fetch(`${setup.address}/files/${'0'.repeat(40)}.mp4`)
    assert.equal(absent.status, 404)
    await setup.media.retention.sweep()
    for (const fault of ['forbidden', 'missing'] as const) {
      bucket.fail(fault)
      await sleep(probeMs + 1)
      assert.equal((await fetch(`${setup.address}/files/${'1'.repeat(40)}.mp4`)).status, 503, fault)
    }
  })
})
