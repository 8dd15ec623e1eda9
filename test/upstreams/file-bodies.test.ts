import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { createInlineBody, createUploadBody, uploadTimeLimitMs } from '../../src/upstreams/file-bodies.ts'

const media = { kind: 'image', contentType: 'image/png', bytes: 5, filename: 'cat.png' } as const

describe('a file as the body of a call', () => {
  it('is sent unchanged', async () => {
    const open = async () => Readable.from([Buffer.from('he'), Buffer.from('llo')])
    const { body, type, length } = createUploadBody({ media, open }, 'body')
    assert.equal((await buffer(body)).toString(), 'hello')
    assert.equal(type, 'image/png')
    assert.equal(length, 5)
  })

  it('is sent as the single part of a form with a known length', async () => {
    const open = async () => Readable.from([Buffer.from('hello')])
    const { body, type, length } = createUploadBody({ media, open }, { field: 'file' })
    const bytes = await buffer(body)
    assert.equal(bytes.length, length)
    const form = await new Response(bytes, { headers: { 'content-type': type } }).formData()
    assert.deepEqual([...form.keys()], ['file'])
    const file = form.get('file')
    assert.ok(file instanceof File)
    assert.equal(file.name, 'cat.png')
    assert.equal(file.type, 'image/png')
    assert.equal(await file.text(), 'hello')
  })

  it('has a random boundary, so that no file can contain it', () => {
    const open = async () => Readable.from([])
    const types = [1, 2].map(() => createUploadBody({ media, open }, { field: 'file' }).type)
    assert.notEqual(types[0], types[1])
  })

  it('is not opened before it is read', async () => {
    let opened = 0
    const open = async () => Readable.from([Buffer.from(`${++opened}`)])
    const { body } = createUploadBody({ media, open }, 'body')
    assert.equal(opened, 0)
    await buffer(body)
    assert.equal(opened, 1)
  })

  it('gets a second for each 256 kB', () => {
    const open = async () => Readable.from([])
    assert.equal(uploadTimeLimitMs({ media: { ...media, bytes: 256_000 }, open }), 1000)
  })
})

describe('files inside a JSON body', () => {
  const fileOf = (mark: string, pieces: Buffer[]) => ({
    placeholder: mark,
    bytes: Buffer.concat(pieces).length,
    open: async () => Readable.from(pieces),
  })
  async function read(text: string, files: Parameters<typeof createInlineBody>[1]): Promise<string> {
    const { body, length } = createInlineBody(text, files)
    const bytes = await buffer(body)
    assert.equal(bytes.length, length)
    return bytes.toString()
  }

  it('replace their markers as base64, each as often as it is named', async () => {
    const files = [fileOf('@a@', [Buffer.from('first')]), fileOf('@b@', [Buffer.from('second')])]
    assert.equal(
      await read('{"é":"@b@","a":["@a@","@a@"],"end":1}', files),
      `{"é":"${btoa('second')}","a":["${btoa('first')}","${btoa('first')}"],"end":1}`,
    )
  })

  it('of every length, in chunks of every length, are one base64 text', async () => {
    const content = Buffer.from('0123456789')
    for (let bytes = 0; bytes <= content.length; bytes++) {
      for (const size of [1, 2, 3, 4, 5, 10]) {
        const whole = content.subarray(0, bytes)
        const pieces = Array.from({ length: Math.ceil(bytes / size) }, (_, n) =>
          whole.subarray(n * size, (n + 1) * size),
        )
        assert.equal(
          await read('<@>', [fileOf('@', pieces)]),
          `<${whole.toString('base64')}>`,
          `${bytes} by ${size}`,
        )
      }
    }
  })

  it('do not change a text without markers', async () => {
    assert.equal(await read('{"a":"é"}', []), '{"a":"é"}')
    assert.equal(await read('{"a":1}', [fileOf('@', [Buffer.from('x')])]), '{"a":1}')
  })

  it('are streamed: no chunk waits for the next', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    async function* slow() {
      yield Buffer.from('abc')
      await promise
      yield Buffer.from('def')
    }
    const { body } = createInlineBody('@', [
      { placeholder: '@', bytes: 6, open: async () => Readable.from(slow()) },
    ])
    const pieces = body.iterator()
    let text = ''
    while (text.length < 4) text += (await pieces.next()).value
    assert.equal(text, 'YWJj')
    resolve()
    for await (const piece of pieces) text += piece
    assert.equal(text, 'YWJjZGVm')
  })
})
