import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { describe, it } from 'node:test'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { decodersFor, isEncoded } from '../../../src/media/results/content-encoding.ts'

const content = Buffer.from('a boat '.repeat(100))

async function decode(encoding: string, encoded: Buffer): Promise<Buffer> {
  const decoders = decodersFor({ 'content-encoding': encoding })
  const read = (source: AsyncIterable<Buffer>) => buffer(Readable.from(source))
  return (await pipeline([Readable.from([encoded]), ...decoders, read] as never)) as unknown as Buffer
}

describe('the content encoding of a reply', () => {
  const encodings: Record<string, Buffer> = {
    gzip: gzipSync(content),
    'x-gzip': gzipSync(content),
    deflate: deflateSync(content),
    br: brotliCompressSync(content),
    zstd: zstdCompressSync(content),
    'deflate, gzip': gzipSync(deflateSync(content)),
    ' GZip ,identity, BR ': brotliCompressSync(gzipSync(content)),
  }
  for (const [name, encoded] of Object.entries(encodings)) {
    it(`${JSON.stringify(name)} is decoded`, async () => {
      assert.ok((await decode(name, encoded)).equals(content))
      assert.equal(isEncoded({ 'content-encoding': name }), true)
    })
  }

  for (const headers of [{}, { 'content-encoding': '' }, { 'content-encoding': 'Identity' }]) {
    it(`${JSON.stringify(headers)} means no encoding`, () => {
      assert.deepEqual(decodersFor(headers), [])
      assert.equal(isEncoded(headers), false)
    })
  }

  for (const name of ['none', 'aws-chunked', 'utf-8', 'constructor']) {
    it(`${name} means no encoding`, () => {
      assert.deepEqual(decodersFor({ 'content-encoding': name }), [])
      assert.equal(isEncoded({ 'content-encoding': name }), false)
    })
  }

  it('a known one with an unknown one is decoded', async () => {
    assert.ok((await decode('aws-chunked, gzip', gzipSync(content))).equals(content))
  })
})
