import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { hasWholeBoxes } from '../../../src/media/formats/boxes.ts'
import { isComplete } from '../../../src/media/formats/complete.ts'
import {
  createFileReader,
  type FileReader,
  ParserLimitReached,
  parserLimits,
} from '../../../src/media/formats/file-reader.ts'
import { hasWholeFlac } from '../../../src/media/formats/flac.ts'
import { hasGifTrailer } from '../../../src/media/formats/gif.ts'
import { hasJpegEnd } from '../../../src/media/formats/jpeg.ts'
import { hasWholeElements } from '../../../src/media/formats/matroska.ts'
import { hasWholeFrames } from '../../../src/media/formats/mpeg-audio.ts'
import { hasWholeLastPage } from '../../../src/media/formats/ogg.ts'
import { hasPngEnd } from '../../../src/media/formats/png.ts'
import { hasWholeRiff } from '../../../src/media/formats/riff.ts'
import { createCleanup, temporaryFolder } from '../../support/setup.ts'
import { video } from '../files.ts'

const cleanup = createCleanup()
let folder = ''
before(async () => {
  folder = await temporaryFolder(cleanup)
})
after(() => cleanup.run())

const fixture = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url))
const megabyte = 1024 * 1024

/** A reader of bytes in memory. */
function readerOf(
  content: Buffer,
  limits: Parameters<typeof createFileReader>[0]['limits'] = parserLimits,
): FileReader {
  const read = async (buffer: Buffer, offset: number, length: number, at: number) => ({
    bytesRead: content.copy(buffer, offset, at, at + length),
    buffer,
  })
  return createFileReader({ file: { read } as never, size: content.length, limits })
}

const repeat = (start: Buffer, unit: string | Buffer, bytes = megabyte / 4) =>
  Buffer.concat([start, Buffer.alloc(bytes, typeof unit === 'string' ? Buffer.from(unit, 'latin1') : unit)])

const openSegment = Buffer.from('1a45dfa3801853806701ffffffffffffff', 'hex')

/** Files of as many elements as fit into them. */
const hostile: Readonly<Record<string, [(reader: FileReader) => Promise<boolean>, Buffer]>> = {
  'MP4 boxes of 8 bytes': [hasWholeBoxes, repeat(video, '\0\0\0\x08free')],
  'MP4 fragments of 8 bytes': [hasWholeBoxes, repeat(video, '\0\0\0\x08moof')],
  'MP4 boxes of 16 bytes whose length has 64 bits': [
    hasWholeBoxes,
    repeat(video, '\0\0\0\x01free\0\0\0\0\0\0\0\x10'),
  ],
  'AVIF boxes of 8 bytes': [hasWholeBoxes, repeat(fixture('image.avif'), '\0\0\0\x08free')],
  'HEIC boxes of 8 bytes': [hasWholeBoxes, repeat(fixture('image.heic'), '\0\0\0\x08free')],
  'PNG chunks without content': [
    hasPngEnd,
    repeat(fixture('animated.png').subarray(0, 33), '\0\0\0\0teSt\0\0\0\0'),
  ],
  'JPEG segments without content': [hasJpegEnd, repeat(Buffer.from('ffd8', 'hex'), '\xff\xe0\0\x02')],
  'JPEG fill bytes': [hasJpegEnd, repeat(Buffer.from('ffd8', 'hex'), '\xff')],
  'GIF sub-blocks of 1 byte': [hasGifTrailer, repeat(fixture('animated.gif').subarray(0, -2), '\x01\x2c')],
  'GIF extensions without content': [
    hasGifTrailer,
    repeat(fixture('animated.gif').subarray(0, -1), '\x21\xfe\0'),
  ],
  'GIF frames': [
    hasGifTrailer,
    repeat(fixture('animated.gif').subarray(0, -1), '\x2c\0\0\0\0\x01\0\x01\0\0\x02\0'),
  ],
  'WAV chunks without content': [hasWholeRiff, repeat(fixture('pipe.wav').subarray(0, 36), 'LIST\0\0\0\0')],
  'WebM elements without content': [hasWholeElements, repeat(openSegment, '\xec\x80')],
  'WebM clusters of unknown length': [hasWholeElements, repeat(openSegment, '\x1f\x43\xb6\x75\xff')],
  'MP3 frames of 24 bytes': [
    hasWholeFrames,
    repeat(Buffer.alloc(0), `\xff\xf3\x14\0${'\0'.repeat(20)}`, 12 * megabyte),
  ],
  'ID3 tags without content': [hasWholeFrames, repeat(Buffer.alloc(0), 'ID3\x03\0\0\0\0\0\0')],
  'AAC frames of 7 bytes': [hasWholeFrames, repeat(Buffer.alloc(0), '\xff\xf1\x50\x80\0\xe0\xfc')],
}

/** Formats where only the last block of a file is read. */
const bounded: typeof hostile = {
  'Ogg page heads': [hasWholeLastPage, repeat(fixture('opus.ogg'), 'OggS\0')],
  'FLAC frame heads': [
    hasWholeFlac,
    repeat(fixture('audio.flac').subarray(0, 8300), '\xff\xf8\xc9\x18\0\xc2'),
  ],
  'FLAC metadata blocks': [hasWholeFlac, repeat(fixture('audio.flac').subarray(0, 42), '\x01\0\0\0')],
}

describe('a parser', () => {
  for (const [name, [parse, content]] of Object.entries(hostile)) {
    it(`gives up after a limited number of elements: ${name}`, async () => {
      const reader = readerOf(content, { ...parserLimits, elements: 5000 })
      await assert.rejects(parse(reader), ParserLimitReached)
      const { elements, reads } = reader.counts()
      assert.equal(elements, 5001)
      // Many elements lie in each block that is read.
      assert.ok(reads < 10, String(reads))
    })
  }

  for (const [name, [parse, content]] of Object.entries(bounded)) {
    it(`reads a few blocks only: ${name}`, async () => {
      const reader = readerOf(content)
      await parse(reader)
      const { reads, elements } = reader.counts()
      assert.ok(reads <= 3 && elements <= 64, `${reads} reads, ${elements} elements`)
    })
  }

  it('gives up after a limited number of reads', async () => {
    const box = Buffer.concat([Buffer.from('\0\x02\0\0free', 'latin1'), Buffer.alloc(128 * 1024 - 8)])
    const content = repeat(video, box, 40 * box.length)
    assert.equal(await hasWholeBoxes(readerOf(content)), true)
    const reader = readerOf(content, { ...parserLimits, reads: 20 })
    await assert.rejects(hasWholeBoxes(reader), ParserLimitReached)
    assert.equal(reader.counts().reads, 21)
  })

  it('gives up after a time limit', async () => {
    let now = 0
    const read = async () => {
      now += 600
      return { bytesRead: 64, buffer: Buffer.alloc(0) }
    }
    const reader = createFileReader({ file: { read } as never, size: megabyte, now: () => now })
    for (let reads = 0; reads < 4; reads += 1) await reader.read(reads * 100, 8)
    await assert.rejects(reader.read(900, 8), ParserLimitReached)
  })

  it('ends at a length that is 0, huge, or the box itself', async () => {
    const box = (head: string) => Buffer.concat([video, Buffer.from(head, 'latin1'), Buffer.alloc(64)])
    const heads = ['\0\0\0\0free', '\0\0\0\x07free', '\0\0\0\x01free\0\0\0\0\0\0\0\x07']
    for (const head of heads) assert.equal(await hasWholeBoxes(readerOf(box(head))), true)
    const huge = ['\xff\xff\xff\xfffree', '\0\0\0\x01free\xff\xff\xff\xff\xff\xff\xff\xff']
    for (const head of huge) assert.equal(await hasWholeBoxes(readerOf(box(head))), false)
  })
})

describe('a valid file with more elements than a parser reads', () => {
  async function save(content: Buffer): Promise<string> {
    const path = join(folder, 'long')
    await writeFile(path, content)
    return path
  }

  it('is accepted: a long video of many fragments', async () => {
    const fragmented = fixture('fragmented.mp4')
    const first = fragmented.indexOf('moof') - 4
    const fragment = fragmented.subarray(first, fragmented.indexOf('mfra') - 4)
    const boxes = fragment.toString('latin1').match(/moof|mdat/g)?.length ?? 0
    const copies = Math.ceil(parserLimits.elements / boxes) + 1
    const content = Buffer.concat([
      fragmented.subarray(0, first),
      Buffer.alloc(fragment.length * copies, fragment),
    ])
    assert.equal(await isComplete(await save(content)), true)
  })

  it('is accepted: hours of sound', async () => {
    const frames = fixture('pipe.mp3').subarray(44)
    const content = Buffer.concat([Buffer.alloc(frames.length * 500, frames), frames.subarray(0, -9)])
    assert.equal(await isComplete(await save(content)), false, 'all of its frames are looked at')
    const short = Buffer.from(`\xff\xf3\x14\0${'\0'.repeat(20)}`, 'latin1')
    assert.equal(await isComplete(await save(Buffer.alloc(24 * (parserLimits.elements + 9), short))), true)
  })
})
