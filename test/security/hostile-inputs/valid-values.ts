import { dataUrl } from '../../media/files.ts'
import {
  accepted,
  field,
  type HostileInput,
  job,
  loneSurrogate,
  nested,
  pixel,
  rawJson,
  submit,
} from './input.ts'

export const validValues: Readonly<Record<string, readonly HostileInput[]>> = {
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
    submit('a lone surrogate in a prompt', { ...job, prompt: `a${loneSurrogate} boat` }, accepted),
    submit(
      'a lone surrogate in a second prompt',
      { model: 'kling-video-v2', prompt: 'x', negative_prompt: `a${loneSurrogate}` },
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
}
