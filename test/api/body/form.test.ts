import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { defaultRequestLimits } from '../../../src/config/request-limits.ts'
import { dataUrl, png, video } from '../../media/files.ts'
import { type MediaSetup, megabyte, startMediaGateway } from '../../media/media-gateway.ts'
import { createCleanup, startRedis } from '../../support/setup.ts'
import { asAlice } from '../gateway.ts'

type Entry = readonly [name: string, value: string | Buffer, filename?: string | undefined, type?: string]
type Reply = { status: number; body: { error: { message: string; code: string; param: string | null } } }

const boundary = 'a-boundary-of-the-test'

/** A form as bytes, so that each part has exactly the headers that a client sends. */
function formOf(entries: readonly Entry[]): Buffer {
  const parts = entries.map(([name, value, filename, type]) => {
    const file = filename === undefined ? '' : `; filename="${filename}"`
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n`
    const contentType = type === undefined ? '' : `Content-Type: ${type}\r\n`
    return Buffer.concat([Buffer.from(`${head}${contentType}\r\n`), Buffer.from(value), Buffer.from('\r\n')])
  })
  return Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)])
}

const headers = { ...asAlice, 'content-type': `multipart/form-data; boundary=${boundary}` }

async function send({ address }: MediaSetup, entries: readonly Entry[] | Buffer): Promise<Reply> {
  const body = Buffer.isBuffer(entries) ? entries : formOf(entries)
  const reply = await fetch(`${address}/v1/videos`, { method: 'POST', headers, body })
  return { status: reply.status, body: (await reply.json()) as Reply['body'] }
}

const temporaryFiles = ({ dataDir }: MediaSetup) => readdir(join(dataDir, 'scratch'))

describe('a form', () => {
  const cleanup = createCleanup()
  let redis: Redis
  before(async () => {
    redis = (await startRedis(cleanup)).redis
  })
  after(() => cleanup.run())

  const model: Entry = ['model', 'sora-2']
  const prompt: Entry = ['prompt', 'a boat']
  const large = png({ padding: 300_000 })

  async function inputOf(setup: MediaSetup, entries: readonly Entry[]) {
    const { status, body } = await send(setup, entries)
    assert.equal(status, 200, JSON.stringify(body))
    return setup.engine.requests.at(-1)?.input ?? {}
  }

  it('accepts a file part as a text field, with any name and type', async (t) => {
    const setup = await startMediaGateway(t, 'disk', { redis })
    const text = `a boat 🚣 on "water"\n${'and so on '.repeat(100)}`
    for (const part of [
      ['prompt', text, 'p.txt', 'text/plain'],
      ['prompt', text, 'prompt'],
      ['prompt', text, 'p.bin', 'application/octet-stream'],
      ['prompt', `\ufeff${text}`, 'p.png', 'image/png'],
    ] as const) {
      assert.equal((await inputOf(setup, [model, part])).prompt, text)
    }
    const seconds = await inputOf(setup, [model, ['prompt', text, 'prompt'], ['seconds', '8', 'seconds']])
    assert.equal(seconds.duration, 8)
    assert.deepEqual(await temporaryFiles(setup), [])
  })

  it('accepts a file part as a media field, with any name and type', async (t) => {
    const setup = await startMediaGateway(t, 'disk', { redis })
    const stored = /^stored:[0-9a-f]{64}:\d+:image\/png$/
    for (const file of [png(), large])
      for (const part of [
        ['input_reference', file, 'a.png', 'image/png'],
        ['input_reference', file, 'a.png'],
        ['input_reference', file, 'a', 'text/plain'],
        ['input_reference', file, 'a.bin', 'application/octet-stream'],
        ['input_reference', file],
        ['image', file, 'image'],
        ['input_reference[image_url]', file, 'a.png'],
      ] as const)
        assert.match(
          String((await inputOf(setup, [model, prompt, part])).image),
          stored,
          part.slice(2).join(),
        )
    assert.deepEqual(await temporaryFiles(setup), [])
  })

  it('accepts links and data URLs in a media field, even if the client sends a file name', async (t) => {
    const setup = await startMediaGateway(t, 'disk', { redis })
    const link = 'https://cdn.example/a.png'
    for (const filename of [undefined, 'image']) {
      assert.equal((await inputOf(setup, [model, prompt, ['image', link, filename]])).image, link)
      for (const file of [png(), large]) {
        const { image } = await inputOf(setup, [
          model,
          prompt,
          ['image', dataUrl('image/png', file), filename],
        ])
        assert.match(String(image), /^stored:/)
      }
    }
    assert.deepEqual(await temporaryFiles(setup), [])
  })

  it('treats an empty file input as absent', async (t) => {
    const setup = await startMediaGateway(t, 'disk', { redis })
    const empty = ['', 'application/octet-stream'] as const
    const input = await inputOf(setup, [model, prompt, ['image', '', ...empty], ['seed', '', ...empty]])
    assert.deepEqual([input.image, input.seed], [undefined, undefined])
    const chosen = await inputOf(setup, [model, prompt, ['seconds', '', ...empty], ['seconds', '8']])
    assert.equal(chosen.duration, 8)
    const { status, body } = await send(setup, [model, ['prompt', '', ...empty]])
    assert.deepEqual([status, body.error.param], [400, 'prompt'])
    const named = await send(setup, [model, prompt, ['image', '', 'a.png', 'image/png']])
    assert.deepEqual([named.status, named.body.error.message], [400, '`image` holds no bytes'])
  })

  it('ignores a file in an unknown field', async (t) => {
    const setup = await startMediaGateway(t, 'disk', { redis })
    const input = await inputOf(setup, [
      model,
      prompt,
      ['thumbnail', video, 'a.mp4'],
      ['notes', 'x', 'notes'],
    ])
    assert.equal(input.prompt, 'a boat')
  })

  it('accepts several values for a list field', async (t) => {
    const setup = await startMediaGateway(t, 'disk', { redis })
    const seedance: Entry = ['model', 'runwayml-gen4-aleph']
    const source: Entry = ['video', 'https://cdn.example/a.mp4']
    const references = (name: string): Entry[] => [[name, large, 'a.png']]
    for (const name of ['referenceImages', 'referenceImages[]']) {
      const input = await inputOf(setup, [seedance, prompt, source, ...references(name)])
      assert.equal(input.referenceImages?.length, 1)
    }
  })

  const manyFields = Array.from({ length: 201 }, (_, at): Entry => [`field${at}`, 'x'])
  const manyFiles = Array.from({ length: 9 }, (): Entry => ['referenceImages[]', png(), 'a.png', 'image/png'])
  const rejected: { what: string; entries: Entry[]; status: number; param: string | null; says: RegExp }[] = [
    {
      what: '`model` twice',
      entries: [model, model, prompt],
      status: 400,
      param: 'model',
      says: /^`model` was given twice; it takes one value$/,
    },
    {
      what: 'a prompt twice',
      entries: [model, prompt, prompt],
      status: 400,
      param: 'prompt',
      says: /`prompt` was given twice/,
    },
    {
      what: 'a field named constructor',
      entries: [model, prompt, ['constructor', 'x']],
      status: 400,
      param: 'constructor',
      says: /^`constructor` is not allowed as the name of a field$/,
    },
    {
      what: 'a member named __proto__',
      entries: [model, prompt, ['image[__proto__]', 'x']],
      status: 400,
      param: '__proto__',
      says: /`__proto__` is not allowed/,
    },
    {
      what: 'more than 200 fields',
      entries: [model, prompt, ...manyFields.slice(4), ['field_last', 'x']],
      status: 413,
      param: 'field_last',
      says: /^The form has more than 200 fields: `field_last` is one too many$/,
    },
    {
      what: 'more than 8 files',
      entries: [model, prompt, ...manyFiles],
      status: 413,
      param: 'referenceImages[]',
      says: /^The form has more than 8 files/,
    },
    {
      what: 'two videos asked for',
      entries: [model, prompt, ['n', '2']],
      status: 400,
      param: 'n',
      says: /^`n` must be 1: a request makes one video$/,
    },
    {
      what: 'a prompt that is a picture',
      entries: [model, ['prompt', large, 'a.png']],
      status: 400,
      param: 'prompt',
      says: /^`prompt` must be a text in UTF-8$/,
    },
    {
      what: 'a prompt of more than a megabyte',
      entries: [model, ['prompt', 'x'.repeat(1_100_000), 'p.txt']],
      status: 413,
      param: 'prompt',
      says: /^The text of the form is larger than 1024 kB.* in `prompt`$/,
    },
    {
      what: 'texts of more than a megabyte together',
      entries: [model, prompt, ['style', 'x'.repeat(600_000)], ['mode', 'x'.repeat(600_000)]],
      status: 413,
      param: 'mode',
      says: /^The text of the form is larger than 1024 kB/,
    },
    {
      what: 'a NUL in an id',
      entries: [model, prompt, ['conversationUUID', 'a\0b']],
      status: 400,
      param: 'conversationUUID',
      says: /^`conversationUUID` must not contain NUL/,
    },
    {
      what: 'a text in a media field',
      entries: [model, prompt, ['image', 'no picture', 'a.png', 'image/png']],
      status: 400,
      param: 'image',
      says: /must be an image file/,
    },
  ]
  for (const { what, entries, status, param, says } of rejected)
    it(`with ${what}: ${status}, and no file is left`, async (t) => {
      const setup = await startMediaGateway(t, 'disk', { redis })
      // A file that has arrived whole before the error.
      const reply = await send(setup, [['last_image', large, 'b.png', 'image/png'], ...entries])
      assert.deepEqual([reply.status, reply.body.error.param], [status, param], reply.body.error.message)
      assert.match(reply.body.error.message, says)
      assert.deepEqual(await temporaryFiles(setup), [])
      assert.equal(setup.engine.requests.length, 0)
    })

  it('can have exactly as many fields and files as the limits allow', async (t) => {
    const setup = await startMediaGateway(t, 'disk', { redis })
    const { fields } = defaultRequestLimits.form
    const input = await inputOf(setup, [model, prompt, ...manyFields.slice(0, fields - 2)])
    assert.equal(input.prompt, 'a boat')
    const files = await send(setup, [model, prompt, ...manyFiles.slice(1)])
    assert.doesNotMatch(JSON.stringify(files.body), /files/)
  })

  it('that cannot be parsed is an error, and no file is left', async (t) => {
    const setup = await startMediaGateway(t, 'disk', { redis })
    const whole = formOf([model, ['image', large, 'a.png', 'image/png']])
    for (const body of [
      whole.subarray(0, whole.length - 1000),
      whole.subarray(0, 20),
      Buffer.from('nothing'),
    ]) {
      const { status, body: reply } = await send(setup, body)
      assert.deepEqual([status, reply.error.message], [400, 'The form cannot be read'])
      assert.deepEqual(await temporaryFiles(setup), [])
    }
    const type = { ...headers, 'content-type': 'multipart/form-data' }
    const unbounded = await fetch(`${setup.address}/v1/videos`, {
      method: 'POST',
      headers: type,
      body: whole,
    })
    assert.equal(unbounded.status, 400)
  })

  it('over the limit is rejected before it has arrived completely', async (t) => {
    const setup = await startMediaGateway(t, 'disk', { redis })
    const reply = await send(setup, [model, ['image', Buffer.alloc(9 * megabyte, 1), 'a.png']])
    assert.deepEqual([reply.status, reply.body.error.code], [413, 'payload_too_large'])
    assert.deepEqual(await temporaryFiles(setup), [])
  })

  it('leaves no file when its client disconnects', async (t) => {
    const setup = await startMediaGateway(t, 'disk', { redis })
    const { port } = new URL(setup.address)
    const body = formOf([model, ['image', large, 'a.png', 'image/png']])
    const socket = connect(Number(port), '127.0.0.1')
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(
      `POST /v1/videos HTTP/1.1\r\nhost: test\r\n${lines.join('')}content-length: ${body.length}\r\n\r\n`,
    )
    socket.write(body.subarray(0, 200_000))
    while ((await temporaryFiles(setup)).length === 0) await new Promise((resolve) => setImmediate(resolve))
    socket.destroy()
    while ((await temporaryFiles(setup)).length > 0) await new Promise((resolve) => setImmediate(resolve))
  })
})
