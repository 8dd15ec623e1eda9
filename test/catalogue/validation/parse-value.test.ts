import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Field } from '../../../providers/input.ts'
import { parseValue } from '../../../src/catalogue/validation/parse-value.ts'

const readable: readonly (readonly [Field, unknown, unknown])[] = [
  ['duration', '5', 5],
  ['duration', '5s', 5],
  ['duration', ' 10 s ', 10],
  ['duration', '7.5', 7.5],
  ['duration', 8, 8],
  ['seed', 0, 0],
  ['seed', '0', 0],
  ['seed', '42', 42],
  ['seed', -1, undefined],
  ['seed', '-1', undefined],
  ['seed', null, undefined],
  ['prompt', '', undefined],
  ['prompt', '   ', undefined],
  ['prompt', ' kept as it is ', ' kept as it is '],
  ['num_frames', '81', 81],
  ['shift', '-0.5', -0.5],
  ['generateAudio', false, false],
  ['generateAudio', 'false', false],
  ['generateAudio', 0, false],
  ['generateAudio', 'off', false],
  ['generateAudio', 'TRUE', true],
  ['generateAudio', '1', true],
  ['thinkingMode', true, 'enabled'],
  ['thinkingMode', 'false', 'disabled'],
  ['thinkingMode', 'auto', 'auto'],
  ['resolution', '1080P', '1080p'],
  ['resolution', 720, '720p'],
  ['resolution', '1792×1024', '1792x1024'],
  ['resolution', '4K', '4k'],
  ['aspect_ratio', 'Square', '1:1'],
  ['aspect_ratio', ' Auto ', 'auto'],
  ['aspect_ratio', 'constructor', 'constructor'],
  ['referenceImages', [], undefined],
  ['referenceImages', 'https://a.example/1.png', ['https://a.example/1.png']],
  ['referenceImages', '["https://a.example/1.png", ""]', ['https://a.example/1.png']],
  ['referenceImages', [{ image_url: { url: 'https://a.example/1.png' } }], ['https://a.example/1.png']],
  ['image', ' https://a.example/1.png ', 'https://a.example/1.png'],
  ['image', ['https://a.example/1.png'], 'https://a.example/1.png'],
  ['video', [{ url: 'https://a.example/1.mp4' }], 'https://a.example/1.mp4'],
  ['image', 'data:application/octet-stream;base64,AAAA', 'data:application/octet-stream;base64,AAAA'],
  ['image', 'data:image/png,%89PNG', 'data:image/png,%89PNG'],
  ['image', 'data:text/plain;base64,AAAA', 'data:text/plain;base64,AAAA'],
  ['image', 'DATA:;name="a,b";base64,AAAA', 'DATA:;name="a,b";base64,AAAA'],
  ['image', `iVBORw0KGgo${'A'.repeat(60)}`, `iVBORw0KGgo${'A'.repeat(60)}`],
  ['audio', 'data:video/mp4;base64,AAAA', 'data:video/mp4;base64,AAAA'],
  ['image', 'data:image/svg+xml;charset=utf-8;base64,AAAA', 'data:image/svg+xml;charset=utf-8;base64,AAAA'],
  ['storyConfig', { scenes: [] }, { scenes: [] }],
  ['characters', ['fox'], ['fox']],
]

for (const [field, value, expected] of readable) {
  test(`${field} ${JSON.stringify(value)} reads as ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(parseValue(field, value), expected === undefined ? {} : { value: expected })
  })
}

const unreadable: readonly (readonly [Field, unknown, RegExp])[] = [
  ['duration', 'five', /number of seconds/],
  ['duration', '5m', /number of seconds/],
  ['duration', true, /number of seconds/],
  ['duration', [5], /number of seconds/],
  ['num_frames', 81.5, /whole number/],
  ['seed', '1e99', /whole number/],
  ['seed', 2 ** 60, /whole number/],
  ['cfg_scale', 'NaN', /a number/],
  ['generateAudio', 'maybe', /true or false/],
  ['generateAudio', 2, /true or false/],
  ['generateAudio', {}, /true or false/],
  ['prompt', 5, /a text/],
  ['prompt', { text: 'x' }, /a text/],
  ['style', true, /a text/],
  ['style', 'x'.repeat(201), /at most 200 characters/],
  ['storyConfig', 'a story', /an object/],
  ['storyConfig', [1], /an object/],
  ['characters', 'fox', /a list/],
  ['image', 'file:///etc/passwd', /http\(s\) link or a data URL \(data:image/],
  ['image', 'ftp://a.example/1.png', /http\(s\) link/],
  ['image', 'https://', /http\(s\) link/],
  ['image', 'https://a b/1.png', /http\(s\) link/],
  ['image', 'iVBORw0KGgo=', /http\(s\) link/],
  ['image', 'data:image/png', /data URL/],
  ['image', 'aGVsbG8sIHRoaXMgaXMgdGV4dCwgYW5kIG5vIGZpbGU=', /data URL/],
  ['audio', `iVBORw0KGgo${'A'.repeat(60)}`, /data:audio/],
  ['image', 'data:image/png;base64,', /data URL/],
  ['image', 'data:video/mp4;base64,AAAA', /data:image/],
  ['video', 'data:image/png;base64,AAAA', /data:video/],
  ['audio', 'data:image/png;base64,AAAA', /data:audio/],
  ['image', { file: 'x' }, /http\(s\) link/],
  ['image', 7, /http\(s\) link/],
  ['referenceImages', ['https://a.example/1.png', 'nonsense'], /a list of/],
  ['referenceImages', '[broken', /a list of/],
]

for (const [field, value, expected] of unreadable) {
  test(`${field} ${JSON.stringify(value).slice(0, 60)} says what would be right`, () => {
    const reading = parseValue(field, value)
    assert.ok('expected' in reading)
    assert.match(reading.expected, expected)
  })
}
