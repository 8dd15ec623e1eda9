import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { secondsOf } from '../../src/media/seconds.ts'

const sample = await readFile(new URL('../../src/sandbox/sample.mp4', import.meta.url))

function fileOf(content: Buffer) {
  return {
    bytes: content.length,
    open: async (range?: { start: number; end: number }) =>
      Readable.from([content.subarray(range?.start, (range?.end ?? content.length) + 1)]),
  }
}

function box(name: string, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const head = Buffer.alloc(8)
  head.writeUInt32BE(body.length + 8)
  head.write(name, 4, 'latin1')
  return Buffer.concat([head, body])
}

function header(version: 0 | 1, scale: number, duration: number): Buffer {
  const body = Buffer.alloc(112)
  body[0] = version
  body.writeUInt32BE(scale, version === 1 ? 20 : 12)
  if (version === 1) body.writeBigUInt64BE(BigInt(duration), 24)
  else body.writeUInt32BE(duration, 16)
  return body
}

test('the length of a real file', async () => {
  const seconds = (await secondsOf(fileOf(sample))) ?? 0
  assert.ok(seconds > 0.5 && seconds < 60, String(seconds))
})

test('the header may come last, after other boxes, and in its long form', async () => {
  const ftyp = box('ftyp', Buffer.alloc(16))
  const mdat = box('mdat', Buffer.alloc(5000))
  const short = box('moov', box('free', Buffer.alloc(9)), box('mvhd', header(0, 600, 7500)))
  assert.equal(await secondsOf(fileOf(Buffer.concat([ftyp, mdat, short]))), 12.5)
  assert.equal(
    await secondsOf(fileOf(Buffer.concat([ftyp, box('moov', box('mvhd', header(1, 1000, 3250)))]))),
    3.25,
  )
})

test('what tells no length has none', async () => {
  const broken = [
    Buffer.alloc(0),
    Buffer.from('<html>no video</html>'),
    box('ftyp', Buffer.alloc(4)),
    box('moov', box('mvhd', header(0, 0, 7500))),
    box('moov', box('mvhd', header(0, 600, 0xffffffff))),
    box('moov', box('mvhd', Buffer.alloc(5))),
    Buffer.alloc(4096),
  ]
  for (const content of broken) assert.equal(await secondsOf(fileOf(content)), undefined)
})
