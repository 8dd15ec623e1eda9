import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { dataUrl, png, video } from '../media/files.ts'

/** `{job}`, `{attachment}`, `{account}` and `{key}` in a path or a raw request stand for those of the caller. */
export type HostileInput = {
  name: string
  as?: 'caller' | 'operator' | 'nobody'
  method?: string
  path?: string
  headers?: Readonly<Record<string, string>>
  body?: string | Buffer
  /** The whole request as it is sent, instead of the above. */
  raw?: string | Buffer
  /** `closed`: the connection ends without a reply. */
  status: number | 'closed'
  code?: string
  param?: string
}

type Expected = Pick<HostileInput, 'status' | 'code' | 'param'>

const submitPath = '/api/generate-video'
const boundary = 'a-boundary'

/** How each kind of refusal looks; `param` where one is known. */
const accepted: Expected = { status: 202 }
const invalid = (param?: string): Expected => refused(400, 'invalid_parameter_value', param)
const missing = (param: string): Expected => refused(400, 'missing_required_parameter', param)
const noJson: Expected = { status: 400, code: 'invalid_json' }
const badRequest: Expected = { status: 400, code: 'invalid_request' }
const notFound: Expected = { status: 404, code: 'not_found' }
const wrongType: Expected = { status: 415, code: 'unsupported_media_type' }
function refused(status: number, code: string, param?: string): Expected {
  return { status, code, ...(param !== undefined && { param }) }
}

const job = { model: 'minimax-video', prompt: 'a paper boat' }
const withImage = (image: unknown) => ({ model: 'sora-2', prompt: 'a paper boat', image })

/** A submit of this body: bytes or text as they are, anything else as JSON. */
function submit(
  name: string,
  body: unknown,
  expected: Expected,
  more: Partial<HostileInput> = {},
): HostileInput {
  const isReady = typeof body === 'string' || Buffer.isBuffer(body)
  return { name, body: isReady ? body : JSON.stringify(body), ...expected, ...more }
}

function get(name: string, path: string, expected: Expected, more: Partial<HostileInput> = {}): HostileInput {
  return { name, method: 'GET', path, ...expected, ...more }
}

/** What the submit of a valid body is answered with one field more. */
function field(name: string, fields: Record<string, unknown>, expected: Expected): HostileInput {
  return submit(name, { ...job, ...fields }, expected)
}

const storyOf = (image: unknown) => ({
  model: 'longstories-movie',
  prompt: 'x',
  storyConfig: { characters: [{ name: 'a', image }] },
})

type Part = readonly [name: string, value: string | Buffer, filename?: string | undefined, type?: string]

function formOf(entries: readonly (Part | Buffer)[]): Buffer {
  const pieces = entries.map((part) => {
    if (Buffer.isBuffer(part)) return part
    const [name, value, filename, type] = part
    const file = filename === undefined ? '' : `; filename="${filename}"`
    const typed = type === undefined ? '' : `Content-Type: ${type}\r\n`
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n${typed}\r\n`
    return Buffer.concat([Buffer.from(head), Buffer.from(value), Buffer.from('\r\n')])
  })
  return Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)])
}

const rawPart = (head: string, value = 'x') => Buffer.from(`--${boundary}\r\n${head}\r\n\r\n${value}\r\n`)
const formHeaders = { 'content-type': `multipart/form-data; boundary=${boundary}` }

function form(name: string, entries: readonly (Part | Buffer)[] | Buffer, expected: Expected): HostileInput {
  const body = Buffer.isBuffer(entries) ? entries : formOf(entries)
  return { name, path: '/v1/videos', headers: formHeaders, body, ...expected }
}

function library(
  name: string,
  entries: readonly (Part | Buffer)[] | Buffer,
  expected: Expected,
): HostileInput {
  return { ...form(name, entries, expected), path: '/api/library' }
}

/** A raw request; what it should have had and the test does not care for comes with it. */
function raw(name: string, lines: readonly string[], expected: Expected, body = ''): HostileInput {
  return { name, raw: Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1'), ...expected }
}
const rawJson = JSON.stringify(job)
const rawHead = (...more: string[]) => [
  `POST ${submitPath} HTTP/1.1`,
  'Host: gateway',
  'X-API-Key: {key}',
  'Content-Type: application/json',
  ...more,
]

const pixel = png()
const fixture = (name: string) => readFileSync(new URL(`../media/fixtures/${name}`, import.meta.url))
const base64 = pixel.toString('base64')
const large = png({ padding: 90_000 })
const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
const bytes = (...entries: readonly (string | readonly number[])[]) =>
  Buffer.concat(entries.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))))
const lone = '\ud800'

// Bodies that are no JSON, or no text.
const json: readonly HostileInput[] = [
  submit('no body', '', missing('model')),
  submit('spaces alone', ' \r\n\t ', missing('model')),
  submit('an empty object', {}, missing('model')),
  submit('null', 'null', missing('model')),
  submit('an array', [job], invalid()),
  submit('a number', '1', invalid()),
  submit('a text', '"minimax-video"', invalid()),
  submit('true', 'true', invalid()),
  submit('an open object', '{"model":"minimax-video"', noJson),
  submit('a closing brace too many', `${rawJson}}`, noJson),
  submit('two values', `${rawJson}${rawJson}`, noJson),
  submit('a trailing comma', '{"model":"minimax-video",}', noJson),
  submit('a comment', `/* */${rawJson}`, noJson),
  submit('single quotes', "{'model':'minimax-video'}", noJson),
  submit('a key without quotes', '{model:"minimax-video"}', noJson),
  submit('NaN', '{"model":"minimax-video","seed":NaN}', noJson),
  submit('Infinity', '{"model":"minimax-video","seed":-Infinity}', noJson),
  submit('a hexadecimal number', '{"model":"minimax-video","seed":0x10}', noJson),
  submit('a leading zero', '{"model":"minimax-video","seed":01}', noJson),
  submit('a plus', '{"model":"minimax-video","seed":+1}', noJson),
  submit('a line end in a text', '{"model":"minimax-video","prompt":"a\nb"}', noJson),
  submit('a NUL byte in a text', '{"model":"minimax-video","prompt":"a\0b"}', noJson),
  submit('a NUL byte at the end', `${rawJson}\0`, noJson),
  submit('half an escape', '{"model":"minimax-video","prompt":"\\u12"}', noJson),
  submit('an unknown escape', '{"model":"minimax-video","prompt":"\\x41"}', noJson),
  submit('invalid UTF-8', bytes('{"model":"minimax-video","prompt":"', [0xff], '"}'), noJson),
  submit('overlong UTF-8', bytes('{"model":"minimax-video","prompt":"', [0xc0, 0x80], '"}'), noJson),
  submit(
    'a surrogate in UTF-8',
    bytes('{"model":"minimax-video","prompt":"', [0xed, 0xa0, 0x80], '"}'),
    noJson,
  ),
  submit(
    'UTF-8 that is cut short',
    bytes('{"model":"minimax-video","prompt":"', [0xf0, 0x9f, 0x98], '"}'),
    noJson,
  ),
  submit('Latin-1', Buffer.from('{"model":"minimax-video","prompt":"ein Schl\u00fcssel"}', 'latin1'), noJson),
  submit('UTF-16', Buffer.from(`\ufeff${rawJson}`, 'utf16le'), noJson),
  submit('UTF-16 without a mark', Buffer.from(rawJson, 'utf16le'), noJson),
  submit('invalid UTF-8 in a large body', bytes(`{"x":"${'x'.repeat(70_000)}`, [0xff], '"}'), noJson),
  submit('`__proto__`', '{"model":"minimax-video","prompt":"x","__proto__":{"a":1}}', noJson),
  submit('`__proto__`, escaped', '{"model":"minimax-video","prompt":"x","\\u005f_proto__":{"a":1}}', noJson),
  submit('`__proto__` inside', '{"model":"minimax-video","prompt":"x","a":[{"__proto__":1}]}', noJson),
  submit('`constructor.prototype`', '{"model":"minimax-video","constructor":{"prototype":{"a":1}}}', noJson),
  submit('`__proto__` in a large body', `{"x":"${'x'.repeat(70_000)}","__proto__":{}}`, noJson),
  submit('65 levels', `{"a":${nested(64)}}`, badRequest),
  submit('30,000 levels', `{"a":${nested(30_000)}}`, badRequest),
  submit('100,000 levels, never closed', '['.repeat(100_000), badRequest),
  submit('10,001 values', { a: Array(10_001).fill(0) }, badRequest),
  submit('100,000 keys', `{"a":1${',"kx":1'.repeat(100_000)}}`, badRequest),
  submit('a text of 1.1 MB', { ...job, x: 'x'.repeat(1_100_000) }, refused(413, 'payload_too_large', 'x')),
  submit('a prompt of 1.1 MB', { ...job, prompt: 'x'.repeat(1_100_000) }, refused(413, 'payload_too_large')),
  submit('a key of 1.1 MB', { [`k${'x'.repeat(1_100_000)}`]: 1 }, refused(413, 'payload_too_large')),
  submit('1.1 MB of spaces', `${rawJson}${' '.repeat(1_100_000)}`, refused(413, 'payload_too_large')),
]

// Content types and encodings.
const types: readonly HostileInput[] = [
  submit('gzip', gzipSync(rawJson), wrongType, { headers: { 'content-encoding': 'gzip' } }),
  submit('br', rawJson, wrongType, { headers: { 'content-encoding': 'br' } }),
  submit('two encodings', rawJson, wrongType, { headers: { 'content-encoding': 'identity, gzip' } }),
  submit('XML', '<job/>', wrongType, { headers: { 'content-type': 'application/xml' } }),
  submit('a form in a URL', 'model=sora-2&prompt=x', wrongType, {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  }),
  submit('a form', formOf([['model', 'sora-2']]), wrongType, { headers: formHeaders }),
  submit(
    'bytes',
    Buffer.from([0, 1, 2, 255]),
    { status: 400 },
    {
      headers: { 'content-type': 'application/octet-stream' },
    },
  ),
  {
    ...form('a compressed form', gzipSync(formOf([['model', 'sora-2']])), wrongType),
    headers: { ...formHeaders, 'content-encoding': 'gzip' },
  },
  {
    ...library('a compressed form for the library', gzipSync(formOf([['file', pixel, 'a.png']])), wrongType),
    headers: { ...formHeaders, 'content-encoding': 'gzip' },
  },
]

// NUL and lone surrogates where they are part of a name, and not of prose.
const characters: readonly HostileInput[] = [
  field('a lone surrogate in an ID', { conversationUUID: `a${lone}` }, invalid('conversationUUID')),
  field('a NUL in an ID', { conversationUUID: 'a\0' }, invalid('conversationUUID')),
  submit('a lone surrogate in the model', { ...job, model: `minimax-video${lone}` }, invalid('model')),
  submit('a NUL in the model', { ...job, model: 'minimax-video\0' }, invalid('model')),
  submit('a lone surrogate in a link', withImage(`https://a.example/${lone}.png`), invalid('image')),
  submit('a NUL in a link', withImage('https://a.example/\0.png'), invalid('image')),
  submit(
    'a lone surrogate in a link in a list',
    {
      model: 'runwayml-gen4-aleph',
      prompt: 'x',
      video: 'https://a.example/a.mp4',
      referenceImages: [`https://a.example/${lone}`],
    },
    invalid('referenceImages'),
  ),
  submit(
    'a lone surrogate in a link in an object',
    withImage({ url: `https://a.example/${lone}` }),
    invalid('image'),
  ),
  field('a lone surrogate in a webhook', { webhookUrl: `https://a.example/${lone}` }, invalid('webhookUrl')),
  field('a lone surrogate in a resolution', { resolution: `720p${lone}` }, invalid('resolution')),
  field('a lone surrogate in an unknown field', { note: lone }, invalid('note')),
  field('a NUL in an unknown field', { note: { deep: ['\0'] } }, invalid('note')),
  field('a lone surrogate in a key', { [`a${lone}`]: 1 }, invalid()),
  field('a NUL in a key', { 'a\0b': 1 }, invalid()),
  field('a lone surrogate in a key inside', { x: { [lone]: 1 } }, invalid('x')),
  field('the second half first', { conversationUUID: '\udc00\ud800' }, invalid('conversationUUID')),
  submit('a lone surrogate after 70 kB', `{"x":"${'x'.repeat(70_000)}","note":"\\ud800"}`, invalid('note')),
  get('a NUL in a query', '/api/video/status?requestId=vid_%00', invalid('requestId')),
  get('a NUL in a name of a query', '/api/video/status?a%00=1', invalid()),
  get('a surrogate in a query', '/api/video/status?requestId=%ED%A0%80', invalid('requestId')),
  get('a surrogate in a query of the list', '/v1/videos?after=%ED%A0%80', invalid('after')),
  get('half an escape in a query', '/api/video/status?requestId=%E0%A4%A', invalid('requestId')),
  get('a NUL in a path', '/api/jobs/vid_%00', notFound),
  get('a surrogate in a path', '/api/jobs/%ED%A0%80', { status: 400 }),
  get('half an escape in a path', '/api/jobs/%E0%A4%A', { status: 400 }),
]

// Numbers and values that no model takes. What is merely out of range becomes the closest value (see the valid ones).
const strict = { prefer: 'handling=strict' }
const values: readonly HostileInput[] = [
  submit('an unknown model', { ...job, model: 'no-model' }, refused(404, 'model_not_found', 'model')),
  submit(
    'a model of the prototype',
    { ...job, model: '__proto__' },
    refused(404, 'model_not_found', 'model'),
  ),
  submit(
    'a model called constructor',
    { ...job, model: 'constructor' },
    refused(404, 'model_not_found', 'model'),
  ),
  submit(
    'a model of 300 kB',
    { ...job, model: 'm'.repeat(300_000) },
    refused(404, 'model_not_found', 'model'),
  ),
  submit('a model that is an object', { ...job, model: { id: 'minimax-video' } }, missing('model')),
  submit('no prompt', { model: 'minimax-video' }, missing('prompt')),
  submit('an empty prompt', { ...job, prompt: ' \n ' }, missing('prompt')),
  submit('a prompt of NUL alone', { ...job, prompt: '\0\0' }, missing('prompt')),
  submit('a prompt of lone surrogates alone', { ...job, prompt: lone }, missing('prompt')),
  submit('a prompt that is an object', { ...job, prompt: { a: 1 } }, invalid('prompt')),
  submit('a prompt that is a list', { ...job, prompt: ['a', 'b'] }, invalid('prompt')),
  submit('a prompt of 20,001 characters', { model: 'sora-2', prompt: 'x'.repeat(20_001) }, invalid('prompt')),
  submit('a prompt of 20,001 emoji', { model: 'sora-2', prompt: '🚣'.repeat(20_001) }, invalid('prompt')),
  submit(
    'an ID of 257 characters',
    { ...job, conversationUUID: 'x'.repeat(257) },
    invalid('conversationUUID'),
  ),
  submit('an ID of 257 emoji', { ...job, conversationUUID: '🚣'.repeat(257) }, invalid('conversationUUID')),
  submit('a duration beyond the range, strictly', { ...job, duration: 999 }, invalid('duration'), {
    headers: strict,
  }),
  submit(
    'a duration of 1e400, strictly',
    `{"model":"sora-2","prompt":"x","duration":1e400}`,
    invalid('duration'),
    { headers: strict },
  ),
  submit('a NUL in a prompt, strictly', { ...job, prompt: 'a\0b' }, invalid('prompt'), { headers: strict }),
  submit(
    'an image that no model reads, strictly',
    { ...job, video: 'https://a.example/a.mp4' },
    invalid('video'),
    { headers: strict },
  ),
]

// Links.
const links: readonly HostileInput[] = [
  ...[
    'javascript:alert(1)',
    'file:///etc/passwd',
    'ftp://a.example/a.png',
    'gopher://a.example/',
    'blob:https://a.example/1',
    'ws://a.example/a.png',
    '//a.example/a.png',
    '/etc/passwd',
    'a.png',
    'https:',
    'https://',
    'http:///a.png',
    'https:/a.example/a.png',
    'https://a b.example/',
    'https://a.example/a b.png',
    'https://a.example/\r\nX-Injected: 1',
    'https://[::1/',
    'https://a.example:99999/a.png',
    'stored:0000000000000000000000000000000000000000000000000000000000000000:1:image/png',
    'upload:1',
    'result:vid.mp4',
    'attachment:../../etc/passwd',
    'attachment:',
    `attachment:${'a'.repeat(65)}`,
    'attachment:nobody_has_this',
  ].map((link) =>
    submit(`the image ${JSON.stringify(link.slice(0, 60))}`, withImage(link), invalid('image')),
  ),
  submit('a link of 8193 bytes', withImage(`https://a.example/${'x'.repeat(8175)}`), invalid('image')),
  submit(
    'a link of 8193 bytes in two-byte characters',
    withImage(`https://a.example/${'ü'.repeat(4088)}`),
    invalid('image'),
  ),
  submit('a link of 900 kB', withImage(`https://a.example/${'x'.repeat(900_000)}`), invalid('image')),
  submit('a number', withImage(5), invalid('image')),
  submit('a list of lists', withImage([['https://a.example/a.png']]), invalid('image')),
  submit('an object without a link', withImage({ a: 1 }), invalid('image')),
  submit(
    '101 links',
    {
      model: 'runwayml-gen4-aleph',
      prompt: 'x',
      video: 'https://a.example/a.mp4',
      referenceImages: Array(101).fill('https://a.example/a.png'),
    },
    invalid('referenceImages'),
    { headers: strict },
  ),
]

// Data URLs that are broken, and media that is not what it should be.
const media: readonly HostileInput[] = [
  ...Object.entries({
    'no content': 'data:image/png;base64,',
    'no comma': `data:image/png;base64${base64}`,
    'characters that are not base64': 'data:image/png;base64,iVBORw0KGgo*****',
    'base64 of one character too many': `data:image/png;base64,${base64.slice(0, 9)}`,
    'padding in the middle': `data:image/png;base64,${base64.slice(0, 20)}==${base64.slice(20)}`,
    'three signs of padding': 'data:image/png;base64,iVBO===',
    'text as an image': dataUrl('image/png', Buffer.from('this is no image')),
    'HTML as an image': dataUrl('image/png', Buffer.from('<html><script>alert(1)</script></html>')),
    SVG: dataUrl('image/svg+xml', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')),
    'SVG, percent-encoded': 'data:image/svg+xml,%3Csvg%20xmlns=%22http://www.w3.org/2000/svg%22/%3E',
    'a PDF': dataUrl('application/pdf', Buffer.from('%PDF-1.7\n%âãÏÓ\n')),
    'a ZIP': dataUrl('image/png', Buffer.from('PK\x03\x04 and so on, and so on')),
    'a program': dataUrl('image/png', Buffer.from('\x7fELF\x02\x01\x01 and so on, and so on', 'latin1')),
    'a video as an image': dataUrl('image/png', video),
    'a video declared as such': dataUrl('video/mp4', video),
    'sound as an image': dataUrl('image/png', fixture('cbr.mp3')),
    'a media type of text': dataUrl('text/html', Buffer.from('<b>x</b>')),
    'an image of 0 x 0': dataUrl('image/png', png({ width: 0, height: 0 })),
    'a signature alone': dataUrl('image/png', pixel.subarray(0, 8)),
    'a large text as an image': dataUrl('image/png', Buffer.alloc(90_000, 'no image ')),
    'a large image of other bytes at its end': `data:image/png;base64,${large.toString('base64')}*`,
    'bare base64 of text': Buffer.from('this is just a text, and it is long enough').toString('base64'),
  }).map(([name, image]) => submit(name, withImage(image), invalid('image'))),
  ...[
    'baseline.jpg',
    'progressive.jpg',
    'interlaced.gif',
    'image.avif',
    'lossy.webp',
    'image.heic',
    'animated.png',
  ].flatMap((name) => {
    const whole = fixture(name)
    return [0.5, 0.9].map((part) =>
      submit(
        `${name} cut at ${part}`,
        withImage(dataUrl('image/png', whole.subarray(0, Math.floor(whole.length * part)))),
        invalid('image'),
      ),
    )
  }),
  submit(
    'an image of 30,000 x 30,000',
    withImage(dataUrl('image/png', png({ width: 30_000, height: 30_000 }))),
    refused(413, 'payload_too_large', 'image'),
  ),
  ...(['small', 'large'] as const).flatMap((size) => {
    const content = (size === 'small' ? pixel : large).toString('base64')
    const refusals: Readonly<Record<string, string>> = {
      'with a NUL at its end': `data:image/png;base64,${content}\0`,
      'with a NUL ahead of it': `\0data:image/png;base64,${content}`,
      'with a NUL in its head': `data:image/png;name=\0;base64,${content}`,
      'with a lone surrogate in its head': `data:image/png;name=${lone};base64,${content}`,
      'declared as a video': `data:video/mp4;base64,${content}`,
    }
    return Object.entries(refusals).flatMap(([name, image]) => [
      submit(`a ${size} image ${name}`, withImage(image), invalid('image')),
      submit(`a ${size} image of a character, ${name}`, storyOf(image), invalid()),
    ])
  }),
  submit('a PNG that is cut short', withImage(dataUrl('image/png', pixel.subarray(0, -5))), invalid('image')),
  submit(
    'a large PNG that is cut short',
    withImage(dataUrl('image/png', large.subarray(0, -5))),
    invalid('image'),
  ),
]

// Forms of the OpenAI API.
const model: Part = ['model', 'sora-2']
const prompt: Part = ['prompt', 'a paper boat']
const forms: readonly HostileInput[] = [
  form('`model` twice', [model, model, prompt], invalid('model')),
  form('`prompt` twice', [model, prompt, prompt], invalid('prompt')),
  form(
    '`seconds` twice under two brackets',
    [model, prompt, ['seconds', '4'], ['seconds', '8']],
    invalid('seconds'),
  ),
  ...[
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    'input_reference[constructor]',
    'x[__proto__]',
  ].map((name) => form(`a field named \`${name}\``, [model, prompt, [name, 'x']], badRequest)),
  form(
    '201 fields',
    [model, prompt, ...Array.from({ length: 199 }, (_, at): Part => [`f${at}`, 'x'])],
    refused(413, 'payload_too_large'),
  ),
  form(
    '201 fields of one name',
    [model, prompt, ...Array(199).fill(['f', 'x'])],
    refused(413, 'payload_too_large'),
  ),
  form(
    '9 files',
    [model, prompt, ...Array(9).fill(['referenceImages[]', pixel, 'a.png'])],
    refused(413, 'payload_too_large'),
  ),
  form('`n: 2`', [model, prompt, ['n', '2']], invalid('n')),
  form('`n: 0`', [model, prompt, ['n', '0']], invalid('n')),
  form('`n: abc`', [model, prompt, ['n', 'abc']], invalid('n')),
  form('no fields', [], missing('prompt')),
  form('an empty body', Buffer.alloc(0), { status: 400 }),
  form('no prompt', [model], missing('prompt')),
  form(
    'an empty file as the prompt',
    [model, ['prompt', '', '', 'application/octet-stream']],
    missing('prompt'),
  ),
  form('an image as the prompt', [model, ['prompt', pixel, 'a.png', 'image/png']], invalid('prompt')),
  form(
    'a text as the image',
    [model, prompt, ['image', 'no image at all', 'a.txt', 'text/plain']],
    invalid('image'),
  ),
  form('a video as the image', [model, prompt, ['image', video, 'a.mp4', 'image/png']], invalid('image')),
  form(
    'an image that is cut short',
    [model, prompt, ['image', pixel.subarray(0, -5), 'a.png', 'image/png']],
    invalid('image'),
  ),
  form(
    'a large image that is cut short',
    [model, prompt, ['image', large.subarray(0, -5), 'a.png']],
    invalid('image'),
  ),
  form('a named empty file', [model, prompt, ['image', '', 'a.png', 'image/png']], invalid('image')),
  form(
    'a good image beside an unknown model',
    [['model', 'no-model'], prompt, ['image', large, 'a.png']],
    refused(404, 'model_not_found', 'model'),
  ),
  form('a good image beside no prompt', [model, ['image', large, 'a.png']], missing('prompt')),
  form(
    'a good image, and a field twice',
    [model, prompt, ['image', large, 'a.png'], model],
    invalid('model'),
  ),
  form(
    'a good image, and a bad one',
    [['model', 'veo3-1-video'], prompt, ['image', large, 'a.png'], ['last_image', 'nothing', 'b.png']],
    invalid('last_image'),
  ),
  form('a NUL in a name', [model, prompt, ['a\0b', 'x']], { status: 400 }),
  form('invalid UTF-8 in a text', [model, ['prompt', Buffer.from([0x61, 0xff])]], invalid('prompt')),
  form('a surrogate in a text', [model, ['prompt', Buffer.from([0xed, 0xa0, 0x80])]], invalid('prompt')),
  form('a NUL in an ID', [model, prompt, ['conversationUUID', 'a\0']], invalid('conversationUUID')),
  form(
    'a text of 1.1 MB',
    [model, ['prompt', 'x'.repeat(1_100_000)]],
    refused(413, 'payload_too_large', 'prompt'),
  ),
  form(
    'wrong JSON in an object',
    [model, prompt, ['storyConfig', '{', 'a.json', 'application/json']],
    refused(400, 'invalid_json', 'storyConfig'),
  ),
  form(
    '`__proto__` in an object',
    [['model', 'longstories-movie'], prompt, ['storyConfig', '{"__proto__":{"a":1}}']],
    noJson,
  ),
  form(
    'an object that is none',
    [['model', 'longstories-movie'], prompt, ['storyConfig', '{']],
    invalid('storyConfig'),
  ),
  form(
    '65 levels in an object',
    [['model', 'longstories-movie'], prompt, ['storyConfig', `{"a":${nested(64)}}`]],
    badRequest,
  ),
  form('a link to a file', [model, prompt, ['image', 'file:///etc/passwd']], invalid('image')),
  form('a form without its end', formOf([model, prompt]).subarray(0, -8), badRequest),
  form(
    'a file without its end',
    formOf([model, prompt, ['image', large, 'a.png']]).subarray(0, -2000),
    badRequest,
  ),
  form('no boundary in it', Buffer.from('model=sora-2'), badRequest),
  {
    ...form('no boundary in its type', formOf([model, prompt]), badRequest),
    headers: { 'content-type': 'multipart/form-data' },
  },
  {
    ...form('an empty boundary', formOf([model, prompt]), badRequest),
    headers: { 'content-type': 'multipart/form-data; boundary=' },
  },
  {
    ...form('another boundary', formOf([model, prompt]), badRequest),
    headers: { 'content-type': 'multipart/form-data; boundary=other' },
  },
]

// IDs, in every place that takes one.
const ids: readonly HostileInput[] = [
  get('no ID', '/api/video/status', missing('runId')),
  get('an empty ID', '/api/video/status?runId=', missing('runId')),
  get('an unknown ID', '/api/video/status?runId=vid_unknown', notFound),
  get('two IDs', '/api/video/status?runId=vid_a&requestId=vid_b', invalid()),
  get('an ID twice', '/api/video/status?runId=vid_a&runId=vid_b', invalid('runId')),
  get('an ID of 129 characters', `/api/video/status?runId=${'a'.repeat(129)}`, invalid('runId')),
  get('an ID that is a path', '/api/generate-video/status?runId=..%2f..%2fetc%2fpasswd', invalid('runId')),
  get('an ID with a line end', '/api/video-status?runId=vid_%0d%0aDEL', invalid('runId')),
  get('an ID with a star', '/api/video-status?runId=*', invalid('runId')),
  get('an ID that is an object', '/api/video/status?runId[a]=1', missing('runId')),
  get('an ID of the prototype', '/api/video/status?runId=__proto__', notFound),
  get('`__proto__` in a query', '/api/video/status?__proto__=a&constructor=b', missing('runId')),
  get('an unknown job', '/api/jobs/vid_unknown', notFound),
  get('a job that is a path', '/api/jobs/..%2f..%2fadmin%2fkeys', notFound),
  get('a job of 500 characters', `/api/jobs/${'a'.repeat(500)}`, refused(414, 'invalid_request')),
  get('an unknown video', '/v1/videos/vid_unknown', notFound),
  get('a video that is a path', '/v1/videos/..%2f..', notFound),
  get('the content of an unknown video', '/v1/videos/vid_unknown/content', notFound),
  get('an unknown variant', '/api/generate-video/content?runId={job}&variant=nothing', invalid('variant')),
  get('the events of an unknown job', '/api/jobs/vid_unknown/events', notFound),
  get('the webhooks of an unknown job', '/api/jobs/vid_unknown/webhooks', notFound),
  submit('a cancel without an ID', {}, missing('runId'), { path: '/api/generate-video/cancel' }),
  submit('a cancel of an object', { runId: { a: 1 } }, missing('runId'), {
    path: '/api/generate-video/cancel',
  }),
  submit('a cancel of two', { runId: ['vid_a', 'vid_b'] }, invalid('runId'), {
    path: '/api/generate-video/cancel',
  }),
  submit('a cancel of a NUL', { runId: 'vid_\0' }, invalid('runId'), { path: '/api/generate-video/cancel' }),
  submit('a cancel of an unknown job', { runId: 'vid_unknown' }, notFound, {
    path: '/api/generate-video/cancel',
  }),
  submit(
    'an extend without an index',
    { runId: '{job}' },
    { status: 400 },
    { path: '/api/generate-video/extend' },
  ),
  submit('an extend of an unknown job', { runId: 'vid_unknown', index: 1 }, notFound, {
    path: '/api/generate-video/extend',
  }),
  submit('a status of Midjourney without an ID', {}, missing('task_id'), {
    path: '/api/check-midjourney-status',
  }),
  submit('a replay for a job without a webhook', '', refused(409, 'conflict'), {
    path: '/api/jobs/{job}/webhooks/replay',
  }),
  { ...get('a deletion of an unknown job', '/api/jobs/vid_unknown', notFound), method: 'DELETE' },
  { ...get('a deletion of an unknown video', '/v1/videos/vid_unknown', notFound), method: 'DELETE' },
]

// Webhooks.
const webhookUrls: Readonly<Record<string, unknown>> = {
  'a text': 'nothing',
  'a number': 5,
  'a list': ['https://a.example/'],
  'an object': { url: 'https://a.example/' },
  true: true,
  FTP: 'ftp://a.example/',
  'a script': 'javascript:alert(1)',
  'a file': 'file:///etc/passwd',
  'a data URL': 'data:text/plain,x',
  'a user name': 'https://user:hidden-s3cret@a.example/',
  'a user name alone': 'https://user@a.example/',
  loopback: 'http://127.0.0.1/',
  'loopback as a name': 'http://localhost:6379/',
  'below localhost': 'http://a.localhost/',
  'localhost with a dot': 'http://localhost./',
  'loopback of version 6': 'http://[::1]/',
  'mapped loopback': 'http://[::ffff:127.0.0.1]/',
  'mapped loopback in hexadecimal': 'http://[::ffff:7f00:1]/',
  'loopback, short': 'http://127.1/',
  'loopback as a number': 'http://2130706433/',
  'loopback in hexadecimal': 'http://0x7f000001/',
  'loopback in octal': 'http://0177.0.0.1/',
  'any address': 'http://0.0.0.0/',
  'any address of version 6': 'http://[::]/',
  'a private network': 'http://10.0.0.1/',
  'another private network': 'http://192.168.1.1/',
  'a third one': 'http://172.16.0.1/',
  'the metadata of a cloud': 'http://169.254.169.254/latest/meta-data/',
  'a shared address': 'http://100.64.0.1/',
  'a local network of version 6': 'http://[fd00::1]/',
  'link-local of version 6': 'http://[fe80::1]/',
  multicast: 'http://224.0.0.1/',
  'loopback through NAT64': 'http://[64:ff9b::7f00:1]/',
  'loopback through 6to4': 'http://[2002:7f00:1::]/',
  'digits of another script': 'http://①②⑦.⓪.⓪.①/',
  '2049 characters': `https://a.example/${'x'.repeat(2031)}`,
  'a NUL': 'https://a.example/\0',
}
const toWebhooks = { path: '/api/webhooks' }
const webhooks: readonly HostileInput[] = [
  ...Object.entries(webhookUrls).flatMap(([name, url]) => [
    field(`a webhook: ${name}`, { webhookUrl: url }, invalid('webhookUrl')),
    submit(`the default webhook: ${name}`, { url }, invalid('url'), toWebhooks),
  ]),
  field('a webhook in a second spelling', { callback_url: 'http://127.0.0.1/' }, invalid('callback_url')),
  submit('no body', '', missing('url'), toWebhooks),
  submit('an empty object', {}, missing('url'), toWebhooks),
  submit('null', 'null', missing('url'), toWebhooks),
  submit('an array', [], missing('url'), toWebhooks),
  submit('a text', '"https://a.example/"', missing('url'), toWebhooks),
  submit('an empty address', { url: '' }, invalid('url'), toWebhooks),
  submit('another name', { address: 'https://a.example/' }, missing('url'), toWebhooks),
  submit('a new secret under a bad key', '', invalid('Idempotency-Key'), {
    path: '/api/webhooks/secret',
    headers: { 'idempotency-key': 'ü' },
  }),
]

// The library.
const libraries: readonly HostileInput[] = [
  submit('JSON', { file: base64 }, wrongType, { path: '/api/library' }),
  submit('nothing', '', wrongType, { path: '/api/library' }),
  library('a form without a file', [['a', 'x']], missing('file')),
  library('an empty form', [], missing('file')),
  library('an empty file input', [['file', '', '', 'application/octet-stream']], missing('file')),
  library('an empty file', [['file', '', 'a.png', 'image/png']], invalid('file')),
  library('a text', [['file', 'just a text', 'a.png', 'image/png']], invalid('file')),
  library(
    'SVG',
    [['file', '<svg xmlns="http://www.w3.org/2000/svg"/>', 'a.svg', 'image/svg+xml']],
    invalid('file'),
  ),
  library('a page', [['file', '<html></html>', 'a.html', 'text/html']], invalid('file')),
  library('an image that is cut short', [['file', pixel.subarray(0, -5), 'a.png']], invalid('file')),
  library(
    'a sound that is cut short',
    [['file', fixture('cbr.mp3').subarray(0, -40), 'a.mp3']],
    invalid('file'),
  ),
  library('a video that is cut short', [['file', video.subarray(0, 900), 'a.mp4']], invalid('file')),
  library(
    'a bomb',
    [['file', png({ width: 60_000, height: 60_000 }), 'a.png']],
    refused(413, 'payload_too_large', 'file'),
  ),
  ...['../../etc/passwd', '/etc/passwd', '..', '.', 'a\\\\b.png', 'a\0.png', `${'a'.repeat(256)}.png`].map(
    (filename) =>
      library(
        `the file name ${JSON.stringify(filename.slice(0, 30))}`,
        [['file', pixel, filename]],
        invalid('file'),
      ),
  ),
  library(
    'a good file, and 21 fields',
    [['file', large, 'a.png'], ...Array(21).fill(['f', 'x'])],
    refused(413, 'payload_too_large'),
  ),
  library(
    'a good file in a form without its end',
    formOf([['file', large, 'a.png']]).subarray(0, -6),
    badRequest,
  ),
  get('an unknown attachment', '/api/library/att_unknown', notFound),
  get('an attachment that is a path', '/api/library/..%2f..%2finputs', notFound),
  get('an attachment of the prototype', '/api/library/__proto__', notFound),
  { ...get('a deletion of an unknown attachment', '/api/library/att_unknown', notFound), method: 'DELETE' },
  submit(
    'a job of an unknown attachment',
    { ...job, model: 'sora-2', imageAttachmentId: 'att_unknown' },
    invalid(),
  ),
  submit(
    'a job of an attachment of another kind',
    { model: 'runwayml-gen4-aleph', prompt: 'x', video: 'attachment:{attachment}' },
    invalid('video'),
  ),
]

// Upstream callbacks, and files under secret addresses.
const secrets: readonly HostileInput[] = [
  submit('a callback for nobody', {}, notFound, { as: 'nobody', path: '/hooks/vid_unknown/secret' }),
  submit('a callback with a wrong secret', {}, notFound, { as: 'nobody', path: '/hooks/{job}/wrong' }),
  submit('a callback of 60 kB', { x: 'x'.repeat(60_000) }, notFound, {
    as: 'nobody',
    path: '/hooks/{job}/wrong',
  }),
  submit('a callback of 1 MB', { x: 'x'.repeat(1_000_000) }, notFound, {
    as: 'nobody',
    path: '/hooks/{job}/wrong',
  }),
  submit('a callback that is no JSON', '<<<', notFound, { as: 'nobody', path: '/hooks/{job}/wrong' }),
  submit('a callback to a path', {}, notFound, { as: 'nobody', path: '/hooks/..%2f/..%2f' }),
  submit('a callback to a NUL', {}, notFound, { as: 'nobody', path: '/hooks/%00/%00' }),
  get('a callback by GET', '/hooks/{job}/secret', refused(405, 'method_not_allowed'), { as: 'nobody' }),
  get('a file of nobody', `/files/${'0'.repeat(40)}.mp4`, notFound, { as: 'nobody' }),
  get('a file that is a path', '/files/..%2f..%2fetc%2fpasswd', notFound, { as: 'nobody' }),
  get('a file that is a path, escaped twice', '/files/..%252f..%252fetc%252fpasswd', notFound, {
    as: 'nobody',
  }),
  get('a file with a NUL', '/files/a%00.mp4', { status: 404 }, { as: 'nobody' }),
  get('media of a wrong signature', '/media/W10.AAAA.png', notFound, { as: 'nobody' }),
  get('media that is a path', '/media/../../etc/passwd', notFound, { as: 'nobody' }),
  get('media of a long name', `/media/${'a'.repeat(9000)}`, notFound, { as: 'nobody' }),
]

// Keys, and the routes of the operator.
const keysPath = '/api/admin/keys'
const operator = { as: 'operator' as const, path: keysPath }
const account = { as: 'operator' as const, method: 'PATCH', path: `${keysPath}/{account}` }
const admin: readonly HostileInput[] = [
  submit('no key', job, refused(401, 'missing_api_key'), { as: 'nobody' }),
  submit('a wrong key', job, refused(401, 'invalid_api_key'), {
    as: 'nobody',
    headers: { 'x-api-key': 'sk-reelgate-wrong' },
  }),
  submit('an empty key', job, refused(401, 'missing_api_key'), {
    as: 'nobody',
    headers: { 'x-api-key': '' },
  }),
  submit('a key of 8000 characters', job, refused(401, 'invalid_api_key'), {
    as: 'nobody',
    headers: { 'x-api-key': 'k'.repeat(8000) },
  }),
  submit('a key of the prototype', job, refused(401, 'invalid_api_key'), {
    as: 'nobody',
    headers: { 'x-api-key': '__proto__' },
  }),
  submit('a key that is no ASCII', job, refused(401, 'invalid_api_key'), {
    as: 'nobody',
    headers: { authorization: 'Bearer ü\u00ff' },
  }),
  submit('Basic instead of Bearer', job, refused(401, 'missing_api_key'), {
    as: 'nobody',
    headers: { authorization: 'Basic dTpw' },
  }),
  submit('a large body without a key', { ...job, x: 'x'.repeat(500_000) }, refused(401, 'missing_api_key'), {
    as: 'nobody',
  }),
  {
    ...form(
      'a file without a key',
      [model, prompt, ['image', large, 'a.png']],
      refused(401, 'missing_api_key'),
    ),
    as: 'nobody',
  },
  {
    ...library(
      'a file for the library without a key',
      [['file', large, 'a.png']],
      refused(401, 'missing_api_key'),
    ),
    as: 'nobody',
  },
  get('a key of a caller for the operator', keysPath, refused(401, 'invalid_api_key')),
  get('no key for the operator', keysPath, refused(401, 'missing_api_key'), { as: 'nobody' }),
  submit('a key without a body', '', invalid(), operator),
  submit('a key without a name', {}, invalid('name'), operator),
  submit('an array', [], invalid(), operator),
  submit('an empty name', { name: '' }, invalid('name'), operator),
  submit('a name of 101 characters', { name: 'x'.repeat(101) }, invalid('name'), operator),
  submit('a name that is a number', { name: 5 }, invalid('name'), operator),
  submit('a name with a NUL', { name: 'a\0b' }, invalid('name'), operator),
  submit('a name with a lone surrogate', { name: lone }, invalid('name'), operator),
  submit('an unknown field', { name: 'x', admin: true }, invalid('admin'), operator),
  submit('`__proto__`', '{"name":"x","__proto__":{"rpm":1}}', noJson, operator),
  submit('a rate of 0', { name: 'x', rpm: 0 }, invalid('rpm'), operator),
  submit('a rate of 1.5', { name: 'x', rpm: 1.5 }, invalid('rpm'), operator),
  submit('a rate that is a text', { name: 'x', rpm: '5' }, invalid('rpm'), operator),
  submit('a negative balance', { name: 'x', balanceUsd: -1 }, invalid('balanceUsd'), operator),
  submit('a balance of 1e10', { name: 'x', balanceUsd: 1e10 }, invalid('balanceUsd'), operator),
  submit('a balance of 1e400', '{"name":"x","balanceUsd":1e400}', invalid('balanceUsd'), operator),
  submit('a limit of 2^53 + 1', '{"name":"x","dailyUsd":9007199254740993}', invalid('dailyUsd'), operator),
  submit('a bad operation ID', { name: 'x' }, invalid('Idempotency-Key'), {
    ...operator,
    headers: { 'idempotency-key': 'ü' },
  }),
  submit('a top-up of 0', { topUpUsd: 0 }, invalid('topUpUsd'), account),
  submit('a top-up of 1e-9', { topUpUsd: 1e-9 }, invalid('topUpUsd'), account),
  submit('a top-up of 1e10', { topUpUsd: 1e10 }, invalid('topUpUsd'), account),
  submit('a note alone', { note: 'x' }, invalid('note'), account),
  submit('a note with a lone surrogate', { topUpUsd: 1, note: lone }, invalid('note'), account),
  submit('a note of 60 kB', { topUpUsd: 1, note: 'x'.repeat(60_000) }, invalid('note'), account),
  submit('a change of an unknown key', { rpm: 5 }, notFound, { ...account, path: `${keysPath}/unknown` }),
  submit('a change of the prototype', { rpm: 5 }, notFound, { ...account, path: `${keysPath}/__proto__` }),
  get('an unknown key', `${keysPath}/unknown`, notFound, { as: 'operator' }),
  get('a key that is a path', `${keysPath}/..%2f..%2fkey-hashes`, notFound, { as: 'operator' }),
  get('the ledger of an unknown key', `${keysPath}/unknown/ledger`, notFound, { as: 'operator' }),
  {
    ...get('a deletion of an unknown key', `${keysPath}/unknown`, notFound, { as: 'operator' }),
    method: 'DELETE',
  },
  get('usage of 0 days', '/api/admin/usage?days=0', invalid('days'), { as: 'operator' }),
  get('usage of 1e9 days', '/api/usage?days=1e9', invalid('days')),
  submit(
    'a decision for nothing',
    { decision: 'release' },
    { status: 404 },
    { as: 'operator', path: '/api/admin/unknown/vid_unknown' },
  ),
  submit('an unknown decision', { decision: 'steal' }, invalid('decision'), {
    as: 'operator',
    path: '/api/admin/unknown/vid_unknown',
  }),
]

// The OpenAI API.
const toVideos = { path: '/v1/videos' }
const openai: readonly HostileInput[] = [
  submit('an array', [], invalid(), toVideos),
  submit('no prompt', { model: 'sora-2' }, missing('prompt'), toVideos),
  submit('`n: 2`', { ...job, n: 2 }, invalid('n'), toVideos),
  submit('a size that is none', { model: 'sora-2', prompt: 'x', size: '1x1' }, invalid('size'), toVideos),
  submit('seconds that are none', { model: 'sora-2', prompt: 'x', seconds: 'abc' }, invalid('seconds'), {
    ...toVideos,
    headers: strict,
  }),
  submit('1000 seconds', { model: 'sora-2', prompt: 'x', seconds: '1000' }, invalid('seconds'), toVideos),
  submit(
    'a reference that is a number',
    { model: 'sora-2', prompt: 'x', input_reference: 5 },
    invalid('input_reference'),
    toVideos,
  ),
  submit(
    'a reference to a file',
    { model: 'sora-2', prompt: 'x', input_reference: 'file:///etc/passwd' },
    invalid('input_reference'),
    toVideos,
  ),
  submit(
    'a reference to an unknown attachment',
    { model: 'sora-2', prompt: 'x', input_reference: { file_id: 'att_x' } },
    invalid('input_reference'),
    toVideos,
  ),
  submit(
    'a lone surrogate in the size',
    { model: 'sora-2', prompt: 'x', size: lone },
    invalid('size'),
    toVideos,
  ),
  submit('a bad JSON', '{', noJson, toVideos),
  submit('a remix of an unknown video', { prompt: 'x' }, notFound, { path: '/v1/videos/vid_unknown/remix' }),
  submit('a remix without a prompt', { model: 'runwayml-gen4-aleph' }, missing('prompt'), {
    path: '/v1/videos/{job}/remix',
  }),
  submit('a remix by a model that cannot', { prompt: 'x', model: 'minimax-video' }, invalid('model'), {
    path: '/v1/videos/{job}/remix',
  }),
  get('an unknown order', '/v1/videos?order=up', invalid('order')),
  get('a page after an unknown video', '/v1/videos?after=vid_unknown', invalid('after')),
  get('a page after a long name', `/v1/videos?after=${'a'.repeat(300)}`, invalid('after')),
  get('a limit that is none', '/v1/videos?limit=abc', invalid('limit')),
  get('a limit of 0', '/v1/videos?limit=0', invalid('limit')),
]

// Headers of a submit.
const headers: readonly HostileInput[] = [
  ...Object.entries({
    'of spaces': ' ',
    'of 256 characters': 'k'.repeat(256),
    'with an umlaut': 'schl\u00fcssel',
    'with a tab': 'a\tb',
  }).map(([name, key]) =>
    submit(`an Idempotency-Key ${name}`, job, invalid('Idempotency-Key'), {
      headers: { 'idempotency-key': key },
    }),
  ),
  submit(
    'a bad Idempotency-Key of a form',
    formOf([model, prompt, ['image', large, 'a.png']]),
    invalid('Idempotency-Key'),
    {
      ...toVideos,
      headers: { ...formHeaders, 'idempotency-key': 'ü' },
    },
  ),
  submit(
    'an Idempotency-Key for another body',
    { ...job, prompt: 'another one' },
    refused(422, 'idempotency_key_reused', 'Idempotency-Key'),
    {
      headers: { 'idempotency-key': 'used-before' },
    },
  ),
  submit('an Idempotency-Key of a body that is wrong', { model: 'minimax-video' }, missing('prompt'), {
    headers: { 'idempotency-key': 'fresh' },
  }),
  submit('a preference in another case', { ...job, duration: 999 }, invalid('duration'), {
    headers: { prefer: 'Handling="STRICT"; x=y' },
  }),
]

// Methods and paths.
const paths: readonly HostileInput[] = [
  get('no such path', '/api/nothing', notFound),
  get('a path above the root', '/../../etc/passwd', notFound),
  get('a path above the root, escaped', '/%2e%2e/%2e%2e/etc/passwd', notFound),
  get('a path above the root, with backslashes', '/..\\..\\etc\\passwd', notFound),
  get('a path above that of static files', '/docs/static/..%2f..%2f..%2fpackage.json', notFound),
  get('a path above that of static files, plainly', '/docs/static/../../../package.json', notFound),
  get('a long path', `/api/${'a/'.repeat(4000)}`, notFound),
  get('a NUL', '/%00', notFound),
  get('an escape that is none', '/api/%zz', { status: 400 }),
  get(
    'a query of 5000 names',
    `/api/video/status?${Array.from({ length: 2000 }, (_, at) => `a${at}=1`).join('&')}`,
    missing('runId'),
  ),
  get('a GET of a submit', submitPath, refused(405, 'method_not_allowed')),
  { ...get('a PUT', submitPath, refused(405, 'method_not_allowed')), method: 'PUT', body: rawJson },
  {
    ...get('a PATCH of a job', '/api/jobs/{job}', refused(405, 'method_not_allowed')),
    method: 'PATCH',
    body: rawJson,
  },
  { ...get('a DELETE of a submit', submitPath, refused(405, 'method_not_allowed')), method: 'DELETE' },
  { ...get('a TRACE', submitPath, refused(405, 'method_not_allowed')), method: 'TRACE' },
  { ...get('a PROPFIND', submitPath, refused(405, 'method_not_allowed')), method: 'PROPFIND' },
  { ...get('a QUERY', submitPath, refused(405, 'method_not_allowed')), method: 'QUERY' },
  submit('a POST of a status', {}, refused(405, 'method_not_allowed'), { path: '/api/video/status' }),
  submit('a body of 2 MB for no path', 'x'.repeat(2_000_000), notFound, { path: '/api/nothing' }),
]

// What is no HTTP, or not all of it.
const chunked = ['Transfer-Encoding: chunked']
const head = (lines: readonly string[]) => `${lines.join('\r\n')}\r\n\r\n`
const formHead = (path: string) =>
  head([
    `POST ${path} HTTP/1.1`,
    'Host: a',
    'X-API-Key: {key}',
    `Content-Type: ${formHeaders['content-type']}`,
    'Content-Length: 900000',
  ])
const stopped: Readonly<Record<string, string>> = {
  'an empty line': '\r\n',
  'a head': `POST ${submitPath} HTTP/1.1\r\nHost: a\r\nX-API-K`,
  'a small body': head(rawHead('Content-Length: 60')) + rawJson.slice(0, 20),
  'a body in chunks': `${head(rawHead(...chunked))}5\r\n{"mod`,
  'a large body': `${head(rawHead('Content-Length: 900000'))}{"prompt":"${'x'.repeat(90_000)}`,
  'a large file in JSON': `${head(rawHead('Content-Length: 900000'))}{"image":"data:image/png;base64,${'QUJD'.repeat(60_000)}`,
  'a form':
    formHead('/v1/videos') + formOf([model, prompt, ['image', large, 'a.png']]).toString('latin1', 0, 60_000),
  'a file for the library':
    formHead('/api/library') + formOf([['file', large, 'a.png']]).toString('latin1', 0, 60_000),
}
const http: readonly HostileInput[] = [
  raw('no HTTP', ['hello'], badRequest),
  raw('an unknown method', ['STEAL / HTTP/1.1', 'Host: a'], badRequest),
  raw('a lower-case method', ['get / HTTP/1.1', 'Host: a'], badRequest),
  raw('HTTP/2 without an agreement', ['PRI * HTTP/2.0', '', 'SM'], badRequest),
  raw('HTTP/9.9', ['GET / HTTP/9.9', 'Host: a'], badRequest),
  { name: 'TLS', raw: Buffer.from('16030100a5010000a10303', 'hex'), ...badRequest },
  raw('no host', ['GET /health HTTP/1.1'], refused(400, 'invalid_request', 'Host')),
  raw('a CONNECT', ['CONNECT a.example:443 HTTP/1.1', 'Host: a'], { status: 'closed' }),
  raw('a space in a name of a header', rawHead('Content-Length: 2', 'X Y: 1'), badRequest, '{}'),
  raw('a space before a colon', rawHead('Content-Length : 2'), badRequest, '{}'),
  raw('a header without a colon', rawHead('Content-Length: 2', 'nothing'), badRequest, '{}'),
  raw('a NUL in a header', rawHead('Content-Length: 2', 'X-A: a\0b'), badRequest, '{}'),
  raw('a folded header', rawHead('Content-Length: 2', 'X-A: a', ' b'), badRequest, '{}'),
  raw('two lengths', rawHead('Content-Length: 2', 'Content-Length: 3'), badRequest, '{}'),
  raw('a negative length', rawHead('Content-Length: -1'), badRequest, '{}'),
  raw('a length with a plus', rawHead('Content-Length: +2'), badRequest, '{}'),
  raw('a length in hexadecimal', rawHead('Content-Length: 0x2'), badRequest, '{}'),
  raw('a length beyond all numbers', rawHead('Content-Length: 99999999999999999999999'), badRequest, '{}'),
  raw('a length of 1 TB', rawHead('Content-Length: 1099511627776'), refused(413, 'payload_too_large'), '{'),
  raw('a length and chunks', rawHead('Content-Length: 2', ...chunked), badRequest, '0\r\n\r\n'),
  raw('an unknown transfer encoding', rawHead('Transfer-Encoding: cow'), badRequest, '{}'),
  raw('chunks of a wrong size', rawHead(...chunked), badRequest, 'zz\r\n{}\r\n0\r\n\r\n'),
  raw(
    'chunks of a size beyond all numbers',
    rawHead(...chunked),
    badRequest,
    'fffffffffffffffff\r\n{}\r\n0\r\n\r\n',
  ),
  raw('a chunk that is longer than it says', rawHead(...chunked), badRequest, '1\r\n{}\r\n0\r\n\r\n'),
  raw('headers of 20 kB', rawHead(`X-A: ${'a'.repeat(20_000)}`), refused(431, 'payload_too_large')),
  raw(
    'a path of 20 kB',
    [`GET /${'a'.repeat(20_000)} HTTP/1.1`, 'Host: a'],
    refused(431, 'payload_too_large'),
  ),
  raw('a body that ends early', rawHead(`Content-Length: ${rawJson.length + 5}`), badRequest, rawJson),
  raw('chunks that end early', rawHead(...chunked), badRequest, '5\r\n{"mod'),
  { name: 'a head that ends early', raw: `POST ${submitPath} HTTP/1.1\r\nHost: a\r\nX-API-K`, ...badRequest },
  ...Object.entries(stopped).map(
    ([name, raw]): HostileInput => ({ name: `${name} whose sender is gone`, raw, status: 'closed' }),
  ),
]

// What a regular expression might take its length squared for: hours.
const long = 300_000
const slow: readonly HostileInput[] = [
  ...[' ', '\u00a0', '\f', '\u0001', '%20', '%'].flatMap((space) =>
    ['data:image/png;base64,', 'data:image/png,'].map((start) =>
      submit(
        `${start} and ${JSON.stringify(space)}, again and again`,
        withImage(`${start}iVBO${space.repeat(long / space.length)}x`),
        { status: 400 },
      ),
    ),
  ),
  ...['duration', 'aspect_ratio', 'resolution'].map((name) =>
    submit(
      `spaces inside \`${name}\``,
      { ...job, model: 'sora-2', [name]: `1${' '.repeat(long)}x` },
      invalid(name),
      { headers: strict },
    ),
  ),
  get('dots in a path', `/${'a.'.repeat(7000)}`, notFound),
]

export const hostileInputs: Readonly<Record<string, readonly HostileInput[]>> = {
  json,
  types,
  characters,
  values,
  links,
  media,
  forms,
  ids,
  webhooks,
  libraries,
  secrets,
  admin,
  openai,
  headers,
  slow,
  paths,
  http,
}

// What looks hostile and is valid.
const ok: Expected = { status: 200 }
const encodings: Readonly<Record<string, string>> = {
  'the usual form': dataUrl('image/png', pixel),
  'no padding': `data:image/png;base64,${base64.replace(/=+$/, '')}`,
  'URL-safe base64': `data:image/png;base64,${pixel.toString('base64url')}`,
  'escaped base64': `data:image/png;base64,${encodeURIComponent(base64)}`,
  'spaces and line ends in base64': `data:image/png;base64,${base64.replace(/.{10}/g, '$& \r\n')}`,
  'spaces around it': `  ${dataUrl('image/png', pixel)}\n`,
  'another case': `DATA:IMAGE/PNG;BASE64,${base64}`,
  'a space before base64': `data:image/png; base64,${base64}`,
  'no type': `data:;base64,${base64}`,
  'no type and no semicolon': `data:base64,${base64}`,
  'text/plain': `data:text/plain;base64,${base64}`,
  octets: `data:application/octet-stream;base64,${base64}`,
  'a parameter': `data:image/png;charset=utf-8;base64,${base64}`,
  'a quoted parameter': `data:image/png;name="a,b;base64.png";base64,${base64}`,
  'a wrong type of image': `data:image/jpeg;base64,${base64}`,
  'an unknown type of image': `data:image/x-unknown;base64,${base64}`,
  'percent-encoded bytes': `data:image/png,${[...pixel].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')}`,
  'a fragment': `data:image/png;base64,${base64}#fragment`,
  'bare base64': base64,
  'bare base64 without padding': base64.replace(/=+$/, ''),
  'a large one': dataUrl('image/png', large),
  'a large one without padding': dataUrl('image/png', large).replace(/=+$/, ''),
  'a large URL-safe one': `data:image/png;base64,${large.toString('base64url')}`,
  'a large one with line ends': `data:image/png;base64,${large.toString('base64').replace(/.{76}/g, '$&\r\n')}`,
  'a large one, escaped': `data:image/png;base64,${encodeURIComponent(large.toString('base64'))}`,
  'a large one without a type': `data:;base64,${large.toString('base64')}`,
  'a large bare one': large.toString('base64'),
}

export const validInputs: Readonly<Record<string, readonly HostileInput[]>> = {
  json: [
    submit('a byte-order mark', `\ufeff${rawJson}`, accepted),
    submit(
      'escaped text',
      '{"model":"minimax-video","prompt":"\\u0061 \\ud83d\\udea3 \\/ \\"boat\\""}',
      accepted,
    ),
    submit('64 levels', `{"model":"minimax-video","prompt":"x","a":${nested(63)}}`, accepted),
    submit('9,990 values', { ...job, a: Array(9990).fill(0) }, accepted),
    submit('900 kB of an unknown text', { ...job, x: 'x'.repeat(900_000) }, accepted),
    submit('a key twice', '{"model":"no-model","prompt":"x","model":"minimax-video"}', accepted),
    submit('`constructor`, a text', { ...job, constructor: 'x' }, accepted),
    submit(
      '`toString` and `prototype`',
      { ...job, toString: 'x', prototype: {}, hasOwnProperty: 1 },
      accepted,
    ),
    submit('names of the prototype inside', { ...job, x: { constructor: 1, toString: 2 } }, accepted),
    submit('an empty key', { ...job, '': 1 }, accepted),
    submit(
      'nulls',
      { ...job, seed: null, duration: null, image: null, webhookUrl: null, conversationUUID: null },
      accepted,
    ),
    submit(
      'empty texts',
      { ...job, seed: '', duration: '', image: '', webhookUrl: '', conversationUUID: '' },
      accepted,
    ),
    submit(
      'a number beyond 2^53',
      '{"model":"minimax-video","prompt":"x","seed":9007199254740993}',
      accepted,
    ),
    submit(
      'a number of 100 digits in an unknown field',
      `{"model":"minimax-video","prompt":"x","x":${'9'.repeat(100)}}`,
      accepted,
    ),
    submit('1e400 in an unknown field', '{"model":"minimax-video","prompt":"x","x":1e400}', accepted),
    submit('-0 and 1E2', '{"model":"minimax-video","prompt":"x","seed":-0,"x":1E+2}', accepted),
  ],
  types: [
    submit('no content type', rawJson, accepted, { headers: { 'content-type': '' } }),
    ...[
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/json; charset=utf-8',
      'APPLICATION/JSON',
      'application/vnd.api+json',
      'application/octet-stream',
    ].map((type) => submit(type, rawJson, accepted, { headers: { 'content-type': type } })),
    submit('a type that is none', rawJson, accepted, { headers: { 'content-type': 'json' } }),
    submit('two types', rawJson, accepted, { headers: { 'content-type': 'application/json, text/plain' } }),
    submit('identity', rawJson, accepted, { headers: { 'content-encoding': 'identity' } }),
    submit('Identity', rawJson, accepted, { headers: { 'content-encoding': 'Identity' } }),
  ],
  text: [
    submit('a NUL in a prompt', { ...job, prompt: 'a\0boat' }, accepted),
    submit('a lone surrogate in a prompt', { ...job, prompt: `a${lone} boat` }, accepted),
    submit(
      'a lone surrogate in a second prompt',
      { model: 'kling-video-v2', prompt: 'x', negative_prompt: `a${lone}` },
      accepted,
    ),
    submit(
      'emoji, combining marks, right to left',
      { ...job, prompt: '👨‍👩‍👧‍👦 e\u0301 \u202eabc\u202c שלום \u0007 \u2028' },
      accepted,
    ),
    submit(
      'markup and queries',
      {
        ...job,
        prompt: `<script>alert(1)</script>'; DROP TABLE x; --\r\n\${7*7} {{7*7}} %00 ../../etc/passwd`,
      },
      accepted,
    ),
    submit('a prompt that looks like a data URL', { ...job, prompt: dataUrl('image/png', pixel) }, accepted),
    submit(
      'a prompt that looks like a stored file',
      { ...job, prompt: 'stored:00:1:image/png attachment:x upload:1' },
      accepted,
    ),
    submit('a prompt of JSON', { ...job, prompt: rawJson }, accepted),
    submit('20,000 emoji', { model: 'sora-2', prompt: '🚣'.repeat(10_000) }, accepted),
    submit('an ID of 256 emoji', { ...job, conversationUUID: '🚣'.repeat(256) }, accepted),
    submit('an ID with spaces and markup', { ...job, conversationUUID: 'a b/<c>?\u00fc' }, accepted),
  ],
  values: [
    field('a duration of a text', { duration: '60s' }, accepted),
    field('a negative duration', { duration: -5 }, accepted),
    field('a duration that is none', { duration: 'long' }, accepted),
    field('a resolution that is none', { resolution: 'best' }, accepted),
    field('a ratio that is none', { aspect_ratio: '16/9' }, accepted),
    field('a seed of -1', { seed: -1 }, accepted),
    field('a seed of 64 bits', { seed: '18446744073709551615' }, accepted),
  ],
  'data URLs': Object.entries(encodings).map(([name, image]) => submit(name, withImage(image), accepted)),
  media: [
    ...['baseline.jpg', 'progressive.jpg', 'interlaced.gif', 'image.avif', 'lossy.webp', 'animated.png'].map(
      (name) => submit(name, withImage(dataUrl('image/png', fixture(name))), accepted),
    ),
    submit('an object of a link', withImage({ url: 'https://a.example/a.png' }), accepted),
    submit('a list of one link', withImage(['https://a.example/a.png']), accepted),
    submit(
      'a link in `image_url.url`',
      withImage({ image_url: { url: 'https://a.example/a.png' } }),
      accepted,
    ),
    submit('a link of 8192 bytes', withImage(`https://a.example/${'x'.repeat(8174)}`), accepted),
    submit(
      'a link in another case, with a port and a query',
      withImage('HTTPS://A.EXAMPLE:8443/a?b=c&d=%00#e'),
      accepted,
    ),
    submit('a link of another script', withImage('https://例え.example/画像.png'), accepted),
    submit('spaces around a link', withImage(' https://a.example/a.png \n'), accepted),
    submit('an image of a character', storyOf(dataUrl('image/png', pixel)), accepted),
    submit('a large image of a character', storyOf(dataUrl('image/png', large)), accepted),
    submit('a large bare image of a character', storyOf(large.toString('base64')), accepted),
    submit('an attachment', withImage('attachment:{attachment}'), accepted),
  ],
  forms: [
    form(
      'files without types, texts as files',
      [
        ['model', 'sora-2', 'model'],
        ['prompt', 'a boat', 'prompt'],
        ['image', pixel, 'image'],
      ],
      ok,
    ),
    form('a text file as the prompt', [model, ['prompt', 'a boat', 'p.txt', 'text/plain']], ok),
    form(
      'a prompt that is JSON, and says so',
      [model, ['prompt', '{"a":', 'p.json', 'application/json']],
      ok,
    ),
    form('an image that says it is text', [model, prompt, ['input_reference', pixel, 'a', 'text/plain']], ok),
    form('a path as a file name', [model, prompt, ['input_reference', pixel, '../../a.png']], ok),
    form(
      'empty file inputs',
      [model, prompt, ['input_reference', '', '', 'application/octet-stream'], ['seed', '', '']],
      ok,
    ),
    form('a data URL as a text', [model, prompt, ['image', dataUrl('image/png', large)]], ok),
    form('a part without a head', [model, prompt, Buffer.from(`--${boundary}\r\n`)], ok),
    ...(['small', 'large'] as const).flatMap((size) => {
      const image = dataUrl('image/png', size === 'small' ? pixel : large)
      const story: Part = ['model', 'longstories-movie']
      const characters = [{ name: 'a', image }]
      return [
        form(
          `an object of JSON, ${size}`,
          [story, prompt, ['storyConfig', JSON.stringify({ characters })]],
          ok,
        ),
        form(`a list of JSON, ${size}`, [story, prompt, ['characters', JSON.stringify(characters)]], ok),
        form(`an image in JSON, ${size}`, [model, prompt, ['image', JSON.stringify({ url: image })]], ok),
        form(
          `a reference in JSON, ${size}`,
          [model, prompt, ['input_reference', JSON.stringify({ image_url: image })]],
          ok,
        ),
      ]
    }),
    form('`n: 1`', [model, prompt, ['n', '1']], ok),
    form('200 fields', [model, prompt, ...Array.from({ length: 198 }, (_, at): Part => [`f${at}`, 'x'])], ok),
    form('an unknown field twice', [model, prompt, ['x', '1'], ['x', '2']], ok),
    form('a file that nobody reads', [model, prompt, ['x', Buffer.alloc(200_000, 0xff), 'x.bin']], ok),
    form(
      'text before and after it',
      Buffer.concat([Buffer.from('a preamble\r\n'), formOf([model, prompt]), Buffer.from('an epilogue')]),
      ok,
    ),
    form('a NUL and emoji in the prompt', [model, ['prompt', 'a\0 🚣']], ok),
    form(
      'heads in another case',
      [model, rawPart('CONTENT-DISPOSITION: FORM-DATA; NAME="prompt"', 'a boat')],
      ok,
    ),
    form(
      'a name without quotes',
      [model, rawPart('Content-Disposition: form-data; name=prompt', 'a boat')],
      ok,
    ),
    {
      ...form('a boundary in quotes', formOf([model, prompt]), ok),
      headers: { 'content-type': `multipart/form-data; boundary="${boundary}"` },
    },
    {
      ...form('a type in another case', formOf([model, prompt]), ok),
      headers: { 'content-type': `Multipart/Form-Data; Boundary=${boundary}; charset=UTF-8` },
    },
  ],
  rest: [
    field('a public webhook', { webhookUrl: 'https://a.example/hook?token=x' }, accepted),
    field('a webhook of version 6', { webhookUrl: 'http://[2606:4700::1]/' }, accepted),
    submit('the default webhook, removed', { url: null }, ok, toWebhooks),
    library('a file', [['file', pixel, 'a b (1) ü 🚣.png']], { status: 201 }),
    library(
      'a file beside fields, under another name',
      [
        ['x', '1'],
        ['upload', pixel, 'a.png'],
        ['y', '2'],
      ],
      { status: 201 },
    ),
    submit(
      'an operation ID',
      { name: 'x', rpm: 5, balanceUsd: null },
      { status: 201 },
      { ...operator, headers: { 'idempotency-key': 'k' } },
    ),
    submit('a name of 100 emoji', { name: '🚣'.repeat(100) }, { status: 201 }, operator),
    submit('an Idempotency-Key of 255 characters', job, accepted, {
      headers: { 'idempotency-key': `a ${'~'.repeat(253)}` },
    }),
    submit('an Idempotency-Key again', job, accepted, { headers: { 'idempotency-key': 'used-before' } }),
    submit('preferences that nobody knows', job, accepted, {
      headers: { prefer: 'wait=99999, respond-async, handling=other, ,=;"' },
    }),
    submit('a preference that never ends', job, accepted, { headers: { prefer: 'handling="strict' } }),
    submit('unknown headers', job, accepted, {
      headers: { 'x-provider': '../..', 'x-billing-mode': '\u00ff', moderation: 'true' },
    }),
    submit('two keys', job, accepted, { headers: { authorization: 'Bearer another-key' } }),
    submit('a path with slashes', rawJson, accepted, { path: '//api//generate-video/' }),
    submit('a path with a query', rawJson, accepted, { path: '/api/generate-video?a[]=1&a[]=2&__proto__=x' }),
    submit('a path that is escaped', rawJson, accepted, { path: '/api/%67enerate-video' }),
    get('an ID under two names', '/api/video/status?runId={job}&requestId={job}', ok),
    get(
      'an ID and what nobody needs',
      '/api/video/status?runId={job}&model=x&projectId=%20&cost=-1&wait=abc',
      ok,
    ),
    get(
      'limits beyond the range',
      '/api/generate-video/recover?limit=-5&model=__proto__&conversationUUID=%00'.replace('%00', '%20'),
      ok,
    ),
    get('a limit of the library', '/api/library?limit=1e9', ok),
    submit('a status of an unknown task of Midjourney', { task_id: 'no-such-task' }, ok, {
      path: '/api/check-midjourney-status',
    }),
    raw(
      'chunks',
      rawHead(...chunked, 'Connection: close'),
      accepted,
      `5\r\n${rawJson.slice(0, 5)}\r\n${(rawJson.length - 5).toString(16)};x=y\r\n${rawJson.slice(5)}\r\n0\r\nX-T: 1\r\n\r\n`,
    ),
    raw(
      'an expectation to go on',
      rawHead(`Content-Length: ${rawJson.length}`, 'Expect: 100-continue', 'Connection: close'),
      accepted,
      rawJson,
    ),
    raw(
      'an upgrade',
      rawHead(`Content-Length: ${rawJson.length}`, 'Upgrade: h2c', 'Connection: upgrade, close'),
      accepted,
      rawJson,
    ),
    raw('HTTP/1.0', ['GET /health HTTP/1.0'], ok),
    raw(
      'an absolute address',
      ['GET http://gateway/health HTTP/1.1', 'Host: gateway', 'Connection: close'],
      ok,
    ),
  ],
}
