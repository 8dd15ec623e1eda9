import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { readVideoSeconds } from '../../../src/media/results/video-duration.ts'

const sample = await readFile(new URL('../../../src/sandbox/sample.mp4', import.meta.url))

function fileOf(content: Buffer) {
  return {
    bytes: content.length,
    open: async (range?: { start: number; end: number }) => {
      const { start = 0, end = content.length - 1 } = range ?? {}
      // A store throws for a range outside the file.
      assert.ok(start >= 0 && start <= end && end < content.length, `${start} to ${end} of ${content.length}`)
      return Readable.from([content.subarray(start, end + 1)])
    },
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
  const seconds = (await readVideoSeconds(fileOf(sample))) ?? 0
  assert.ok(seconds > 0.5 && seconds < 60, String(seconds))
})

test('the header can be last, after other boxes, and in its long form', async () => {
  const ftyp = box('ftyp', Buffer.alloc(16))
  const mdat = box('mdat', Buffer.alloc(5000))
  const short = box('moov', box('free', Buffer.alloc(9)), box('mvhd', header(0, 600, 7500)))
  assert.equal(await readVideoSeconds(fileOf(Buffer.concat([ftyp, mdat, short]))), 12.5)
  assert.equal(
    await readVideoSeconds(fileOf(Buffer.concat([ftyp, box('moov', box('mvhd', header(1, 1000, 3250)))]))),
    3.25,
  )
})

test('a file without a length has none', async () => {
  const broken = [
    Buffer.alloc(0),
    Buffer.from('<html>no video</html>'),
    box('ftyp', Buffer.alloc(4)),
    box('moov', box('mvhd', header(0, 0, 7500))),
    box('moov', box('mvhd', header(0, 600, 0xffffffff))),
    box('moov', box('mvhd', Buffer.alloc(5))),
    Buffer.alloc(4096),
  ]
  for (const content of broken) assert.equal(await readVideoSeconds(fileOf(content)), undefined)
})

/** A box with a 64-bit length. */
function longBox(name: string, body: Buffer): Buffer {
  const head = Buffer.alloc(16)
  head.writeUInt32BE(1)
  head.write(name, 4, 'latin1')
  head.writeBigUInt64BE(BigInt(body.length + 16), 8)
  return Buffer.concat([head, body])
}

/** A box that goes on to the end of the file. */
function lastBox(name: string, body: Buffer): Buffer {
  const content = box(name, body)
  content.writeUInt32BE(0)
  return content
}

const movie = box('moov', box('mvhd', header(0, 600, 7500)))

test('boxes with a length of 64 bits', async () => {
  assert.equal(
    await readVideoSeconds(fileOf(Buffer.concat([longBox('mdat', Buffer.alloc(99)), movie]))),
    12.5,
  )
  assert.equal(await readVideoSeconds(fileOf(longBox('moov', box('mvhd', header(0, 600, 7500))))), 12.5)
})

test('a last box that extends to the end of the file', async () => {
  const ftyp = box('ftyp', Buffer.alloc(16))
  const last = lastBox('moov', Buffer.concat([box('free'), box('mvhd', header(0, 600, 7500))]))
  assert.equal(await readVideoSeconds(fileOf(Buffer.concat([ftyp, last]))), 12.5)
  const media = lastBox('mdat', Buffer.concat([Buffer.alloc(8), movie]))
  assert.equal(await readVideoSeconds(fileOf(Buffer.concat([ftyp, media]))), undefined)
})

test('the smallest box, of 8 bytes, is skipped; a smaller length ends the search', async () => {
  assert.equal(await readVideoSeconds(fileOf(Buffer.concat([box('free'), movie]))), 12.5)
  const broken = box('free', Buffer.alloc(8))
  broken.writeUInt32BE(7)
  assert.equal(await readVideoSeconds(fileOf(Buffer.concat([broken, movie]))), undefined)
})

test('the header is searched for in 64 boxes', async () => {
  const boxes = (count: number) => Buffer.concat([...Array.from({ length: count }, () => box('free')), movie])
  assert.equal(await readVideoSeconds(fileOf(boxes(63))), 12.5)
  assert.equal(await readVideoSeconds(fileOf(boxes(64))), undefined)
})

test('the header is searched for inside the movie only', async () => {
  const file = Buffer.concat([box('moov', box('free')), box('mvhd', header(0, 600, 7500))])
  assert.equal(await readVideoSeconds(fileOf(file)), undefined)
})

test('a header with length 0, or a truncated one, has no length', async () => {
  assert.equal(await readVideoSeconds(fileOf(box('moov', box('mvhd', header(0, 600, 0))))), undefined)
  assert.equal(await readVideoSeconds(fileOf(movie.subarray(0, 40))), undefined)
  assert.equal(await readVideoSeconds(fileOf(Buffer.concat([box('ftyp'), Buffer.alloc(5)]))), undefined)
})
