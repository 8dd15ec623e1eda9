import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createDecoder, type Decoded } from '../../src/media/base64.ts'
import { createScratch, type Scratch } from '../../src/media/scratch.ts'
import { createSink } from '../../src/media/sink.ts'
import { createSpool } from '../../src/media/spool.ts'
import { createCleanup, temporaryFolder } from '../setup.ts'

const cleanup = createCleanup()
let dir = ''
let scratch: Scratch
before(async () => {
  dir = join(await temporaryFolder(cleanup), 'scratch')
  scratch = await createScratch(dir)
})
after(() => cleanup.run())

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const files = () => readdir(dir)

async function decode(pieces: readonly string[], limitBytes = 1000): Promise<Decoded> {
  const decoder = await createDecoder(scratch, limitBytes)
  for (const piece of pieces) await decoder.write(piece)
  return decoder.end()
}

async function textOf(decoded: Decoded | undefined): Promise<string> {
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
    it(`of ${text.length} bytes is decoded, in pieces of any length`, async () => {
      for (let size = 1; size <= encoded.length; size++) {
        const pieces = encoded.match(new RegExp(`.{1,${size}}`, 'g')) ?? []
        assert.equal(await textOf(await decode(pieces)), text)
      }
    })
  }

  it('may hold white space, and the characters of URLs', async () => {
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
    it(`with ${what} is refused, and leaves no file`, async () => {
      assert.deepEqual(await decode(pieces, 500), { refused: 'not base64', limitBytes: 500 })
      assert.deepEqual(await files(), [])
    })

  it('whose padding comes in two pieces is decoded', async () => {
    assert.equal(await textOf(await decode(['YQ=', '='])), 'a')
  })

  it('that is cut short, or empty, is refused, and leaves no file', async () => {
    assert.deepEqual(await decode(['aGVsb'], 9), { refused: 'cut short', limitBytes: 9 })
    assert.deepEqual(await decode(['YQ='], 9), { refused: 'cut short', limitBytes: 9 })
    assert.deepEqual(await decode([], 9), { refused: 'empty', limitBytes: 9 })
    assert.deepEqual(await decode([' '], 9), { refused: 'empty', limitBytes: 9 })
    assert.deepEqual(await files(), [])
  })

  it('may decode to exactly the limit, and to no byte more', async () => {
    assert.equal(await textOf(await decode([btoa('12345')], 5)), '12345')
    for (const pieces of [[btoa('123456')], [btoa('123'), btoa('456'), btoa('789')]])
      assert.deepEqual(await decode(pieces, 5), { refused: 'too large', limitBytes: 5 })
    assert.deepEqual(await files(), [])
  })

  it('of a dropped decoder leaves no file', async () => {
    const decoder = await createDecoder(scratch, 100)
    await decoder.write('aGVs')
    await decoder.drop()
    assert.deepEqual(await files(), [])
  })
})

describe('a file that is written piece by piece', () => {
  it('has the hash and the size of all of them, and is for its owner only', async () => {
    const sink = await createSink(scratch, 100)
    await sink.write(Buffer.from('hel'))
    await sink.write(Buffer.from('lo'))
    assert.equal(sink.isTooLarge(), false)
    assert.equal(await textOf(await sink.end()), 'hello')
  })

  it('is gone when it grows past the limit, and what follows is not written', async () => {
    const sink = await createSink(scratch, 3)
    await sink.write(Buffer.from('abc'))
    assert.equal(sink.isTooLarge(), false)
    await sink.write(Buffer.from('d'))
    assert.equal(sink.isTooLarge(), true)
    assert.deepEqual(await files(), [])
    await sink.write(Buffer.from('e'))
    assert.deepEqual(await files(), [])
  })

  it('may be dropped twice, and after its end', async () => {
    const sink = await createSink(scratch, 3)
    await sink.drop()
    await sink.drop()
    const other = await createSink(scratch, 3)
    await other.end()
    await other.drop()
    assert.deepEqual(await files(), [])
  })
})

describe('data URLs of a request that is being read', () => {
  const limits = { image: 5, video: 50, audio: 10 }
  const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'

  async function divert(declared: string, text: string) {
    const spool = createSpool({ scratch, limits })
    const diverted = await spool.divert(declared)
    await diverted.write(text)
    await diverted.end()
    return { spool, standIn: diverted.standIn }
  }

  it('leave a short data URL in their place, with which they are claimed once', async () => {
    const { spool, standIn } = await divert('image/png', btoa('hello'))
    assert.match(standIn, new RegExp(`^data:image/png;spooled=${uuid};base64,AAAA$`))
    assert.equal(spool.peek(standIn), sha256('hello'))
    assert.equal(spool.peek(`${standIn}${'x'.repeat(1000)}`), sha256('hello'))
    assert.equal(await textOf(spool.claim(standIn)), 'hello')
    assert.equal(spool.claim(standIn), undefined)
    assert.equal(spool.peek(standIn), undefined)
  })

  it('are bounded by their declared kind', async () => {
    const { spool, standIn } = await divert('image/png', btoa('123456'))
    assert.deepEqual(spool.claim(standIn), { refused: 'too large', limitBytes: 5 })
    const video = await divert('video/mp4', btoa('123456'))
    assert.equal(await textOf(video.spool.claim(video.standIn)), '123456')
  })

  it('that have not ended are cut short', async () => {
    const spool = createSpool({ scratch, limits })
    const { standIn, end } = await spool.divert('image/png')
    assert.equal(spool.peek(standIn), 'cut short')
    assert.deepEqual(spool.claim(standIn), { refused: 'cut short', limitBytes: 0 })
    await end()
    assert.deepEqual(await files(), [])
  })

  it('that end after they were dropped leave no file', async () => {
    const spool = createSpool({ scratch, limits })
    const { standIn, write, end } = await spool.divert('image/png')
    await write(btoa('hello'))
    await spool.drop([standIn])
    await end()
    assert.deepEqual(await files(), [])
  })

  it('that nobody claimed are removed, and only those', async () => {
    const { spool, standIn } = await divert('image/png', btoa('hello'))
    const other = await spool.divert('image/png')
    await other.write(btoa('other'))
    await other.end()
    await spool.drop([standIn, 'data:image/png;base64,AAAA'])
    assert.equal(await textOf(spool.claim(other.standIn)), 'other')
    assert.deepEqual(await files(), [])
  })

  it('are not found by a text that only looks like a stand-in', async () => {
    const { spool, standIn } = await divert('image/png', btoa('hello'))
    for (const text of [
      `x${standIn}`,
      standIn.replace('image/png', 'image,png'),
      standIn.replace(';base64,', ';base64'),
      standIn.replace('spooled', 'spoiled'),
      'data:image/png;base64,AAAA',
    ])
      assert.equal(spool.peek(text), undefined, text)
    await spool.drop([standIn])
  })

  it('that are at hand are decoded under the same bounds', async () => {
    const spool = createSpool({ scratch, limits })
    assert.equal(await textOf(await spool.decode('image/png', btoa('hello'))), 'hello')
    assert.deepEqual(await spool.decode('image/png', btoa('123456')), { refused: 'too large', limitBytes: 5 })
  })
})

describe('the folder for temporary files', () => {
  it('is readable by its owner only, gives each file its own path, and is made again where it is there', async () => {
    assert.notEqual(scratch.path(), scratch.path())
    assert.match(scratch.path('probe'), /\/probe\.[0-9a-f-]{36}\.part$/)
    assert.match(scratch.path(), /\/file\.[0-9a-f-]{36}\.part$/)
    await createScratch(dir)
  })

  it('lists what is left of a name, and only that', async () => {
    const [own, other] = [scratch.path('job1'), scratch.path('job10')]
    await writeFile(own, '')
    await writeFile(other, '')
    assert.deepEqual(await scratch.left('job1'), [own])
    await rm(own)
    await rm(other)
  })

  it('is swept of what nobody has written to for a while, folders too', async () => {
    const [old, fresh, folder] = [scratch.path('old'), scratch.path('fresh'), scratch.path('folder')]
    await writeFile(old, '')
    await writeFile(fresh, '')
    await mkdir(folder)
    await writeFile(join(folder, 'inside'), '')
    const now = Date.now()
    await utimes(old, now / 1000 - 60, now / 1000 - 60)
    await utimes(folder, now / 1000 - 61, now / 1000 - 61)
    await utimes(fresh, now / 1000 - 59, now / 1000 - 59)
    assert.equal(await scratch.sweep(60_000, now), 2)
    assert.deepEqual(await scratch.left('fresh'), [fresh])
    assert.equal((await files()).length, 1)
    assert.equal(await scratch.sweep(3_600_000), 0)
    await rm(fresh)
  })
})
