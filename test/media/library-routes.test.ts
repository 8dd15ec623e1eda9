import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { asAlice, asBobby } from '../api/gateway.ts'
import { createCleanup, startRedis } from '../support/setup.ts'
import { dataUrl, png, video } from './files.ts'
import { megabyte, namesIn, type Room, startRoom, stores } from './media-gateway.ts'

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
  { address }: Room,
  { content, type = 'image/png', filename = 'face.png' }: File,
  headers = asAlice,
) {
  // By hand: the platform's own form would clean the file name.
  const head = `--b\r\nContent-Disposition: form-data; name="file"; filename="${filename}"\r\nContent-Type: ${type}\r\n\r\n`
  const body = Buffer.concat([Buffer.from(head), content, Buffer.from('\r\n--b--\r\n')])
  return fetch(`${address}/api/library`, {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=b', ...headers },
    body,
  })
}

async function uploaded(room: Room, file: File): Promise<Shown> {
  const answer = await upload(room, file)
  assert.equal(answer.status, 201)
  return (await answer.json()) as Shown
}

function ask({ address }: Room, path: string, options: RequestInit = {}) {
  return fetch(`${address}/api/library${path}`, { headers: asAlice, ...options })
}

async function send({ address }: Room, body: object, headers = asAlice) {
  const answer = await fetch(`${address}/api/generate-video`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  return {
    status: answer.status,
    body: (await answer.json()) as { message: string; warnings?: string[]; error?: { param: string } },
  }
}

for (const name of stores) {
  describe(`the library on ${name}`, () => {
    it('takes a file, shows it, and lets a job use it even when it is deleted meanwhile', async (t) => {
      const room = await startRoom(t, name, { redis })
      const content = png({ padding: 200_000 })
      const { id, ...shown } = await uploaded(room, { content })
      assert.match(id, /^att_[a-z0-9]{25}$/)
      assert.deepEqual(
        [shown.kind, shown.contentType, shown.bytes, shown.filename],
        ['image', 'image/png', content.length, 'face.png'],
      )
      assert.equal(((await (await ask(room, `/${id}`)).json()) as Shown).id, id)
      const list = (await (await ask(room, '')).json()) as { data: Shown[] }
      assert.deepEqual(
        list.data.map((one) => one.id),
        [id],
      )

      assert.equal((await send(room, { model: 'midjourney-video', imageAttachmentId: id })).status, 202)
      assert.equal((await ask(room, `/${id}`, { method: 'DELETE' })).status, 200)
      assert.deepEqual(await namesIn(room.store, 'library'), [])
      assert.equal((await ask(room, `/${id}`)).status, 404)
      const [, hash = ''] = room.engine.requests[0]?.input.image?.split(':') ?? []
      assert.equal((await room.store.stat(`inputs/${hash}`))?.bytes, content.length)
    })

    it('what one key keeps does not exist for another', async (t) => {
      const room = await startRoom(t, name, { redis })
      const { id } = await uploaded(room, { content: png() })
      const asked = { headers: asBobby }
      assert.equal((await ask(room, `/${id}`, asked)).status, 404)
      assert.equal((await ask(room, `/${id}`, { ...asked, method: 'DELETE' })).status, 404)
      assert.deepEqual(await (await ask(room, '', asked)).json(), { data: [] })
      const used = await send(room, { model: 'midjourney-video', imageAttachmentId: id }, asBobby)
      assert.deepEqual([used.status, used.body.error?.param], [400, 'imageAttachmentId'])
      assert.equal((await ask(room, `/${id}`)).status, 200)
    })

    it('bytes without a record are swept, attachments in use are not', async (t) => {
      const room = await startRoom(t, name, { redis, libraryKeptMs: 10_000_000 })
      const { id } = await uploaded(room, { content: png() })
      const { id: expired } = await uploaded(room, { content: png() })
      await redis.del(room.keys.attachment(expired))
      await room.media.retention.sweep(Date.now() + 4_000_000)
      assert.deepEqual(await namesIn(room.store, 'library'), [`library/${id}`])
    })
  })
}

describe('the library', () => {
  it('explicit media wins over an attachment', async (t) => {
    const room = await startRoom(t, 'disk', { redis })
    const { id } = await uploaded(room, { content: png() })
    const image = 'https://cdn.example/a.png'
    for (const explicit of [{ imageUrl: image }, { imageDataUrl: image }, { image }]) {
      const { status, body } = await send(room, {
        model: 'midjourney-video',
        imageAttachmentId: id,
        ...explicit,
      })
      assert.equal(status, 202)
      assert.match(body.warnings?.join() ?? '', /`imageAttachmentId` was ignored/)
      assert.equal(room.engine.requests.at(-1)?.input.image, image)
    }
  })

  it('a video goes where a video is taken, and nowhere else', async (t) => {
    const room = await startRoom(t, 'disk', { redis })
    const { id, kind } = await uploaded(room, { content: video, type: 'video/mp4', filename: 'a.mp4' })
    assert.equal(kind, 'video')
    const upscaled = await send(room, {
      model: 'bytedance-seedance-upscaler',
      videoAttachmentId: id,
      videoDuration: 5,
    })
    assert.equal(upscaled.status, 202, upscaled.body.message)
    assert.match(room.engine.requests[0]?.input.video ?? '', /^stored:.*:video\/mp4$/)
    const wrong = await send(room, { model: 'midjourney-video', imageAttachmentId: id })
    assert.deepEqual([wrong.status, wrong.body.error?.param], [400, 'imageAttachmentId'])
  })

  const names = ['../../etc/passwd', '/etc/passwd', 'C:\\\\temp\\\\a.png', '..', 'a\u0000.png']
  for (const filename of names) {
    it(`a path in a file name: ${JSON.stringify(filename)} is a 400, nothing stored`, async (t) => {
      const room = await startRoom(t, 'disk', { redis })
      const answer = await upload(room, { content: png(), filename })
      assert.equal(answer.status, 400)
      assert.equal(((await answer.json()) as { error: { param: string } }).error.param, 'file')
      assert.deepEqual(await namesIn(room.store, 'library'), [])
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
      const room = await startRoom(t, 'disk', { redis })
      const answer = await upload(room, file)
      assert.equal(answer.status, status)
      assert.equal(((await answer.json()) as { status: number }).status, status)
      assert.deepEqual(await namesIn(room.store, 'library'), [])
      assert.deepEqual(await readdir(join(room.dataDir, 'scratch')), [])
    })
  }

  it('a form is needed, with a file in it, and a key', async (t) => {
    const room = await startRoom(t, 'disk', { redis })
    const json = await ask(room, '', {
      method: 'POST',
      body: JSON.stringify({ file: dataUrl('image/png', png()) }),
    })
    assert.equal(json.status, 415)
    const form = new FormData()
    form.set('name', 'no file')
    assert.equal((await ask(room, '', { method: 'POST', body: form })).status, 400)
    assert.equal((await ask(room, '', { headers: {} })).status, 401)
  })

  it('answers under every prefix', async (t) => {
    const { address } = await startRoom(t, 'disk', { redis })
    for (const prefix of ['/api', '', '/api/v1', '/v1']) {
      assert.equal((await fetch(`${address}${prefix}/library`, { headers: asAlice })).status, 200, prefix)
    }
  })
})
