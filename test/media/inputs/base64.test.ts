import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { isUploadedFile, uploadReferenceOf } from '../../../src/catalogue/media-values/uploaded-file.ts'
import { createDataUrlDecoder, type DecodedFile } from '../../../src/media/inputs/base64.ts'
import { createUploadBuffer } from '../../../src/media/inputs/upload-buffer.ts'
import { createTempDir, type TempDir } from '../../../src/media/storage/temp-dir.ts'
import { createTempFileWriter } from '../../../src/media/storage/temp-file-writer.ts'
import { createCleanup, temporaryFolder } from '../../support/setup.ts'
import { png } from '../files.ts'

const cleanup = createCleanup()
let dir = ''
let tempDir: TempDir
before(async () => {
  dir = join(await temporaryFolder(cleanup), 'scratch')
  tempDir = await createTempDir(dir)
})
after(() => cleanup.run())

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const files = () => readdir(dir)

async function decode(pieces: readonly string[], limitBytes = 1000): Promise<DecodedFile> {
  const decoder = await createDataUrlDecoder(tempDir, limitBytes)
  for (const piece of pieces) await decoder.write(piece)
  return decoder.end()
}

async function textOf(decoded: DecodedFile | undefined): Promise<string> {
  assert.ok(decoded && 'path' in decoded, JSON.stringify(decoded))
  const text = await readFile(decoded.path, 'utf8')
  assert.equal(decoded.hash, sha256(text))
  assert.equal(decoded.bytes, text.length)
  await rm(decoded.path)
  return text
}

describe('base64', () => {
  for (const text of ['a', 'ab', 'abc', 'abcd', 'abcdefghij']) {
    const encoded = btoa(text)
    it(`of ${text.length} bytes is decoded, in chunks of any length`, async () => {
      for (let size = 1; size <= encoded.length; size++) {
        const pieces = encoded.match(new RegExp(`.{1,${size}}`, 'g')) ?? []
        assert.equal(await textOf(await decode(pieces)), text)
      }
    })
  }

  it('is decoded from bytes and from strings, in chunks of any length', async () => {
    const content = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
    const text = content.toString('base64')
    for (const encoded of [
      text,
      text.replaceAll('+', '-').replaceAll('/', '_'),
      text.replace(/.{19}/g, '$& '),
    ])
      for (let size = 1; size <= 40; size++) {
        const decoder = await createDataUrlDecoder(tempDir, 1000)
        for (let at = 0; at < encoded.length; at += size) {
          const piece = Buffer.from(encoded.slice(at, at + size))
          const taken = await decoder.writeBytes(piece)
          if (taken < piece.length) await decoder.write(piece.toString('latin1', taken))
        }
        const decoded = await decoder.end()
        assert.ok('path' in decoded, JSON.stringify([encoded, size]))
        assert.deepEqual(await readFile(decoded.path), content)
        await rm(decoded.path)
      }
  })

  it('can contain white space, and URL-safe characters', async () => {
    assert.equal(await textOf(await decode(['aGVs\r\n', ' bG8', '= \n'])), 'hello')
    assert.equal(await textOf(await decode(['Pz8_', 'Pj4-'])), '???>>>')
  })

  for (const [what, pieces] of Object.entries({
    'a character that is none': ['aGV$bG8='],
    'a character before a good piece': ['$', 'aGVs'],
    'text after the padding': ['aGVsbG8=', 'aGVs'],
    'text after the padding, in one piece': ['aGVsbG8=aGVs'],
    'three equal signs': ['a==='],
    'an equal sign too many, later': ['aGVsbG8=', '=='],
  }))
    it(`with ${what} is rejected, and leaves no file`, async () => {
      assert.deepEqual(await decode(pieces, 500), { problem: 'not base64', limitBytes: 500 })
      assert.deepEqual(await files(), [])
    })

  it('with padding in two chunks is decoded', async () => {
    assert.equal(await textOf(await decode(['YQ=', '='])), 'a')
  })

  it('that is truncated or empty is rejected, and leaves no file', async () => {
    assert.deepEqual(await decode(['aGVsb'], 9), { problem: 'cut short', limitBytes: 9 })
    assert.deepEqual(await decode(['YQ='], 9), { problem: 'cut short', limitBytes: 9 })
    assert.deepEqual(await decode([], 9), { problem: 'empty', limitBytes: 9 })
    assert.deepEqual(await decode([' '], 9), { problem: 'empty', limitBytes: 9 })
    assert.deepEqual(await files(), [])
  })

  it('can decode to exactly the limit, and not to one byte more', async () => {
    assert.equal(await textOf(await decode([btoa('12345')], 5)), '12345')
    for (const pieces of [[btoa('123456')], [btoa('123'), btoa('456'), btoa('789')]])
      assert.deepEqual(await decode(pieces, 5), { problem: 'too large', limitBytes: 5 })
    assert.deepEqual(await files(), [])
  })

  it('of a discarded decoder leaves no file', async () => {
    const decoder = await createDataUrlDecoder(tempDir, 100)
    await decoder.write('aGVs')
    await decoder.discard()
    assert.deepEqual(await files(), [])
  })
})

describe('a file that is written in chunks', () => {
  it('has the hash and the size of all chunks, and is readable by its owner only', async () => {
    const writer = await createTempFileWriter(tempDir, 100)
    await writer.write(Buffer.from('hel'))
    await writer.write(Buffer.from('lo'))
    assert.equal(writer.isTooLarge(), false)
    assert.equal(await textOf(await writer.end()), 'hello')
  })

  it('is removed when it grows past the limit, and later chunks are not written', async () => {
    const writer = await createTempFileWriter(tempDir, 3)
    await writer.write(Buffer.from('abc'))
    assert.equal(writer.isTooLarge(), false)
    await writer.write(Buffer.from('d'))
    assert.equal(writer.isTooLarge(), true)
    assert.deepEqual(await files(), [])
    await writer.write(Buffer.from('e'))
    assert.deepEqual(await files(), [])
  })

  it('can be discarded twice, and after its end', async () => {
    const writer = await createTempFileWriter(tempDir, 3)
    await writer.discard()
    await writer.discard()
    const other = await createTempFileWriter(tempDir, 3)
    await other.end()
    await other.discard()
    assert.deepEqual(await files(), [])
  })
})

describe('files of a request during parsing', () => {
  const limits = { image: 5, video: 50, audio: 10 }

  async function extract(declared: string, text: string) {
    const uploadBuffer = createUploadBuffer({ tempDir, limits })
    const upload = await uploadBuffer.receiveDataUrl(declared)
    await upload.write(text)
    return { uploadBuffer, file: await upload.end() }
  }

  it('are claimed once, directly or by reference', async () => {
    const { uploadBuffer, file } = await extract('image/png', btoa('hello'))
    assert.equal(file.type, 'image/png')
    assert.equal(uploadBuffer.fingerprintOf(file), sha256('hello'))
    assert.equal(await textOf(uploadBuffer.claim(uploadReferenceOf(file))), 'hello')
    assert.equal(uploadBuffer.claim(file), undefined)
    assert.equal(uploadBuffer.fingerprintOf(file), undefined)
  })

  it('are limited by their declared kind', async () => {
    const { uploadBuffer, file } = await extract('image/png', btoa('123456'))
    assert.deepEqual(uploadBuffer.claim(file), { problem: 'too large', limitBytes: 5 })
    const video = await extract('video/mp4', btoa('123456'))
    assert.equal(await textOf(video.uploadBuffer.claim(video.file)), '123456')
  })

  it('can arrive as bytes', async () => {
    const uploadBuffer = createUploadBuffer({ tempDir, limits })
    for (const [text, refused] of [
      ['hello', undefined],
      ['', 'empty'],
      ['123456', 'too large'],
    ] as const) {
      const upload = await uploadBuffer.receiveFile('image/png')
      await upload.write(Buffer.from(text))
      const found = uploadBuffer.claim(await upload.end())
      if (refused === undefined) assert.equal(await textOf(found), text)
      else assert.deepEqual(found, { problem: refused, limitBytes: 5 })
    }
    assert.deepEqual(await files(), [])
  })

  it('have the type of their bytes if the client declared none', async () => {
    for (const declared of ['', 'text/plain', 'application/octet-stream']) {
      const uploadBuffer = createUploadBuffer({ tempDir, limits: { ...limits, video: 1000 } })
      const upload = await uploadBuffer.receiveFile(declared)
      await upload.write(png())
      const file = await upload.end()
      assert.equal(file.type, 'image/png')
      await uploadBuffer.discard([file])
    }
  })

  it('are removed if they are not claimed', async () => {
    const { uploadBuffer, file } = await extract('image/png', btoa('hello'))
    const other = await uploadBuffer.receiveDataUrl('image/png')
    await other.write(btoa('other'))
    const upload = await other.end()
    await uploadBuffer.discard([file])
    assert.equal(await textOf(uploadBuffer.claim(upload)), 'other')
    assert.deepEqual(await files(), [])
  })

  it('that are discarded during the upload leave nothing', async () => {
    const uploadBuffer = createUploadBuffer({ tempDir, limits })
    for (const upload of [
      await uploadBuffer.receiveDataUrl('image/png'),
      await uploadBuffer.receiveFile('image/png'),
    ])
      await upload.discard()
    assert.deepEqual(await files(), [])
  })

  it('are only accepted from this buffer', async () => {
    const { uploadBuffer, file } = await extract('image/png', btoa('hello'))
    assert.equal(isUploadedFile(file), true)
    for (const forged of [{ type: 'image/png' }, { ...file }, uploadReferenceOf(file), null, undefined])
      assert.equal(isUploadedFile(forged), false)
    assert.equal(JSON.stringify({ file }), '{"file":"uploaded file"}')
    await uploadBuffer.discard([file])
  })

  it('that are already in memory are decoded with the same limits', async () => {
    const uploadBuffer = createUploadBuffer({ tempDir, limits })
    assert.equal(await textOf(await uploadBuffer.decodeDataUrl('image/png', btoa('hello'))), 'hello')
    assert.deepEqual(await uploadBuffer.decodeDataUrl('image/png', btoa('123456')), {
      problem: 'too large',
      limitBytes: 5,
    })
  })
})

describe('the folder for temporary files', () => {
  it('is readable by its owner only, gives each file its own path, and can already exist', async () => {
    assert.notEqual(tempDir.createPath(), tempDir.createPath())
    assert.match(tempDir.createPath('probe'), /\/probe\.[0-9a-f-]{36}\.part$/)
    assert.match(tempDir.createPath(), /\/file\.[0-9a-f-]{36}\.part$/)
    await createTempDir(dir)
  })

  it('lists the files of one name only', async () => {
    const [own, other] = [tempDir.createPath('job1'), tempDir.createPath('job10')]
    await writeFile(own, '')
    await writeFile(other, '')
    assert.deepEqual(await tempDir.findByName('job1'), [own])
    await rm(own)
    await rm(other)
  })

  it('is cleaned of files and folders without recent writes', async () => {
    const [old, fresh, folder] = [
      tempDir.createPath('old'),
      tempDir.createPath('fresh'),
      tempDir.createPath('folder'),
    ]
    await writeFile(old, '')
    await writeFile(fresh, '')
    await mkdir(folder)
    await writeFile(join(folder, 'inside'), '')
    const now = Date.now()
    await utimes(old, now / 1000 - 60, now / 1000 - 60)
    await utimes(folder, now / 1000 - 61, now / 1000 - 61)
    await utimes(fresh, now / 1000 - 59, now / 1000 - 59)
    assert.equal(await tempDir.removeIdle(60_000, now), 2)
    assert.deepEqual(await tempDir.findByName('fresh'), [fresh])
    assert.equal((await files()).length, 1)
    assert.equal(await tempDir.removeIdle(3_600_000), 0)
    await rm(fresh)
  })
})
