import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { checkMediaFile, detectContentType } from '../../../src/media/formats/check-file.ts'
import { isComplete } from '../../../src/media/formats/complete.ts'
import { countImagePixels } from '../../../src/media/formats/image-pixels.ts'
import { StorageUnavailable } from '../../../src/media/storage/storage-fault.ts'
import { createCleanup, temporaryFolder } from '../../support/setup.ts'
import { png, video } from '../files.ts'

const cleanup = createCleanup()
let folder = ''
let count = 0
before(async () => {
  folder = await temporaryFolder(cleanup)
})
after(() => cleanup.run())

async function save(content: Buffer): Promise<string> {
  const path = join(folder, String(++count))
  await writeFile(path, content)
  return path
}

/** The given bytes at their offsets, the rest zero. */
function bytes(size: number, fields: Readonly<Record<number, string | number[]>>): Buffer {
  const content = Buffer.alloc(size)
  for (const [at, part] of Object.entries(fields))
    content.set(typeof part === 'string' ? Buffer.from(part, 'latin1') : part, Number(at))
  return content
}

const gif = bytes(10, { 0: 'GIF89a', 6: [0x02, 0x01, 0x03, 0x01] })
const bmp = bytes(30, { 0: 'BM', 18: [4, 1, 0, 0], 22: [0xfe, 0xff, 0xff, 0xff] })
const webp = (chunk: string, content: Readonly<Record<number, number[]>>) =>
  bytes(40, { 0: 'RIFF', 4: [32, 0, 0, 0], 8: 'WEBP', 12: chunk, ...content })
const segment = (marker: number, length: number, body: number[] = []) => {
  const content = Buffer.alloc(length + 2)
  content.set([0xff, marker, length >> 8, length & 0xff, ...body])
  return content
}
const frame = [8, 0x01, 0x02, 0x03, 0x04]
const jpeg = (...segments: Buffer[]) => Buffer.concat([Buffer.from([0xff, 0xd8]), ...segments])

describe('the pixel count of an image', () => {
  const cases: Readonly<Record<string, [string, Buffer, number | undefined]>> = {
    PNG: ['image/png', png({ width: 3, height: 5 }), 15],
    APNG: ['image/apng', png({ width: 3, height: 5 }), 15],
    GIF: ['image/gif', gif, 0x102 * 0x103],
    'BMP, from the top': ['image/bmp', bmp, 0x104 * 2],
    'WebP, extended': ['image/webp', webp('VP8X', { 24: [1, 1, 0, 2, 0, 1] }), 0x102 * 0x10003],
    'WebP, lossy': ['image/webp', webp('VP8 ', { 26: [0x10, 0xc1, 0x20, 0xc0] }), 0x110 * 0x20],
    'WebP, lossless': ['image/webp', webp('VP8L', { 21: [0x0f, 0x40, 0x01, 0x00] }), 0x10 * 6],
    'WebP, extended, with reserved bits': [
      'image/webp',
      webp('VP8X', { 20: [0xc1], 24: [1, 1, 0, 2, 0, 1] }),
      0x102 * 0x10003,
    ],
    'WebP that is cut': ['image/webp', webp('VP8X', {}).subarray(0, 18), undefined],
    'WebP, unknown': ['image/webp', webp('ALPH', {}), undefined],
    JPEG: ['image/jpeg', jpeg(segment(0xe0, 16), segment(0xc0, 17, frame)), 0x102 * 0x304],
    'JPEG, progressive': ['image/jpeg', jpeg(segment(0xc4, 30), segment(0xc2, 17, frame)), 0x102 * 0x304],
    'JPEG whose frame comes first': ['image/jpeg', jpeg(segment(0xc0, 17, frame)), 0x102 * 0x304],
    'JPEG, lossless': ['image/jpeg', jpeg(segment(0xe0, 16), segment(0xc3, 17, frame)), 0x102 * 0x304],
    'JPEG, arithmetic': ['image/jpeg', jpeg(segment(0xe0, 16), segment(0xc9, 17, frame)), 0x102 * 0x304],
    'JPEG, last kind of frame': ['image/jpeg', jpeg(segment(0xcf, 17, frame)), 0x102 * 0x304],
    'JPEG without a frame': ['image/jpeg', jpeg(segment(0xd9, 2), segment(0xe0, 4)), undefined],
    'JPEG whose tables are no frame': [
      'image/jpeg',
      jpeg(segment(0xc4, 17, frame), segment(0xc8, 17, frame), segment(0xcc, 17, frame)),
      undefined,
    ],
    'JPEG with a marker that is no frame': [
      'image/jpeg',
      jpeg(segment(0x80, 17, [8, 9, 9, 9, 9]), segment(0xc0, 17, frame)),
      0x102 * 0x304,
    ],
    'JPEG that is cut': ['image/jpeg', jpeg(segment(0xe0, 16)).subarray(0, 10), undefined],
    'JPEG with something else between segments': [
      'image/jpeg',
      Buffer.concat([jpeg(segment(0xe0, 16)), Buffer.alloc(8), segment(0xc0, 17, frame)]),
      undefined,
    ],
    'a head that is cut': ['image/png', png().subarray(0, 20), undefined],
    'another format': ['image/tiff', png(), undefined],
  }
  for (const [name, [type, content, pixels]] of Object.entries(cases))
    it(name, async () => assert.equal(await countImagePixels(await save(content), type), pixels))

  it('are found after up to half a megabyte of other segments', async () => {
    const comments = Array.from({ length: 7 }, () => segment(0xfe, 0xffff))
    assert.equal(
      await countImagePixels(await save(jpeg(...comments, segment(0xc0, 17, frame))), 'image/jpeg'),
      0x102 * 0x304,
    )
  })

  it('of an unreadable file: an error, not a guess', async () => {
    await assert.rejects(countImagePixels(folder, 'image/png'), { code: 'EISDIR' })
    await assert.rejects(countImagePixels(join(folder, 'absent'), 'image/png'), { code: 'ENOENT' })
  })
})

const box = (name: string, length: number, declaredLength = length) =>
  bytes(length, {
    0: [
      declaredLength >>> 24,
      (declaredLength >>> 16) & 0xff,
      (declaredLength >>> 8) & 0xff,
      declaredLength & 0xff,
    ],
    4: name,
  })
const longBox = (length: number, declaredLength = length) => {
  const content = box('mdat', length, 1)
  content.writeBigUInt64BE(BigInt(declaredLength), 8)
  return content
}

describe('whether a file is complete', () => {
  const ftyp = box('ftyp', 24)
  const cases: Readonly<Record<string, [Buffer, boolean]>> = {
    'a whole PNG': [png(), true],
    'a PNG with something after it': [Buffer.concat([png(), Buffer.alloc(4000)]), true],
    'a PNG that is cut': [png({ padding: 9000 }).subarray(0, 8500), false],
    'a small PNG that is cut': [png().subarray(0, 40), false],
    'a PNG with much after it': [Buffer.concat([png(), Buffer.alloc(8200)]), true],
    'a PNG that lacks one byte': [png().subarray(0, -1), false],
    'a whole WebP': [webp('VP8X', {}), true],
    'a WebP with something after it': [Buffer.concat([webp('VP8X', {}), Buffer.alloc(5)]), true],
    'a WebP that lacks one byte': [webp('VP8X', {}).subarray(0, 39), false],
    'another RIFF, which is not looked at': [bytes(40, { 0: 'RIFF', 4: [99, 0, 0, 0], 8: 'AVI ' }), true],
    'a WAV without samples': [bytes(40, { 0: 'RIFF', 4: [32, 0, 0, 0], 8: 'WAVE' }), false],
    'something else that says WEBP': [bytes(40, { 0: 'RIFX', 4: [99, 0, 0, 0], 8: 'WEBP' }), true],
    'a whole MP4': [Buffer.concat([ftyp, box('mdat', 100)]), true],
    'a real MP4': [video, true],
    'an MP4 that lacks one byte': [Buffer.concat([ftyp, box('mdat', 100)]).subarray(0, 123), false],
    'a real MP4 that is cut': [video.subarray(0, video.length - 50), false],
    'an MP4 in the long form': [Buffer.concat([ftyp, longBox(100)]), true],
    'an MP4 in the long form that is cut': [Buffer.concat([ftyp, longBox(100, 101)]), false],
    'an MP4 whose last box goes to the end': [
      Buffer.concat([ftyp, box('moov', 8), box('mdat', 100, 0)]),
      true,
    ],
    'an MP4 whose media data goes to the end, without an index': [
      Buffer.concat([ftyp, box('mdat', 100, 0)]),
      false,
    ],
    'an MP4 that ends inside the head of its second box': [
      Buffer.concat([ftyp, box('mdat', 100).subarray(0, 6)]),
      false,
    ],
    'an MP4 with a few bytes after it': [Buffer.concat([video, Buffer.from('\r\n')]), true],
    'an MP4 followed by no box': [Buffer.concat([ftyp, box('mdat', 100, 7)]), true],
    'an MP4 whose last box is a head alone': [Buffer.concat([ftyp, box('free', 8)]), true],
    'an MP4 whose last box, as small as a box can be, is followed by others': [
      Buffer.concat([ftyp, box('free', 8), box('mdat', 100, 101)]),
      false,
    ],
    'an MP4 whose last box has 16 bytes and says 17': [Buffer.concat([ftyp, box('free', 16, 17)]), false],
    'a file of another kind': [Buffer.from('hello, this is text'), true],
    nothing: [Buffer.alloc(0), true],
  }
  for (const [name, [content, whole]] of Object.entries(cases))
    it(`${name}: ${whole ? 'yes' : 'no'}`, async () =>
      assert.equal(await isComplete(await save(content)), whole))
})

describe('the type of a file by its bytes', () => {
  const verdict = async (content: Buffer, kind: 'image' | 'video' | 'audio') =>
    checkMediaFile(await save(content), kind)
  const reasonOf = async (content: Buffer, kind: 'image' | 'video' | 'audio') => {
    const result = await verdict(content, kind)
    return 'reason' in result ? result.reason : result.contentType
  }
  const m4v = Buffer.concat([bytes(24, { 0: [0, 0, 0, 24], 4: 'ftypmp42' }), box('mdat', 16)])
  const webm = Buffer.concat([
    Buffer.from('1a45dfa39f4286810142f7810142f2810442f381084282847765626d', 'hex'),
    Buffer.alloc(40),
  ])
  const ogg = bytes(80, { 0: 'OggS', 28: [0x7f] })

  it('is detected from the bytes only', async () => {
    assert.equal(await detectContentType(await save(png())), 'image/png')
    assert.equal(await detectContentType(await save(video)), 'video/mp4')
    assert.equal(await detectContentType(await save(Buffer.from('hello'))), undefined)
    assert.equal(await detectContentType(await save(ogg)), 'application/ogg')
  })

  it('fits its field or not', async () => {
    assert.equal(await reasonOf(png(), 'image'), 'image/png')
    assert.equal(await reasonOf(video, 'video'), 'video/mp4')
    assert.equal(await reasonOf(png(), 'video'), 'invalid')
    assert.equal(await reasonOf(video, 'image'), 'invalid')
    assert.equal(await reasonOf(png(), 'audio'), 'invalid')
    assert.equal(await reasonOf(Buffer.from('hello'), 'image'), 'invalid')
    assert.equal(await reasonOf(Buffer.from('hello'), 'video'), 'invalid')
  })

  it('is audio in an audio field, if the same container can hold both', async () => {
    assert.equal(await reasonOf(m4v, 'audio'), 'audio/mp4')
    assert.equal(await reasonOf(m4v, 'video'), 'video/mp4')
    assert.equal(await reasonOf(webm, 'audio'), 'audio/webm')
    assert.equal(await reasonOf(webm, 'video'), 'video/webm')
    const matroska = Buffer.from(
      webm.toString('latin1').replace('webm', 'matroska').replace('\x42\x82\x84', '\x42\x82\x88'),
      'latin1',
    )
    assert.equal(await reasonOf(matroska, 'audio'), 'audio/webm')
    const quicktime = Buffer.from(m4v.toString('latin1').replace('mp42', 'qt  '), 'latin1')
    assert.equal(await reasonOf(quicktime, 'video'), 'video/quicktime')
    assert.equal(await reasonOf(quicktime, 'audio'), 'audio/mp4')
    const theora = bytes(80, { 0: 'OggS', 28: [0x80], 29: 'theora' })
    assert.equal(await reasonOf(theora, 'video'), 'video/ogg')
    assert.equal(await reasonOf(theora, 'audio'), 'audio/ogg')
    assert.equal(await reasonOf(ogg, 'audio'), 'audio/ogg')
    assert.equal(await reasonOf(ogg, 'video'), 'invalid')
  })

  it('is named in the error', async () => {
    const wrong = async (content: Buffer, kind: 'image' | 'video' | 'audio') => {
      const result = await verdict(content, kind)
      return 'problem' in result ? result.problem : assert.fail()
    }
    assert.match(await wrong(png(), 'video'), /\ba video file.*image\/png/)
    assert.match(await wrong(video, 'image'), /\ban image file.*video\/mp4/)
    assert.match(await wrong(png(), 'audio'), /\ban audio file/)
    assert.match(await wrong(Buffer.from('hello'), 'image'), /\ban image file.*type/)
    assert.match(await wrong(png({ width: 20_000, height: 20_000 }), 'image'), /\b100 million/)
    assert.match(await wrong(video.subarray(0, video.length - 1), 'video'), /cut/)
  })

  it('fails with a storage fault if our disk fails', async () => {
    await assert.rejects(detectContentType(join(folder, 'absent')), StorageUnavailable)
    await assert.rejects(isComplete(join(folder, 'absent')), StorageUnavailable)
  })

  it('rejects an image that models cannot read', async () => {
    const svg = bytes(200, { 0: '8BPS', 4: [0, 1] })
    assert.equal(await detectContentType(await save(svg)), 'image/vnd.adobe.photoshop')
    assert.equal(await reasonOf(svg, 'image'), 'invalid')
  })

  it('has at most 100 million pixels', async () => {
    assert.equal(await reasonOf(png({ width: 10_000, height: 10_000 }), 'image'), 'image/png')
    assert.equal(await reasonOf(png({ width: 10_000, height: 10_001 }), 'image'), 'too_large')
  })

  it('must be complete', async () => {
    assert.equal(await reasonOf(video.subarray(0, video.length - 1), 'video'), 'invalid')
  })
})
