import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, before, describe, it, type TestContext } from 'node:test'
import type { Redis } from 'ioredis'
import { asAlice, asBobby, submitted } from '../api/gateway.ts'
import { createCleanup, startRedis } from '../support/setup.ts'
import { startServer, video } from './files.ts'
import { type StoreName, startMediaGateway, stores } from './media-gateway.ts'

const cleanup = createCleanup()
let redis: Redis
before(async () => {
  redis = (await startRedis(cleanup)).redis
})
after(() => cleanup.run())

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0

/** A gateway with a finished job of Alice. */
async function finished(
  t: TestContext,
  name: StoreName,
  changes: { results?: 'link'; ffmpeg?: string } = {},
) {
  const upstream = await startServer(t, ({ headers: { range } }, response) => {
    const part = range === undefined ? video : video.subarray(4, 8)
    const rangeHeaders = range === undefined ? {} : { 'content-range': `bytes 4-7/${video.length}` }
    response.writeHead(range === undefined ? 200 : 206, {
      'content-type': 'video/mp4',
      'content-length': part.length,
      ...rangeHeaders,
    })
    response.end(part)
  })
  const setup = await startMediaGateway(t, name, { redis, trusted: [upstream], ...changes })
  const runId = await submitted(setup.app, { headers: asAlice })
  const videos = await setup.media.deliver({ secret: runId }, [{ url: `${upstream}/a.mp4` }])
  setup.engine.advance(runId, { state: 'succeeded', progress: 100, completedAt: Date.now(), videos })
  const request = (query: string, headers: Record<string, string> = {}, method = 'GET') =>
    fetch(`${setup.address}/api/generate-video/content?${query}`, {
      method,
      headers: { ...asAlice, ...headers },
    })
  return { ...setup, runId, request, link: new URL(videos[0]?.url ?? '', setup.address).href }
}

for (const name of stores) {
  describe(`the content route on ${name}`, () => {
    it('serves the bytes, whole and in ranges', async (t) => {
      const { runId, request } = await finished(t, name)
      for (const query of [
        `runId=${runId}`,
        `id=${runId}&model=sora-2`,
        `requestId=${runId}&variant=video`,
      ]) {
        const reply = await request(query)
        assert.deepEqual([reply.status, reply.headers.get('content-type')], [200, 'video/mp4'])
        assert.equal(reply.headers.get('access-control-allow-origin'), '*')
        assert.ok(Buffer.from(await reply.arrayBuffer()).equals(video))
      }
      const part = await request(`runId=${runId}`, { range: 'bytes=4-7' })
      assert.deepEqual([part.status, await part.text()], [206, 'ftyp'])
      const head = await request(`runId=${runId}`, {}, 'HEAD')
      assert.deepEqual([head.status, head.headers.get('content-length')], [200, String(video.length)])
      assert.equal((await request(`runId=${runId}`, { range: `bytes=${video.length}-` })).status, 416)
    })

    it('creates a thumbnail and a sheet once, if ffmpeg is installed', async (t) => {
      const { runId, request, store, address } = await finished(t, name)
      for (const variant of ['thumbnail', 'spritesheet']) {
        const reply = await request(`runId=${runId}&variant=${variant}`)
        assert.equal(reply.status, hasFfmpeg ? 200 : 404)
        if (!hasFfmpeg) continue
        assert.equal(reply.headers.get('content-type'), 'image/jpeg')
        const picture = Buffer.from(await reply.arrayBuffer())
        assert.equal(picture.toString('hex', 0, 3), 'ffd8ff')
        assert.equal(
          (await request(`runId=${runId}&variant=${variant}`)).headers.get('etag'),
          reply.headers.get('etag'),
        )
        const link = await request(`runId=${runId}&variant=${variant}`, { accept: 'application/json' })
        const { url } = (await link.json()) as { url: string }
        assert.ok(url.startsWith(`${address}/files/`))
        assert.ok(Buffer.from(await (await fetch(url)).arrayBuffer()).equals(picture))
      }
      assert.ok(
        await store.stat(
          `results/${(await request(`runId=${runId}`, { accept: 'application/json' }).then((one) => one.json() as Promise<{ url: string }>)).url.split('/').at(-1)}`,
        ),
      )
    })
  })
}

describe('the content route', () => {
  it('returns JSON to clients that accept nothing else', async (t) => {
    const { runId, request, link } = await finished(t, 'disk')
    const json = await request(`runId=${runId}`, { accept: 'application/json' })
    assert.equal(json.headers.get('content-type'), 'application/json')
    const url = link
    assert.deepEqual(await json.json(), { data: { url, variant: 'video' }, url, runId, model: 'veo2-video' })
    for (const accept of ['application/json, */*', 'application/json, video/*', '*/*']) {
      assert.equal((await request(`runId=${runId}`, { accept })).headers.get('content-type'), 'video/mp4')
    }
  })

  it('without ffmpeg a picture is a 404 with a reason', async (t) => {
    const { runId, request } = await finished(t, 'disk', { ffmpeg: 'no-such-program' })
    const reply = await request(`runId=${runId}&variant=thumbnail`)
    assert.equal(reply.status, 404)
    assert.match(((await reply.json()) as { message: string }).message, /no ffmpeg/)
  })

  it('streams the file of the upstream with RESULTS=link', async (t) => {
    const { runId, request } = await finished(t, 'disk', { results: 'link' })
    assert.ok(Buffer.from(await (await request(`runId=${runId}`)).arrayBuffer()).equals(video))
    const part = await request(`runId=${runId}`, { range: 'bytes=4-7' })
    assert.deepEqual([part.status, await part.text()], [206, 'ftyp'])
    assert.equal((await request(`runId=${runId}&variant=thumbnail`)).status, 404)
  })

  it('not ready 409, unknown 404, another owner 403, expired 410, no key 401, unknown variant 400', async (t) => {
    const { runId, request, app, link, engine, media } = await finished(t, 'disk')
    const running = await submitted(app, { headers: asAlice })
    const failed = await submitted(app, { headers: asAlice })
    engine.advance(failed, { state: 'failed', error: { code: 'timeout', message: 'late' } })
    assert.equal((await request(`runId=${running}`)).status, 409)
    assert.equal((await request(`runId=${failed}`)).status, 404)
    assert.equal((await request('runId=vid_unknown')).status, 404)
    assert.equal((await request('')).status, 400)
    assert.equal((await request(`runId=${runId}&variant=audio`)).status, 400)
    assert.equal((await request(`runId=${runId}`, asBobby)).status, 403)
    assert.equal((await request(`runId=${runId}`, { 'x-api-key': '' })).status, 401)
    await media.files.remove(link.split('/').at(-1) ?? '')
    assert.equal((await request(`runId=${runId}`)).status, 410)
  })
})
