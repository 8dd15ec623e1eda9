import assert from 'node:assert/strict'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import type { Redis } from 'ioredis'
import { LinkNotReady } from '../../src/media/results/download.ts'
import { createCleanup, startRedis } from '../support/setup.ts'
import { startServer, video, videoOf } from './files.ts'
import { type MediaSetup, namesIn, type StoreName, startMediaGateway, stores } from './media-gateway.ts'

const cleanup = createCleanup()
let redis: Redis
before(async () => {
  redis = (await startRedis(cleanup)).redis
})
after(() => cleanup.run())

const job = { id: 'vid_1', secret: 'a secret of the job' }

/** A gateway with one delivered video. */
async function delivered(
  t: TestContext,
  name: StoreName,
  content: Buffer = video,
  changes: { resultsKeptMs?: number } = {},
) {
  const upstream = await startServer(t, (_, response) => {
    response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': content.length }).end(content)
  })
  const setup = await startMediaGateway(t, name, { redis, trusted: [upstream], ...changes })
  const [given] = await setup.media.deliver(job, [{ url: `${upstream}/a.mp4` }])
  return { ...setup, link: setup.address + given?.url, file: given?.url.slice('/files/'.length) ?? '' }
}

async function listTempFiles({ dataDir }: MediaSetup): Promise<string[]> {
  return readdir(join(dataDir, 'scratch'))
}

for (const name of stores) {
  describe(`results on ${name}`, () => {
    it('a finished video is stored once and served whole, without a key', async (t) => {
      const setup = await delivered(t, name)
      assert.match(setup.link, /\/files\/[0-9a-f]{40}\.mp4$/)
      const reply = await fetch(setup.link, { headers: { 'x-api-key': 'whatever' } })
      assert.equal(reply.status, 200)
      assert.equal(reply.headers.get('content-type'), 'video/mp4')
      assert.equal(reply.headers.get('content-length'), String(video.length))
      assert.equal(reply.headers.get('accept-ranges'), 'bytes')
      assert.equal(reply.headers.get('access-control-allow-origin'), '*')
      assert.deepEqual(Buffer.from(await reply.arrayBuffer()), video)
      assert.deepEqual(await listTempFiles(setup), [])
    })

    it('ranges are right at the edges', async (t) => {
      const { link } = await delivered(t, name)
      const size = video.length
      const cases: [string, string, Buffer][] = [
        ['bytes=0-0', `bytes 0-0/${size}`, video.subarray(0, 1)],
        ['bytes=0-', `bytes 0-${size - 1}/${size}`, video],
        [`bytes=${size - 1}-`, `bytes ${size - 1}-${size - 1}/${size}`, video.subarray(size - 1)],
        [
          `bytes=${size - 5}-${size + 100}`,
          `bytes ${size - 5}-${size - 1}/${size}`,
          video.subarray(size - 5),
        ],
        ['bytes=-3', `bytes ${size - 3}-${size - 1}/${size}`, video.subarray(size - 3)],
        [`bytes=-${size + 9}`, `bytes 0-${size - 1}/${size}`, video],
        ['bytes=100-199', `bytes 100-199/${size}`, video.subarray(100, 200)],
      ]
      for (const [range, contentRange, bytes] of cases) {
        const reply = await fetch(link, { headers: { range } })
        assert.deepEqual(
          [range, reply.status, reply.headers.get('content-range')],
          [range, 206, contentRange],
        )
        assert.equal(reply.headers.get('content-length'), String(bytes.length))
        assert.deepEqual(Buffer.from(await reply.arrayBuffer()), bytes)
      }
      for (const range of [`bytes=${size}-`, 'bytes=-0', `bytes=${size + 5}-${size + 9}`]) {
        const reply = await fetch(link, { headers: { range } })
        assert.deepEqual(
          [range, reply.status, reply.headers.get('content-range')],
          [range, 416, `bytes */${size}`],
        )
        assert.equal(((await reply.json()) as { status: number }).status, 416)
      }
      for (const range of ['bytes=5-2', 'bytes=a-b', 'bytes=-', 'items=0-1', 'bytes=0-1,4-5']) {
        const reply = await fetch(link, { headers: { range } })
        assert.deepEqual([range, reply.status], [range, 200])
        assert.equal((await reply.arrayBuffer()).byteLength, size)
      }
    })

    it('HEAD, conditional requests and preflights', async (t) => {
      const { link } = await delivered(t, name)
      const head = await fetch(link, { method: 'HEAD' })
      assert.deepEqual([head.status, head.headers.get('content-length')], [200, String(video.length)])
      const part = await fetch(link, { method: 'HEAD', headers: { range: 'bytes=0-9' } })
      assert.deepEqual([part.status, part.headers.get('content-length')], [206, '10'])
      const etag = head.headers.get('etag') ?? ''
      assert.match(etag, /^"[^"]+"$/)
      assert.equal((await fetch(link, { headers: { 'if-none-match': etag } })).status, 304)
      const same = { range: 'bytes=0-9', 'if-range': etag }
      assert.equal((await fetch(link, { headers: same })).status, 206)
      assert.equal((await fetch(link, { headers: { ...same, 'if-range': '"other"' } })).status, 200)
      const preflight = await fetch(link, {
        method: 'OPTIONS',
        headers: {
          origin: 'https://app.example',
          'access-control-request-method': 'GET',
          'access-control-request-headers': 'range',
        },
      })
      assert.equal(preflight.status, 204)
      assert.match(preflight.headers.get('access-control-allow-headers') ?? '', /range/)
    })

    it('two players at once', async (t) => {
      const content = videoOf(3 * 1024 * 1024)
      const { link } = await delivered(t, name, content)
      const plays = await Promise.all(
        [0, 1].map(async () => Buffer.from(await (await fetch(link)).arrayBuffer())),
      )
      for (const played of plays) assert.ok(played.equals(content))
    })

    it('an expired link returns 410 and the bytes are gone; an unknown name returns 404', async (t) => {
      const setup = await delivered(t, name, video, { resultsKeptMs: 60_000 })
      await setup.media.retention.sweep(Date.now() + 120_000)
      assert.deepEqual(await namesIn(setup.store, 'results'), [])
      const missing = await fetch(setup.link)
      assert.deepEqual([missing.status, ((await missing.json()) as { code: string }).code], [410, 'gone'])
      const never = await fetch(`${setup.address}/files/${'0'.repeat(40)}.mp4`)
      assert.deepEqual([never.status, ((await never.json()) as { code: string }).code], [404, 'not_found'])
    })

    it('an expired file is not served, even before the sweep', async (t) => {
      const { link } = await delivered(t, name, video, { resultsKeptMs: -10_000 })
      assert.equal((await fetch(link)).status, 410)
    })

    it('an incomplete video, a page and an image are rejected', async (t) => {
      const bodies: Record<string, [string, Buffer]> = {
        '/page': ['text/html', Buffer.from('<html>soon</html>')],
        '/lie': ['video/mp4', Buffer.from('<html>soon</html>')],
        '/half': ['video/mp4', video.subarray(0, video.length - 100)],
        '/empty': ['video/mp4', Buffer.alloc(0)],
      }
      const upstream = await startServer(t, ({ url }, response) => {
        const [type, body] = bodies[url ?? ''] ?? ['text/plain', undefined]
        response.writeHead(body === undefined ? 404 : 200, { 'content-type': type }).end(body)
      })
      const setup = await startMediaGateway(t, name, { redis, trusted: [upstream] })
      for (const path of [...Object.keys(bodies), '/absent']) {
        await assert.rejects(
          setup.media.deliver({ secret: path }, [{ url: upstream + path }]),
          LinkNotReady,
          path,
        )
      }
      assert.deepEqual(await namesIn(setup.store, 'results'), [])
      assert.deepEqual(await listTempFiles(setup), [])
    })

    it('an interrupted download resumes where it stopped', async (t) => {
      const content = videoOf(2 * 1024 * 1024)
      const ranges: (string | undefined)[] = []
      const upstream = await startServer(t, ({ headers: { range } }, response) => {
        ranges.push(range)
        const headers = { 'content-type': 'video/mp4', etag: '"one"', 'accept-ranges': 'bytes' }
        if (range === undefined) {
          response.writeHead(200, { ...headers, 'content-length': content.length })
          response.write(content.subarray(0, content.length / 2), () =>
            setTimeout(() => response.destroy(), 50),
          )
          return
        }
        const from = Number(/\d+/.exec(range)?.[0])
        const rangeHeaders = { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` }
        response
          .writeHead(206, { ...headers, ...rangeHeaders, 'content-length': content.length - from })
          .end(content.subarray(from))
      })
      const setup = await startMediaGateway(t, name, { redis, trusted: [upstream] })
      const videos = [{ url: `${upstream}/a.mp4` }]
      await assert.rejects(setup.media.deliver(job, videos))
      const [half = ''] = await listTempFiles(setup)
      const { size } = await stat(join(setup.dataDir, 'scratch', half))
      assert.ok(size > 0)
      const [given] = await setup.media.deliver(job, videos)
      assert.deepEqual(ranges, [undefined, `bytes=${size}-`])
      const played = Buffer.from(await (await fetch(setup.address + given?.url)).arrayBuffer())
      assert.ok(played.equals(content))
      assert.deepEqual(await listTempFiles(setup), [])
    })
  })
}

describe('results', () => {
  it('a file that changed meanwhile is fetched from its start', async (t) => {
    const content = videoOf(1024 * 1024)
    const ranges: (string | undefined)[] = []
    const upstream = await startServer(t, ({ headers: { range } }, response) => {
      ranges.push(range)
      const etag = `"${ranges.length}"`
      if (ranges.length === 1) {
        response.writeHead(200, { 'content-type': 'video/mp4', etag, 'content-length': content.length })
        response.write(Buffer.alloc(1000), () => setTimeout(() => response.destroy(), 50))
      } else if (range !== undefined) {
        const rangeHeaders = { 'content-range': `bytes 1000-${content.length - 1}/${content.length}` }
        response
          .writeHead(206, { 'content-type': 'video/mp4', etag, ...rangeHeaders })
          .end(content.subarray(1000))
      } else response.writeHead(200, { 'content-type': 'video/mp4', etag }).end(content)
    })
    const setup = await startMediaGateway(t, 'disk', { redis, trusted: [upstream] })
    const videos = [{ url: `${upstream}/a.mp4` }]
    await assert.rejects(setup.media.deliver(job, videos))
    const [given] = await setup.media.deliver(job, videos)
    assert.deepEqual(ranges, [undefined, 'bytes=1000-', undefined])
    assert.ok(Buffer.from(await (await fetch(setup.address + given?.url)).arrayBuffer()).equals(content))
  })

  it('several concurrent attempts fetch the file once', async (t) => {
    let requests = 0
    const upstream = await startServer(t, (_, response) => {
      requests += 1
      setTimeout(() => response.writeHead(200, { 'content-type': 'video/mp4' }).end(video), 50)
    })
    const setup = await startMediaGateway(t, 'disk', { redis, trusted: [upstream] })
    const videos = [{ url: `${upstream}/a.mp4` }]
    const given = await Promise.all([1, 2, 3].map(() => setup.media.deliver(job, videos)))
    assert.equal(requests, 1)
    assert.deepEqual(given[0], given[2])
  })

  it('a WebM is served with its type, under the same kind of name', async (t) => {
    const webm = Buffer.concat([
      Buffer.from('1a45dfa39f4286810142f7810142f2810442f381084282847765626d', 'hex'),
      Buffer.alloc(200),
    ])
    const { link } = await delivered(t, 'disk', webm)
    assert.equal((await fetch(link, { method: 'HEAD' })).headers.get('content-type'), 'video/webm')
  })

  it('RESULTS=link returns the links of the upstream', async (t) => {
    const { media } = await startMediaGateway(t, 'disk', { redis, results: 'link' })
    const videos = [{ url: 'https://cdn.example/a.mp4' }]
    assert.deepEqual(await media.deliver(job, videos), videos)
  })

  it('abandoned partial files are removed', async (t) => {
    const upstream = await startServer(t, (_, response) => {
      response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': 1e6 })
      response.write(Buffer.alloc(1000), () => setTimeout(() => response.destroy(), 50))
    })
    const setup = await startMediaGateway(t, 'disk', { redis, trusted: [upstream] })
    await assert.rejects(setup.media.deliver(job, [{ url: upstream }]))
    await setup.media.retention.sweep(Date.now() + 60_000)
    assert.equal((await listTempFiles(setup)).length, 1)
    await setup.media.retention.sweep(Date.now() + 4_000_000)
    assert.deepEqual(await listTempFiles(setup), [])
  })
})
