import assert from 'node:assert/strict'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { readDataUrlHead } from '../../../src/catalogue/media-values/data-url.ts'
import { createDataUrlDecoder, type DecodedFile } from '../../../src/media/inputs/base64.ts'
import { createUploadBuffer } from '../../../src/media/inputs/upload-buffer.ts'
import { createTempDir, type TempDir } from '../../../src/media/storage/temp-dir.ts'
import { png } from '../../media/files.ts'
import { createCleanup, temporaryFolder } from '../../support/setup.ts'

const cleanup = createCleanup()
let dir = ''
let scratch: TempDir
before(async () => {
  dir = join(await temporaryFolder(cleanup), 'scratch')
  scratch = await createTempDir(dir)
})
after(() => cleanup.run())

const image = png()
const base64 = image.toString('base64')
const percentEncoded = [...image].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')

describe('the head of a data URL', () => {
  const cases: Readonly<Record<string, [number, string, boolean] | undefined>> = {
    'data:image/png;base64,': [22, 'image/png', true],
    'DATA:IMAGE/PNG;BASE64,': [22, 'image/png', true],
    'DaTa:,': [6, 'text/plain', false],
    'data:;base64,': [13, 'text/plain', true],
    'data:;base64,AAAA': [13, 'text/plain', true],
    ' \n data:image/png;base64,': [25, 'image/png', true],
    'data: image/png ; base64 ,': [26, 'image/png', true],
    'data:image/png;\nbase64,': [23, 'image/png', true],
    'data:image/png;name=a.png;charset=utf-8;base64,': [47, 'image/png', true],
    'data:image/png;name="a.png";base64,': [35, 'image/png', true],
    'data:image/png;name="a,b";base64,': [33, 'image/png', true],
    'data:image/png;name="a\\",b";base64,': [35, 'image/png', true],
    'data:image/png;a="b,c";d="e;f,";base64,': [39, 'image/png', true],
    // A quote that is not closed, or does not end a parameter, is none.
    'data:image/png;name="a,b;base64,': [23, 'image/png', false],
    'data:image/svg+xml;x=",<svg a="b">': [23, 'image/svg+xml', false],
    // Only the last word of the declaration says base64.
    'data:image/png;base64;name=a,': [29, 'image/png', false],
    'data:image/png;xbase64,': [23, 'image/png', false],
    'data:base64,': [12, 'text/plain', false],
    'data:image%2Fpng,': [17, 'text/plain', false],
    'data:nonsense;base64,': [21, 'text/plain', true],
    'data:image/png;base64': undefined,
    'data:': undefined,
    'see data:image/png;base64,AAAA': undefined,
    'https://cdn.example/a,b': undefined,
    'a fox runs': undefined,
    '': undefined,
  }
  for (const [text, head] of Object.entries(cases))
    it(JSON.stringify(text), () => {
      const [length, type, isBase64] = head ?? []
      assert.deepEqual(readDataUrlHead(text), head && { length, type, base64: isBase64 })
    })

  it('names the type of the first bytes where none of media is declared', () => {
    const typeOf = (text: string) => readDataUrlHead(text)?.type
    for (const declared of ['', 'text/plain', 'application/octet-stream', 'text/plain;charset=utf-8']) {
      assert.equal(typeOf(`data:${declared};base64,${base64}`), 'image/png')
      assert.equal(typeOf(`data:${declared},${percentEncoded}`), 'image/png')
      assert.equal(typeOf(`data:${declared};base64,${base64.replaceAll('/', '%2F')}`), 'image/png')
    }
    assert.equal(typeOf(`data:video/mp4;base64,${base64}`), 'video/mp4')
  })

  it('names the kind of which the others are a part where the first bytes leave it open', () => {
    const heads = { ogg: 'OggS\0\x02', webm: '\x1a\x45\xdf\xa3', mp4: '\0\0\0\x20ftypisom' }
    for (const bytes of Object.values(heads)) {
      const content = Buffer.from(bytes.padEnd(60, '\0'), 'latin1').toString('base64')
      assert.match(readDataUrlHead(`data:;base64,${content}`)?.type ?? '', /^video\//)
    }
  })

  it('is absent from bare base64 of a media file', () => {
    const bare = { length: 0, type: 'image/png', base64: true }
    assert.deepEqual(readDataUrlHead(base64), bare)
    assert.deepEqual(readDataUrlHead(` ${base64.replace(/.{20}/g, '$&\r\n')}`), bare)
    assert.deepEqual(readDataUrlHead(image.toString('base64url')), bare)
    assert.equal(readDataUrlHead(base64.slice(0, 31)), undefined)
    assert.equal(readDataUrlHead(`${base64.slice(0, 40)}!`), undefined)
    assert.equal(
      readDataUrlHead(Buffer.from('a long text that is no file at all').toString('base64')),
      undefined,
    )
  })

  it('may lack the word base64', () => {
    assert.deepEqual(readDataUrlHead(`data:image/png,${base64}`), {
      length: 15,
      type: 'image/png',
      base64: true,
    })
  })

  it('is looked for in 4096 characters, whatever follows', () => {
    const long = `data:image/png;a=${'x'.repeat(4070)}`
    assert.equal(readDataUrlHead(`${long};base64,`)?.length, 4095)
    assert.equal(readDataUrlHead(`${long}xx;base64,`), undefined)
    const quotes = `data:image/png${';a="b"'.repeat(600)}`
    assert.equal(readDataUrlHead(`${quotes}x`), undefined)
  })
})

async function take(decoded: DecodedFile): Promise<string> {
  if ('problem' in decoded) return decoded.problem
  const content = await readFile(decoded.path)
  await rm(decoded.path)
  return content.toString('hex')
}

/** As a body arrives: in pieces, cut anywhere. */
async function inPieces(text: string, cuts: readonly number[]): Promise<string> {
  const head = readDataUrlHead(text)
  if (head === undefined) return 'no data URL'
  const decoder = await createDataUrlDecoder(scratch, 1_000_000, head)
  const content = text.slice(head.length)
  const ends = [...new Set(cuts.map((cut) => cut % (content.length + 1))), content.length].sort(
    (a, b) => a - b,
  )
  let at = 0
  for (const end of ends) {
    await decoder.write(content.slice(at, end))
    at = end
  }
  return take(await decoder.end())
}

async function atOnce(text: string): Promise<string> {
  const head = readDataUrlHead(text)
  if (head === undefined) return 'no data URL'
  const limits = { image: 1_000_000, video: 1_000_000, audio: 1_000_000 }
  const spool = createUploadBuffer({ tempDir: scratch, limits })
  return take(await spool.decodeDataUrl(head.type, text.slice(head.length), head))
}

/** The "data: URL processor" of the Fetch standard, as Node has it. */
async function byTheStandard(url: string): Promise<string> {
  const reply = await fetch(url).catch(() => undefined)
  const content = Buffer.from((await reply?.arrayBuffer()) ?? new ArrayBuffer(0))
  return reply === undefined ? 'refused' : content.length === 0 ? 'empty' : content.toString('hex')
}

const space = fc.constantFrom('', '', ' ', '\n', '\r\n', '\t', '%20', '%0A')
const declaration = fc.constantFrom(
  '',
  'image/png',
  'text/plain',
  'IMAGE/JPEG',
  'image/png;a=b',
  'x;charset="utf-8"',
)
const cuts = fc.array(fc.nat(2000), { maxLength: 12 })

/** Base64 of any bytes, in any spelling that the standard knows. */
const base64Url = fc
  .record({
    declaration,
    content: fc.uint8Array({ maxLength: 80 }),
    padded: fc.boolean(),
    spaces: fc.array(space, { minLength: 1 }),
    coded: fc.nat(9),
  })
  .map(({ declaration, content, padded, spaces, coded }) => {
    const plain = Buffer.from(content).toString('base64')
    const characters = [...(padded ? plain : plain.replace(/=+$/, ''))].map((character, at) =>
      (at + coded) % 7 === 0 || (coded > 5 && /[+/=]/.test(character))
        ? `%${character.charCodeAt(0).toString(16)}`
        : character,
    )
    return `data:${declaration};base64,${characters.map((one, at) => one + spaces[at % spaces.length]).join('')}`
  })

/** Any content, percent-encoded or not. A NUL is an error in every request; the standard removes it at the end. */
const rawUrl = fc
  .record({
    declaration,
    content: fc.string({ unit: 'binary', maxLength: 60 }),
    suffix: fc.constantFrom('', '%', '%4', '%zz', '#fragment', '  ', '😀', 'é%C3'),
  })
  .map(
    ({ declaration, content, suffix }) =>
      `data:${declaration},${content.replace(/[\0\ud800-\udfff]/g, '')}${suffix}`,
  )

/** Broken or strange base64. */
const anyBase64 = fc
  .string({
    unit: fc.constantFrom('A', 'b', '0', '+', '/', '=', '=', '%', '3', 'D', ' ', '$'),
    maxLength: 14,
  })
  .map((content) => `data:;base64,${content}`)

describe('a data URL', () => {
  it('means the same cut into any pieces, and what the Fetch standard says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(base64Url, rawUrl, anyBase64), cuts, async (url, cuts) => {
        const whole = await atOnce(url)
        assert.equal(await inPieces(url, cuts), whole)
        const standard = await byTheStandard(url)
        const refusals = ['not base64', 'cut short']
        assert.equal(refusals.includes(whole) ? 'refused' : whole, standard, url)
      }),
      { numRuns: 600, examples: [['data:;base64,AA% 3D=', []]] },
    )
    assert.deepEqual(await readdir(dir), [])
  })

  it('may have base64 for URLs, which the standard does not know', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 60 }), cuts, async (bytes, cuts) => {
        const content = Buffer.from(bytes)
        const url = `data:image/png;base64,${content.toString('base64url')}`
        assert.equal(await atOnce(url), content.toString('hex'))
        assert.equal(await inPieces(url, cuts), content.toString('hex'))
      }),
      { numRuns: 200 },
    )
  })

  it('that is refused leaves no file, whichever way its content is encoded', async () => {
    for (const [text, limitBytes, encoding] of [
      ['$$$$', 100, { base64: true }],
      ['AAAAA', 100, { base64: true }],
      ['AAAAAAAA', 4, { base64: true }],
      ['', 100, { base64: false }],
      ['abcdefgh', 4, { base64: false }],
    ] as const) {
      const decoder = await createDataUrlDecoder(scratch, limitBytes, encoding)
      for (const piece of text) await decoder.write(piece)
      assert.ok('problem' in (await decoder.end()), text)
      assert.deepEqual(await readdir(dir), [])
    }
  })
})
