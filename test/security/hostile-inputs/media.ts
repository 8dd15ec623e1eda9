import { dataUrl, png, video } from '../../media/files.ts'
import {
  badRequest,
  base64,
  fixture,
  formOf,
  get,
  type HostileInput,
  invalid,
  job,
  largeImage,
  library,
  loneSurrogate,
  missing,
  notFound,
  pixel,
  refused,
  storyOf,
  submit,
  withImage,
  wrongType,
} from './input.ts'

// Data URLs that are broken, and media that is not what it should be.
export const media: readonly HostileInput[] = [
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
    'a large image of other bytes at its end': `data:image/png;base64,${largeImage.toString('base64')}*`,
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
    const content = (size === 'small' ? pixel : largeImage).toString('base64')
    const refusals: Readonly<Record<string, string>> = {
      'with a NUL at its end': `data:image/png;base64,${content}\0`,
      'with a NUL ahead of it': `\0data:image/png;base64,${content}`,
      'with a NUL in its head': `data:image/png;name=\0;base64,${content}`,
      'with a lone surrogate in its head': `data:image/png;name=${loneSurrogate};base64,${content}`,
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
    withImage(dataUrl('image/png', largeImage.subarray(0, -5))),
    invalid('image'),
  ),
]

// The library.
export const libraries: readonly HostileInput[] = [
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
    [['file', largeImage, 'a.png'], ...Array(21).fill(['f', 'x'])],
    refused(413, 'payload_too_large'),
  ),
  library(
    'a good file in a form without its end',
    formOf([['file', largeImage, 'a.png']]).subarray(0, -6),
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
