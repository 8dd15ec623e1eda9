import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { withExactNumbers } from '../../../src/api/body/json-numbers.ts'
import { createJsonReader } from '../../../src/api/body/json-reader.ts'

const limits = { bytes: 1_000_000, values: 10_000, depth: 64 }

type Extracted = { text: string; ended: boolean }

function createTestReader(changes: Partial<typeof limits> = {}) {
  const extracted: Extracted[] = []
  let reserved = 0
  const reader = createJsonReader({
    limits: { ...limits, ...changes },
    reserve: (bytes) => {
      reserved += bytes
    },
    extract: async (start) => {
      const skip = /^data:[^,]*,/.exec(start)?.[0].length
      if (skip === undefined) return undefined
      const file: Extracted = { text: '', ended: false }
      extracted.push(file)
      return {
        skip,
        file: {
          write: async (text) => {
            file.text += text
          },
          writeBytes: async (piece) => {
            const plain = /^[A-Za-z]*/.exec(piece.toString('latin1'))?.[0] ?? ''
            file.text += plain
            return plain.length
          },
          end: async () => {
            file.ended = true
            return file
          },
          discard: async () => undefined,
        },
      }
    },
  })
  return { ...reader, extracted, reservedBytes: () => reserved }
}

async function read(json: string | Buffer, pieceBytes = 1 << 20, changes: Partial<typeof limits> = {}) {
  const reader = createTestReader(changes)
  const bytes = Buffer.from(json)
  for (let at = 0; at < bytes.length; at += pieceBytes)
    await reader.write(bytes.subarray(at, at + pieceBytes))
  return { value: reader.end(), ...reader }
}

function parsed(text: string): { value: unknown } | undefined {
  try {
    return { value: parse(text) }
  } catch {
    return undefined
  }
}

/** What `JSON.parse` makes of a text, with the numbers that JavaScript cannot hold as they were sent. */
const parse = (text: string) => withExactNumbers(text, JSON.parse(text))

const readOrNothing = (text: string, pieceBytes: number) =>
  read(text, pieceBytes).then(
    ({ value }) => ({ value }),
    () => undefined,
  )

describe('JSON that is read as it arrives', () => {
  it('is parsed like JSON.parse, in chunks of any length', async () => {
    const json = fc.json({ maxDepth: 5 }).filter((text) => !text.includes('__proto__'))
    await fc.assert(
      fc.asyncProperty(json, fc.integer({ min: 1, max: 40 }), async (text, pieceBytes) => {
        assert.deepEqual((await read(text, pieceBytes)).value, parse(text))
      }),
      { numRuns: 300 },
    )
  })

  it('is accepted exactly where JSON.parse accepts it', async () => {
    const token = fc.constantFrom(
      ...[
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '"a"',
        '""',
        '1',
        '-',
        '0',
        '01',
        '1.5e3',
        '.',
        'true',
        'nul',
        'null',
      ],
      ...[' ', '\n', '"\\u00', '41"', '"\\', '\\"', '"\\x"', '"\t"', '\u00a0', '\ufeff', '"😀"', '//'],
    )
    const texts = fc.array(token, { maxLength: 12 }).map((tokens) => tokens.join(''))
    await fc.assert(
      fc.asyncProperty(texts, fc.integer({ min: 1, max: 5 }), async (text, pieceBytes) => {
        const wanted = text.trim() === '' || /^\ufeff|e3\d/.test(text) ? 'either' : parsed(text)
        const parsedText = await readOrNothing(text, pieceBytes)
        if (wanted !== 'either') assert.deepEqual(parsedText, wanted, JSON.stringify(text))
      }),
      { numRuns: 2000 },
    )
  })

  it('can start with a byte order mark, and can be empty', async () => {
    assert.deepEqual((await read('\ufeff{"a":1}')).value, { a: 1 })
    assert.equal((await read(' \n ')).value, undefined)
    assert.equal((await read('')).value, undefined)
  })

  it('has the last value of a duplicate member', async () => {
    assert.deepEqual((await read('{"a":1,"b":2,"a":[3]}')).value, { a: [3], b: 2 })
  })

  it('must be UTF-8', async () => {
    await assert.rejects(read(Buffer.from([0x22, 0xff, 0x22])), { code: 'invalid_json', message: /UTF-8/ })
  })

  it('cannot change a prototype', async () => {
    await assert.rejects(read('{"a":{"__proto__":1}}'), { code: 'invalid_json' })
    await assert.rejects(read('{"\\u005f_proto__":1}'), { code: 'invalid_json' })
  })

  const image = `data:image/png;base64,${'QUJD'.repeat(4000)}`
  const content = 'QUJD'.repeat(4000)

  for (const [where, body] of Object.entries({
    'a field': `{"image":"${image}"}`,
    'another name of it': `{"image_data_url":"${image}"}`,
    'a list': `{"referenceImages":["https://a.example/a.png","${image}"]}`,
    'an object': `{"image":{"url":"${image}"}}`,
    'an object of an object': `{"input_reference":{"image_url":{"url":"${image}"}}}`,
    'an object of a list': `{"image":[{"imageDataUrl":"${image}"}]}`,
    'a list of frames': `{"frameImages":[{"inputImage":"${image}","frame":"last"}]}`,
    'a character': `{"characters":[{"name":"Ann","image":"${image}"}]}`,
    'a character of a story': `{"storyConfig":{"characters":[{"name":"Ann","image":"${image}"}]}}`,
  }))
    it(`has the file in ${where} extracted`, async () => {
      for (const pieceBytes of [97, 4096, 1 << 20]) {
        const { value, extracted } = await read(body, pieceBytes, { bytes: 9000 })
        assert.deepEqual(extracted, [{ text: content, ended: true }])
        const wanted = JSON.parse(body, (_, member: unknown) => (member === image ? extracted[0] : member))
        assert.deepEqual(value, wanted)
      }
    })

  for (const [where, body] of Object.entries({
    'a field that is not media': `{"prompt":"${image}"}`,
    'an unknown field': `{"strange":{"image":"${image}"}}`,
    'a description': `{"image":{"title":"${image}"}}`,
    'a scene': `{"storyConfig":{"scenes":[{"image":"${image}"}]}}`,
    'a key': `{"image":{"${image}":1}}`,
  }))
    it(`keeps a long text in ${where}`, async () => {
      const { value, extracted } = await read(body, 4096)
      assert.deepEqual([value, extracted], [JSON.parse(body), []])
      await assert.rejects(read(body, 4096, { bytes: 9000 }), { code: 'payload_too_large' })
    })

  it('resolves escapes in a file, also across two chunks', async () => {
    const escaped = image.replaceAll('/', '\\/').replaceAll('J', '\\u004a').replace('data:', '\\u0064ata:')
    for (const pieceBytes of [1, 7, 1000]) {
      const { extracted } = await read(`{"image":"${escaped}"}`, pieceBytes)
      assert.equal(extracted[0]?.text, content)
    }
    for (const wrong of ['\\x', '\\u12', '\t', '\\U0041'])
      await assert.rejects(read(`{"image":"${image}${wrong}"}`, 5000), { code: 'invalid_json' })
  })

  it('distinguishes the last backslash of a run from an escape', async () => {
    for (const run of ['\\\\', '\\\\\\"', '\\\\u0041', '\\\\\\u0041'])
      for (const pieceBytes of [8190, 8191, 8192, 8193, 8194, 8195]) {
        const prefix = 'data:,'
        const text = `${'x'.repeat(8192 - 10 - prefix.length)}${run}tail`
        const { extracted } = await read(`{"image":"${prefix}${text}${text}"}`, pieceBytes)
        assert.equal(extracted[0]?.text, JSON.parse(`"${text}${text}"`))
      }
  })

  it('is limited in size, depth and number of values', async () => {
    assert.deepEqual((await read('[1,[2]]', 1, { values: 4, depth: 2, bytes: 7 })).value, [1, [2]])
    await assert.rejects(read('[1,[2]]', 1, { values: 3 }), {
      code: 'invalid_request',
      message: /more than 3 values/,
    })
    await assert.rejects(read('[1,[2]]', 1, { depth: 1 }), {
      code: 'invalid_request',
      message: /than 1 levels/,
    })
    await assert.rejects(read('[1,[2]]', 1, { bytes: 6 }), { code: 'payload_too_large' })
    await assert.rejects(read(`{"image":"${'x'.repeat(2000)}"}`, 1, { bytes: 1024 }), {
      code: 'payload_too_large',
    })
    await assert.rejects(read(`{"a":"${'x'.repeat(2000)}"}`, 1, { bytes: 1024 }), {
      code: 'payload_too_large',
      message:
        'The JSON of the body is larger than 1 kB, not counting files in media fields; the limit was exceeded in `a`',
      param: 'a',
    })
  })

  it('reserves memory only for the parsed value', async () => {
    const { reservedBytes } = await read(`{"image":"${image}","prompt":"${'x'.repeat(100_000)}"}`)
    assert.equal(reservedBytes(), 2 * 64 * 1024)
  })

  it('preserves a number that JavaScript cannot represent', async () => {
    const { value } = await read('{"seed":9007199254740993,"n":5,"x":{"y":1e999}}')
    assert.deepEqual(value, { seed: '9007199254740993', n: 5, x: { y: '1e999' } })
  })
})
