import { video } from '../../media/files.ts'
import {
  badRequest,
  form,
  formOf,
  type HostileInput,
  invalid,
  largeImage,
  missing,
  modelPart,
  nested,
  noJson,
  type Part,
  pixel,
  promptPart,
  refused,
} from './input.ts'

// Forms of the OpenAI API.
export const forms: readonly HostileInput[] = [
  form('`model` twice', [modelPart, modelPart, promptPart], invalid('model')),
  form('`prompt` twice', [modelPart, promptPart, promptPart], invalid('prompt')),
  form(
    '`seconds` twice under two brackets',
    [modelPart, promptPart, ['seconds', '4'], ['seconds', '8']],
    invalid('seconds'),
  ),
  ...[
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    'input_reference[constructor]',
    'x[__proto__]',
  ].map((name) => form(`a field named \`${name}\``, [modelPart, promptPart, [name, 'x']], badRequest)),
  form(
    '201 fields',
    [modelPart, promptPart, ...Array.from({ length: 199 }, (_, at): Part => [`f${at}`, 'x'])],
    refused(413, 'payload_too_large'),
  ),
  form(
    '201 fields of one name',
    [modelPart, promptPart, ...Array(199).fill(['f', 'x'])],
    refused(413, 'payload_too_large'),
  ),
  form(
    '9 files',
    [modelPart, promptPart, ...Array(9).fill(['referenceImages[]', pixel, 'a.png'])],
    refused(413, 'payload_too_large'),
  ),
  form('`n: 2`', [modelPart, promptPart, ['n', '2']], invalid('n')),
  form('`n: 0`', [modelPart, promptPart, ['n', '0']], invalid('n')),
  form('`n: abc`', [modelPart, promptPart, ['n', 'abc']], invalid('n')),
  form('no fields', [], missing('prompt')),
  form('an empty body', Buffer.alloc(0), { status: 400 }),
  form('no prompt', [modelPart], missing('prompt')),
  form(
    'an empty file as the prompt',
    [modelPart, ['prompt', '', '', 'application/octet-stream']],
    missing('prompt'),
  ),
  form('an image as the prompt', [modelPart, ['prompt', pixel, 'a.png', 'image/png']], invalid('prompt')),
  form(
    'a text as the image',
    [modelPart, promptPart, ['image', 'no image at all', 'a.txt', 'text/plain']],
    invalid('image'),
  ),
  form(
    'a video as the image',
    [modelPart, promptPart, ['image', video, 'a.mp4', 'image/png']],
    invalid('image'),
  ),
  form(
    'an image that is cut short',
    [modelPart, promptPart, ['image', pixel.subarray(0, -5), 'a.png', 'image/png']],
    invalid('image'),
  ),
  form(
    'a large image that is cut short',
    [modelPart, promptPart, ['image', largeImage.subarray(0, -5), 'a.png']],
    invalid('image'),
  ),
  form('a named empty file', [modelPart, promptPart, ['image', '', 'a.png', 'image/png']], invalid('image')),
  form(
    'a valid image with an unknown model',
    [['model', 'no-model'], promptPart, ['image', largeImage, 'a.png']],
    refused(404, 'model_not_found', 'model'),
  ),
  form('a valid image without a prompt', [modelPart, ['image', largeImage, 'a.png']], missing('prompt')),
  form(
    'a good image, and a field twice',
    [modelPart, promptPart, ['image', largeImage, 'a.png'], modelPart],
    invalid('model'),
  ),
  form(
    'a good image, and a bad one',
    [
      ['model', 'veo3-1-video'],
      promptPart,
      ['image', largeImage, 'a.png'],
      ['last_image', 'nothing', 'b.png'],
    ],
    invalid('last_image'),
  ),
  form('a NUL in a name', [modelPart, promptPart, ['a\0b', 'x']], { status: 400 }),
  form('invalid UTF-8 in a text', [modelPart, ['prompt', Buffer.from([0x61, 0xff])]], invalid('prompt')),
  form('a surrogate in a text', [modelPart, ['prompt', Buffer.from([0xed, 0xa0, 0x80])]], invalid('prompt')),
  form('a NUL in an ID', [modelPart, promptPart, ['conversationUUID', 'a\0']], invalid('conversationUUID')),
  form(
    'a text of 1.1 MB',
    [modelPart, ['prompt', 'x'.repeat(1_100_000)]],
    refused(413, 'payload_too_large', 'prompt'),
  ),
  form(
    'wrong JSON in an object',
    [modelPart, promptPart, ['storyConfig', '{', 'a.json', 'application/json']],
    refused(400, 'invalid_json', 'storyConfig'),
  ),
  form(
    '`__proto__` in an object',
    [['model', 'longstories-movie'], promptPart, ['storyConfig', '{"__proto__":{"a":1}}']],
    noJson,
  ),
  form(
    'an object that is none',
    [['model', 'longstories-movie'], promptPart, ['storyConfig', '{']],
    invalid('storyConfig'),
  ),
  form(
    '65 levels in an object',
    [['model', 'longstories-movie'], promptPart, ['storyConfig', `{"a":${nested(64)}}`]],
    badRequest,
  ),
  form('a link to a file', [modelPart, promptPart, ['image', 'file:///etc/passwd']], invalid('image')),
  form('a form without its end', formOf([modelPart, promptPart]).subarray(0, -8), badRequest),
  form(
    'a file without its end',
    formOf([modelPart, promptPart, ['image', largeImage, 'a.png']]).subarray(0, -2000),
    badRequest,
  ),
  form('no boundary in it', Buffer.from('model=sora-2'), badRequest),
  {
    ...form('no boundary in its type', formOf([modelPart, promptPart]), badRequest),
    headers: { 'content-type': 'multipart/form-data' },
  },
  {
    ...form('an empty boundary', formOf([modelPart, promptPart]), badRequest),
    headers: { 'content-type': 'multipart/form-data; boundary=' },
  },
  {
    ...form('another boundary', formOf([modelPart, promptPart]), badRequest),
    headers: { 'content-type': 'multipart/form-data; boundary=other' },
  },
]
