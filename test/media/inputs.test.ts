import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { Redis } from 'ioredis'
import { asAlice } from '../api/gateway.ts'
import { createCleanup, startRedis } from '../support/setup.ts'
import { dataUrl, png, video } from './files.ts'
import { type MediaSetup, megabyte, namesIn, startMediaGateway, stores } from './media-gateway.ts'

const cleanup = createCleanup()
let redis: Redis
before(async () => {
  redis = (await startRedis(cleanup)).redis
})
after(() => cleanup.run())

type Answer = { status: number; body: { code: string; message: string; error: { param: string } } }

async function send({ address }: MediaSetup, body: unknown): Promise<Answer> {
  const reply = await fetch(`${address}/api/generate-video`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...asAlice },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return { status: reply.status, body: (await reply.json()) as Answer['body'] }
}

/** Unclaimed files are removed right after the reply. */
async function nothingHalf({ dataDir }: MediaSetup): Promise<void> {
  const listTempFiles = () => readdir(join(dataDir, 'scratch'))
  for (let tries = 0; tries < 100 && (await listTempFiles()).length > 0; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.deepEqual(await listTempFiles(), [])
}

const animate = { model: 'midjourney-video', prompt: 'it moves' }

const small = png()
const large = png({ padding: 300_000 })

for (const name of stores) {
  describe(`files in requests, on ${name}`, () => {
    for (const [size, content] of [
      ['short', small],
      ['long', large],
    ] as const) {
      it(`a ${size} data URL is stored once by its content, and the job holds a reference`, async (t) => {
        const setup = await startMediaGateway(t, name, { redis })
        for (const field of ['imageDataUrl', 'imageUrl', 'image']) {
          assert.equal(
            (await send(setup, { ...animate, [field]: dataUrl('image/png', content) })).status,
            202,
          )
        }
        const hash = createHash('sha256').update(content).digest('hex')
        const images = setup.engine.requests.map(({ input }) => input.image)
        assert.deepEqual(images, Array(3).fill(`stored:${hash}:${content.length}:image/png`))
        assert.deepEqual(await namesIn(setup.store, 'inputs'), [`inputs/${hash}`])
        assert.deepEqual(await readdir(join(setup.dataDir, 'scratch')), [])
      })
    }
  })
}

describe('files in requests', () => {
  it('a link is not changed', async (t) => {
    const setup = await startMediaGateway(t, 'disk', { redis })
    await send(setup, { ...animate, imageDataUrl: 'https://cdn.example/a.png?x=1' })
    assert.equal(setup.engine.requests[0]?.input.image, 'https://cdn.example/a.png?x=1')
  })

  it('data URLs are found in every field, however they are escaped', async (t) => {
    const setup = await startMediaGateway(t, 'disk', { redis })
    const url = dataUrl('image/png', large)
    const escaped = url.replaceAll('/', '\\/')
    const coded = url.replaceAll('+', '\\u002b').replaceAll('=', '\\u003D')
    const folded = `${url.slice(0, 30)}${url.slice(30).replace(/.{76}/g, '$&\\r\\n')}`
    const bodies = [
      JSON.stringify({ ...animate, image: { url } }),
      JSON.stringify({ ...animate, image: { image_url: { url } } }),
      JSON.stringify({ ...animate, image: [{ url }] }),
      ...[escaped, coded, folded, ` ${url} `].map((text) => `{"model":"midjourney-video","image":"${text}"}`),
    ]
    for (const body of bodies) assert.equal((await send(setup, body)).status, 202, body.slice(0, 200))
    assert.equal(new Set(setup.engine.requests.map(({ input }) => input.image)).size, 1)
    assert.equal((await namesIn(setup.store, 'inputs')).length, 1)
  })

  for (const [size, content] of [
    ['short', small],
    ['long', large],
  ] as const) {
    it(`a ${size} data URL is accepted in every standard spelling, and some more`, async (t) => {
      const setup = await startMediaGateway(t, 'disk', { redis })
      const base64 = content.toString('base64')
      const urls = [
        `data:;base64,${base64}`,
        `data:text/plain;charset=utf-8;base64,${base64}`,
        `DATA:IMAGE/PNG;BASE64,${base64}`,
        `data:image/png;name="a,b";base64,${base64}`,
        `data:image/png;base64,${base64.replace(/=+$/, '')}`,
        `data:image/png;base64,${content.toString('base64url')}`,
        `data:image/png;base64,${encodeURIComponent(base64)}`,
        `data:image/png;base64,${base64.replace(/.{76}/g, '$& \n')}`,
        `data:image/png,${[...content].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')}`,
        base64,
        content.toString('base64url'),
      ]
      for (const url of urls) {
        const { status } = await send(setup, { ...animate, image: url })
        assert.equal(status, 202, url.slice(0, 80))
      }
      const images = new Set(setup.engine.requests.map(({ input }) => input.image))
      assert.equal(images.size, 1)
      assert.match([...images][0] ?? '', /^stored:.*:image\/png$/)
      assert.deepEqual(await readdir(join(setup.dataDir, 'scratch')), [])
    })
  }

  it('text without a link, and base64 of anything else, is rejected', async (t) => {
    const setup = await startMediaGateway(t, 'disk', { redis })
    const text = Buffer.from('this is a text and no file, '.repeat(9)).toString('base64')
    for (const image of [text, 'a red fox', 'data:image/png']) {
      const reply = await send(setup, { ...animate, image })
      assert.equal(reply.status, 400)
      assert.match(reply.body.message, /`image` must be an http\(s\) link or a data URL/)
    }
    for (const image of [`data:text/plain;base64,${text}`, `data:;base64,${text}`, `data:,${text}`]) {
      const reply = await send(setup, { ...animate, image })
      assert.equal(reply.status, 400)
      assert.match(reply.body.message, /`image` must be an image file/)
    }
    assert.deepEqual(await readdir(join(setup.dataDir, 'scratch')), [])
    assert.deepEqual(await namesIn(setup.store, 'inputs'), [])
  })

  it('lists can mix links and data URLs, and keep their order', async (t) => {
    const setup = await startMediaGateway(t, 'disk', { redis })
    const second = 'https://cdn.example/b.png'
    const referenceImages = [dataUrl('image/png', large), second, dataUrl('image/png', small)]
    const { input: storedInput } = await setup.media.storeInput({ referenceImages }, { owner: 'alice' })
    const [first, untouched, third] = storedInput.referenceImages ?? []
    assert.match(first ?? '', /^stored:.+:image\/png$/)
    assert.equal(untouched, second)
    assert.match(third ?? '', /^stored:.+:image\/png$/)
  })

  it('long text that is not a data URL is not changed', async (t) => {
    const setup = await startMediaGateway(t, 'disk', { redis })
    const prompt = `say "ü" \\ and 😀, ${'x'.repeat(7000)}`
    const negative = `data: ${'é'.repeat(60_000)}`
    assert.equal(
      (await send(setup, { ...animate, image: 'https://cdn.example/a.png', prompt, strange: negative }))
        .status,
      202,
    )
    assert.equal(setup.engine.requests[0]?.input.prompt, prompt)
  })

  const lie = Buffer.from('<html><script>alert(1)</script></html>'.repeat(3000))
  const text = large.toString('base64')
  const half = text.slice(0, Math.floor(text.length / 8) * 4)
  const refused: { what: string; field?: string; url: string; status: number; says: RegExp }[] = [
    {
      what: 'a page that says it is an image',
      url: dataUrl('image/png', lie),
      status: 400,
      says: /must be an image file/,
    },
    {
      what: 'a short page that says so',
      url: dataUrl('image/png', lie.subarray(0, 90)),
      status: 400,
      says: /must be an image file/,
    },
    {
      what: 'a video that says it is an image',
      url: dataUrl('image/png', video),
      status: 400,
      says: /is video\/mp4 by its content/,
    },
    {
      what: 'an image that says it is a video',
      url: dataUrl('video/mp4', large),
      status: 400,
      says: /data:image/,
    },
    {
      what: 'an SVG',
      url: dataUrl('image/svg+xml', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')),
      status: 400,
      says: /must be an image file/,
    },
    {
      what: 'base64 that is cut short',
      url: `data:image/png;base64,${text.slice(0, -6)}`,
      status: 400,
      says: /cut short/,
    },
    {
      what: 'a file that is cut short',
      url: `data:image/png;base64,${half}`,
      status: 400,
      says: /end of the file is missing/,
    },
    {
      what: 'what is no base64',
      url: `data:image/png;base64,${text.slice(0, 90_000)}%${text.slice(90_000)}`,
      status: 400,
      says: /not valid base64/,
    },
    {
      what: 'bytes after the end',
      url: `data:image/png;base64,${Buffer.from('a').toString('base64')}${text}`,
      status: 400,
      says: /not valid base64/,
    },
    {
      what: 'gzip that says it is an image',
      url: dataUrl('image/png', gzipSync(Buffer.alloc(50 * megabyte))),
      status: 400,
      says: /is application\/gzip by its content/,
    },
    {
      what: 'an image that unpacks to 3.6 thousand million pixels',
      url: dataUrl('image/png', png({ width: 60_000, height: 60_000 })),
      status: 413,
      says: /million pixels/,
    },
    {
      what: 'an image that is too large',
      url: dataUrl('image/png', png({ padding: 2 * megabyte })),
      status: 413,
      says: /larger than 2 MB/,
    },
    {
      what: 'a placeholder of another request',
      url: 'data:image/png;spooled=00000000-0000-4000-8000-000000000000;base64,AAAA',
      status: 400,
      says: /must be an image file/,
    },
    {
      what: 'an attachment that does not exist',
      field: 'imageAttachmentId',
      url: 'att_0',
      status: 400,
      says: /names no attachment of yours/,
    },
  ]
  for (const { what, field = 'imageDataUrl', url, status, says } of refused) {
    it(`${what}: ${status}, nothing stored`, async (t) => {
      const setup = await startMediaGateway(t, 'disk', { redis })
      const reply = await send(setup, { ...animate, [field]: url })
      assert.equal(reply.status, status, reply.body.message)
      assert.match(reply.body.message, says)
      assert.equal(reply.body.error.param, field)
      assert.deepEqual(await namesIn(setup.store, 'inputs'), [])
      await nothingHalf(setup)
      assert.equal(setup.engine.requests.length, 0)
    })
  }

  it('a body over the limit: 413 before it has been sent', async (t) => {
    const setup = await startMediaGateway(t, 'disk', { redis })
    let sent = 0
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 64 * 1024
        if (sent > 64 * megabyte) controller.close()
        else controller.enqueue(Buffer.alloc(64 * 1024, 0x20))
      },
    })
    const request = {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...asAlice },
      body,
      duplex: 'half',
    }
    const reply = await fetch(`${setup.address}/api/generate-video`, request as RequestInit)
    assert.deepEqual(
      [reply.status, ((await reply.json()) as { code: string }).code],
      [413, 'payload_too_large'],
    )
    assert.ok(sent < 24 * megabyte, `${sent} bytes were sent`)
  })

  it('a client that disconnects during the upload leaves no file', async (t) => {
    const setup = await startMediaGateway(t, 'disk', { redis })
    const abort = new AbortController()
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(
          Buffer.from(`{"model":"midjourney-video","image":"${dataUrl('image/png', large).slice(0, -100)}`),
        )
        setTimeout(() => abort.abort(), 100)
      },
    })
    const request = { method: 'POST', headers: asAlice, body, duplex: 'half', signal: abort.signal }
    await assert.rejects(fetch(`${setup.address}/api/generate-video`, request as RequestInit))
    await nothingHalf(setup)
  })

  it('a compressed body is rejected unread', async (t) => {
    const setup = await startMediaGateway(t, 'disk', { redis })
    const reply = await fetch(`${setup.address}/api/generate-video`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip', ...asAlice },
      body: gzipSync(Buffer.alloc(50 * megabyte, 0x20)),
    })
    assert.equal(reply.status, 415)
  })
})
