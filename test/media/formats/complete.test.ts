import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { MediaKind } from '../../../providers/input.ts'
import { checkMediaFile, detectContentType } from '../../../src/media/formats/check-file.ts'
import { createCleanup, temporaryFolder } from '../../support/setup.ts'
import { png, video } from '../files.ts'

const cleanup = createCleanup()
let path = ''
before(async () => {
  path = join(await temporaryFolder(cleanup), 'file')
})
after(() => cleanup.run())

const folder = new URL('../fixtures/', import.meta.url)
const fixtures = readdirSync(folder).filter((name) => !name.endsWith('.md'))
const fixture = (name: string) => readFileSync(new URL(name, folder))

async function verdictOn(content: Buffer, kind: MediaKind): Promise<string> {
  await writeFile(path, content)
  const verdict = await checkMediaFile(path, kind)
  return 'problem' in verdict ? verdict.problem : 'accepted'
}

async function kindOf(content: Buffer): Promise<MediaKind> {
  await writeFile(path, content)
  const type = await detectContentType(path)
  return type === 'application/ogg' ? 'audio' : ((type?.split('/')[0] ?? 'none') as MediaKind)
}

function wav(samples: Buffer, declared = samples.length): Buffer {
  const head = Buffer.alloc(44)
  head.write('RIFF', 0, 'latin1')
  head.writeUInt32LE(declared === 0 || declared > 0x7fffffff ? declared : declared + 36, 4)
  head.write('WAVEfmt ', 8, 'latin1')
  head.writeUInt32LE(16, 16)
  head.set([1, 0, 1, 0], 20)
  head.writeUInt32LE(8000, 24)
  head.writeUInt32LE(8000, 28)
  head.set([1, 0, 8, 0], 32)
  head.write('data', 36, 'latin1')
  head.writeUInt32LE(declared, 40)
  return Buffer.concat([head, samples])
}

/** What a file loses when one byte of it is missing can be seen unless it was written without a length. */
const unbounded = new Set(['pipe.wav'])
/** Here, what is cut off first is no part of the sound or the image. */
const appendix: Readonly<Record<string, number>> = { 'id3v1.mp3': 128, 'several-images.jpg': 900 }

describe('a complete file of a real encoder', () => {
  for (const name of fixtures) {
    it(`${name} is accepted`, async () => {
      const content = fixture(name)
      assert.equal(await verdictOn(content, await kindOf(content)), 'accepted')
    })
  }
})

describe('a truncated file', () => {
  for (const name of fixtures.filter((name) => !unbounded.has(name))) {
    it(`${name} is rejected, wherever it is cut`, async () => {
      const content = fixture(name)
      const kind = await kindOf(content)
      const longest = content.length - (appendix[name] ?? 0)
      const lengths = [1, 2, 3, 5, 9].map((missing) => longest - missing)
      for (let part = 0.35; part < 0.99; part += 0.07) lengths.push(Math.floor(longest * part))
      const accepted: number[] = []
      for (const length of lengths)
        if ((await verdictOn(content.subarray(0, length), kind)) === 'accepted') accepted.push(length)
      // A cut between two frames, pages or fragments leaves a whole file.
      assert.ok(accepted.length <= 1, `accepted with ${accepted} of ${content.length} bytes`)
      assert.ok(!accepted.includes(longest - 1))
    })
  }

  it('is named as such', async () => {
    assert.match(await verdictOn(fixture('baseline.jpg').subarray(0, 700), 'image'), /cut short/)
    assert.match(await verdictOn(wav(Buffer.alloc(999), 1000), 'audio'), /cut short/)
  })

  it('of a stopped recorder: media data up to the end, and no index', async () => {
    const box = (type: string, length: number, body: Buffer) => {
      const head = Buffer.alloc(8)
      head.writeUInt32BE(length)
      head.write(type, 4, 'latin1')
      return Buffer.concat([head, body])
    }
    const ftyp = box('ftyp', 16, Buffer.from('isom\0\0\x02\0', 'latin1'))
    const mdat = box('mdat', 0, Buffer.alloc(500))
    assert.match(await verdictOn(Buffer.concat([ftyp, mdat]), 'video'), /cut short/)
    const moov = box('moov', 8, Buffer.alloc(0))
    assert.equal(await verdictOn(Buffer.concat([ftyp, moov, mdat]), 'video'), 'accepted')
  })
})

describe('a valid file that looks truncated', () => {
  const appended: Readonly<Record<string, Buffer>> = {
    zeros: Buffer.alloc(9000),
    'a line end': Buffer.from('\r\n'),
    text: Buffer.alloc(300, 'appended text '),
    'a video': video,
  }
  for (const name of [
    'baseline.jpg',
    'progressive.jpg',
    'several-images.jpg',
    'animated.gif',
    'animated.png',
    'lossy.webp',
  ])
    for (const [what, bytes] of Object.entries(appended))
      it(`${name} followed by ${what}`, async () =>
        assert.equal(await verdictOn(Buffer.concat([fixture(name), bytes]), 'image'), 'accepted'))
  for (const [what, bytes] of Object.entries(appended).slice(0, 3))
    for (const name of ['video.mp4', 'fragmented.mp4', 'video.mov', 'video.webm', 'pipe.webm', 'video.mkv'])
      it(`${name} followed by ${what}`, async () =>
        assert.equal(await verdictOn(Buffer.concat([fixture(name), bytes]), 'video'), 'accepted'))

  const id3v1 = Buffer.from(`TAG${'x'.repeat(125)}`)
  const ape = Buffer.from(`APETAGEX${'x'.repeat(90)}`)
  for (const name of ['cbr.mp3', 'vbr.mp3', 'pipe.mp3', 'lame.mp3', 'adts.aac', 'audio.flac', 'pipe.flac'])
    it(`${name} with ID3v1 and APE tags`, async () => {
      assert.equal(await verdictOn(Buffer.concat([fixture(name), id3v1]), 'audio'), 'accepted')
      assert.equal(await verdictOn(Buffer.concat([fixture(name), ape, id3v1]), 'audio'), 'accepted')
    })

  const samples = Buffer.alloc(801, 0x7f)
  for (const [what, content] of Object.entries({
    'of odd length, without the byte that fills it up': wav(samples),
    'of odd length, with that byte': Buffer.concat([wav(samples), Buffer.alloc(1)]),
    'with a length of 0': wav(samples, 0),
    'with a length of 0xffffffff': wav(samples, 0xffffffff),
    'with a length of 0x7ffff000, as sox writes to a pipe': wav(samples, 0x7ffff000),
    'with a tag after the samples': Buffer.concat([wav(samples), Buffer.from('\0id3 \xff\0\0\0', 'latin1')]),
  }))
    it(`a WAV ${what}`, async () => assert.equal(await verdictOn(content, 'audio'), 'accepted'))
})

describe('a file after other bytes', () => {
  it('is rejected: an image after an audio tag or a byte order mark', async () => {
    const tag = Buffer.from('ID3\x03\0\0\0\0\0\x05xxxxx', 'latin1')
    for (const before of [tag, Buffer.from('\ufeff')])
      assert.match(await verdictOn(Buffer.concat([before, png()]), 'image'), /no file of a known type/)
  })

  it('an archive is named, and not opened', async () => {
    const name = 'META-INF/MANIFEST.MF'
    const head = Buffer.alloc(30)
    head.write('PK\x03\x04', 'latin1')
    head[26] = name.length
    const jar = Buffer.concat([head, Buffer.from(name)])
    assert.match(await verdictOn(jar, 'image'), /application\/zip/)
    assert.match(await verdictOn(Buffer.from('1f8b08', 'hex'), 'image'), /application\/gzip/)
  })
})
