import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { asAlice, asBobby } from '../api/gateway.ts'
import { createCleanup, startRedis } from '../support/setup.ts'
import { dataUrl, png, video } from './files.ts'
import { type MediaSetup, megabyte, namesIn, startMediaGateway, stores } from './media-gateway.ts'

const cleanup = createCleanup()
let redis: Redis
before(async () => {
  redis = (await startRedis(cleanup)).redis
})
after(() => cleanup.run())

type Shown = {
  id: string
  kind: string
  contentType: string
  bytes: number
  filename: string
  expiresAt: string
}

type File = { content: Buffer; type?: string; filename?: string }

function upload(
  { address }: MediaSetup,
  { content, type = 'image/png', filename = 'face.png' }: File,
  headers = asAlice,
) {
  // Built here: `FormData` would clean the file name.
  const head = `--b\r\nContent-Disposition: form-data; name="file"; filename="${filename}"\r\nContent-Type: ${type}\r\n\r\n`
  const body = Buffer.concat([Buffer.from(head), content, Buffer.from('\r\n--b--\r\n')])
  return fetch(`${address}/api/library`, {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=b', ...headers },
    body,
  })
}

async function uploaded(setup: MediaSetup, file: File): Promise<Shown> {
  const reply = await upload(setup, file)
  assert.equal(reply.status, 201)
  return (await reply.json()) as Shown
}

function request({ address }: MediaSetup, path: string, options: RequestInit = {}) {
  return fetch(`${address}/api/library${path}`, { headers: asAlice, ...options })
}

async function send({ address }: MediaSetup, body: object, headers = asAlice) {
  const reply = await fetch(`${address}/api/generate-video`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  return {
    status: reply.status,
    body: (await reply.json()) as { message: string; warnings?: string[]; error?: { param: string } },
  }
}

for (const name of stores) {
  describe(`the library on ${name}`, () => {
    it('stores a file, returns it, and lets a job use it even if it is deleted meanwhile', async (t) => {
      const setup = await startMediaGateway(t, name, { redis })
      const content = png({ padding: 200_000 })
      const { id, ...shown } = await uploaded(setup, { content })
      assert.match(id, /^att_[a-z0-9]{25}$/)
      assert.deepEqual(
        [shown.kind, shown.contentType, shown.bytes, shown.filename],
        ['image', 'image/png', content.length, 'face.png'],
      )
      assert.equal(((await (await request(setup, `/${id}`)).json()) as Shown).id, id)
      const list = (await (await request(setup, '')).json()) as { data: Shown[] }
      assert.deepEqual(
        list.data.map((one) => one.id),
        [id],
      )

      assert.equal((await send(setup, { model: 'midjourney-video', imageAttachmentId: id })).status, 202)
      assert.equal((await request(setup, `/${id}`, { method: 'DELETE' })).status, 200)
      assert.deepEqual(await namesIn(setup.store, 'library'), [])
      assert.equal((await request(setup, `/${id}`)).status, 404)
      const [, hash = ''] = setup.engine.requests[0]?.input.image?.split(':') ?? []
      assert.equal((await setup.store.stat(`inputs/${hash}`))?.bytes, content.length)
    })

    it('attachments of one key do not exist for another', async (t) => {
      const setup = await startMediaGateway(t, name, { redis })
      const { id } = await uploaded(setup, { content: png() })
      const options = { headers: asBobby }
      assert.equal((await request(setup, `/${id}`, options)).status, 404)
      assert.equal((await request(setup, `/${id}`, { ...options, method: 'DELETE' })).status, 404)
      assert.deepEqual(await (await request(setup, '', options)).json(), { data: [] })
      const used = await send(setup, { model: 'midjourney-video', imageAttachmentId: id }, asBobby)
      assert.deepEqual([used.status, used.body.error?.param], [400, 'imageAttachmentId'])
      assert.equal((await request(setup, `/${id}`)).status, 200)
    })

    it('files without a record are removed, attachments in use are not', async (t) => {
      const setup = await startMediaGateway(t, name, { redis, libraryKeptMs: 10_000_000 })
      const { id } = await uploaded(setup, { content: png() })
      const { id: expired } = await uploaded(setup, { content: png() })
      await redis.del(setup.keys.attachment(expired))
      await setup.media.retention.sweep(Date.now() + 4_000_000)
      assert.deepEqual(await namesIn(setup.store, 'library'), [`library/${id}`])
    })
  })
}

describe('the library', () => {
  it('explicit media fields take precedence over an attachment', async (t) => {
    const setup = await startMediaGateway(t, 'disk', { redis })
    const { id } = await uploaded(setup, { content: png() })
    const image = 'https://cdn.example/a.png'
    for (const explicit of [{ imageUrl: image }, { imageDataUrl: image }, { image }]) {
      const { status, body } = await send(setup, {
        model: 'midjourney-video',
        imageAttachmentId: id,
        ...explicit,
      })
      assert.equal(status, 202)
      assert.match(body.warnings?.join() ?? '', /`imageAttachmentId` was ignored/)
      assert.equal(setup.engine.requests.at(-1)?.input.image, image)
    }
  })

  it('a video is accepted in video fields only', async (t) => {
    const setup = await startMediaGateway(t, 'disk', { redis })
    const { id, kind } = await uploaded(setup, { content: video, type: 'video/mp4', filename: 'a.mp4' })
    assert.equal(kind, 'video')
    const upscaled = await send(setup, {
      model: 'bytedance-seedance-upscaler',
      videoAttachmentId: id,
      videoDuration: 5,
    })
    assert.equal(upscaled.status, 202, upscaled.body.message)
    assert.match(setup.engine.requests[0]?.input.video ?? '', /^stored:.*:video\/mp4$/)
    const wrong = await send(setup, { model: 'midjourney-video', imageAttachmentId: id })
    assert.deepEqual([wrong.status, wrong.body.error?.param], [400, 'imageAttachmentId'])
  })

  const names = ['../../etc/passwd', '/etc/passwd', 'C:\\\\temp\\\\a.png', '..', 'a\u0000.png']
  for (const filename of names) {
    it(`a path in a file name: ${JSON.stringify(filename)} is a 400, nothing stored`, async (t) => {
      const setup = await startMediaGateway(t, 'disk', { redis })
      const reply = await upload(setup, { content: png(), filename })
      assert.equal(reply.status, 400)
      assert.equal(((await reply.json()) as { error: { param: string } }).error.param, 'file')
      assert.deepEqual(await namesIn(setup.store, 'library'), [])
    })
  }

  const refused: [string, File, number][] = [
    ['a page that says it is an image', { content: Buffer.from('<html></html>') }, 400],
    ['an empty file', { content: Buffer.alloc(0) }, 400],
    ['an image larger than images may be', { content: png({ padding: 3 * megabyte }) }, 413],
    ['a file larger than any may be', { content: png({ padding: 20 * megabyte }) }, 413],
    ['an image that unpacks to too many pixels', { content: png({ width: 60_000, height: 60_000 }) }, 413],
  ]
  for (const [what, file, status] of refused) {
    it(`${what}: ${status}, nothing stored`, async (t) => {
      const setup = await startMediaGateway(t, 'disk', { redis })
      const reply = await upload(setup, file)
      assert.equal(reply.status, status)
      assert.equal(((await reply.json()) as { status: number }).status, status)
      assert.deepEqual(await namesIn(setup.store, 'library'), [])
      assert.deepEqual(await readdir(join(setup.dataDir, 'scratch')), [])
    })
  }

  it('a form with a file, and a key, are required', async (t) => {
    const setup = await startMediaGateway(t, 'disk', { redis })
    const json = await request(setup, '', {
      method: 'POST',
      body: JSON.stringify({ file: dataUrl('image/png', png()) }),
    })
    assert.equal(json.status, 415)
    const form = new FormData()
    form.set('name', 'no file')
    assert.equal((await request(setup, '', { method: 'POST', body: form })).status, 400)
    assert.equal((await request(setup, '', { headers: {} })).status, 401)
  })

  it('works under every prefix', async (t) => {
    const { address } = await startMediaGateway(t, 'disk', { redis })
    for (const prefix of ['/api', '', '/api/v1', '/v1']) {
      assert.equal((await fetch(`${address}${prefix}/library`, { headers: asAlice })).status, 200, prefix)
    }
  })
})
