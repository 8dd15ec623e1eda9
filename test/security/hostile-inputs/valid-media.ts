import { dataUrl } from '../../media/files.ts'
import {
  accepted,
  base64,
  boundary,
  fixture,
  form,
  formOf,
  type HostileInput,
  largeImage,
  modelPart,
  ok,
  type Part,
  pixel,
  promptPart,
  rawPart,
  storyOf,
  submit,
  withImage,
} from './input.ts'

const encodings: Readonly<Record<string, string>> = {
  'the common form': dataUrl('image/png', pixel),
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
  'a large one': dataUrl('image/png', largeImage),
  'a large one without padding': dataUrl('image/png', largeImage).replace(/=+$/, ''),
  'a large URL-safe one': `data:image/png;base64,${largeImage.toString('base64url')}`,
  'a large one with line ends': `data:image/png;base64,${largeImage.toString('base64').replace(/.{76}/g, '$&\r\n')}`,
  'a large one, escaped': `data:image/png;base64,${encodeURIComponent(largeImage.toString('base64'))}`,
  'a large one without a type': `data:;base64,${largeImage.toString('base64')}`,
  'a large bare one': largeImage.toString('base64'),
}

export const validMedia: Readonly<Record<string, readonly HostileInput[]>> = {
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
    submit('a large image of a character', storyOf(dataUrl('image/png', largeImage)), accepted),
    submit('a large bare image of a character', storyOf(largeImage.toString('base64')), accepted),
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
    form('a text file as the prompt', [modelPart, ['prompt', 'a boat', 'p.txt', 'text/plain']], ok),
    form(
      'a prompt that is JSON, and says so',
      [modelPart, ['prompt', '{"a":', 'p.json', 'application/json']],
      ok,
    ),
    form(
      'an image that says it is text',
      [modelPart, promptPart, ['input_reference', pixel, 'a', 'text/plain']],
      ok,
    ),
    form('a path as a file name', [modelPart, promptPart, ['input_reference', pixel, '../../a.png']], ok),
    form(
      'empty file inputs',
      [modelPart, promptPart, ['input_reference', '', '', 'application/octet-stream'], ['seed', '', '']],
      ok,
    ),
    form('a data URL as a text', [modelPart, promptPart, ['image', dataUrl('image/png', largeImage)]], ok),
    form('a part without a head', [modelPart, promptPart, Buffer.from(`--${boundary}\r\n`)], ok),
    ...(['small', 'large'] as const).flatMap((size) => {
      const image = dataUrl('image/png', size === 'small' ? pixel : largeImage)
      const story: Part = ['model', 'longstories-movie']
      const characters = [{ name: 'a', image }]
      return [
        form(
          `an object of JSON, ${size}`,
          [story, promptPart, ['storyConfig', JSON.stringify({ characters })]],
          ok,
        ),
        form(`a list of JSON, ${size}`, [story, promptPart, ['characters', JSON.stringify(characters)]], ok),
        form(
          `an image in JSON, ${size}`,
          [modelPart, promptPart, ['image', JSON.stringify({ url: image })]],
          ok,
        ),
        form(
          `a reference in JSON, ${size}`,
          [modelPart, promptPart, ['input_reference', JSON.stringify({ image_url: image })]],
          ok,
        ),
      ]
    }),
    form('`n: 1`', [modelPart, promptPart, ['n', '1']], ok),
    form(
      '200 fields',
      [modelPart, promptPart, ...Array.from({ length: 198 }, (_, at): Part => [`f${at}`, 'x'])],
      ok,
    ),
    form('an unknown field twice', [modelPart, promptPart, ['x', '1'], ['x', '2']], ok),
    form(
      'a file in an unused field',
      [modelPart, promptPart, ['x', Buffer.alloc(200_000, 0xff), 'x.bin']],
      ok,
    ),
    form(
      'text before and after it',
      Buffer.concat([
        Buffer.from('a preamble\r\n'),
        formOf([modelPart, promptPart]),
        Buffer.from('an epilogue'),
      ]),
      ok,
    ),
    form('a NUL and emoji in the prompt', [modelPart, ['prompt', 'a\0 🚣']], ok),
    form(
      'heads in another case',
      [modelPart, rawPart('CONTENT-DISPOSITION: FORM-DATA; NAME="prompt"', 'a boat')],
      ok,
    ),
    form(
      'a name without quotes',
      [modelPart, rawPart('Content-Disposition: form-data; name=prompt', 'a boat')],
      ok,
    ),
    {
      ...form('a boundary in quotes', formOf([modelPart, promptPart]), ok),
      headers: { 'content-type': `multipart/form-data; boundary="${boundary}"` },
    },
    {
      ...form('a type in another case', formOf([modelPart, promptPart]), ok),
      headers: { 'content-type': `Multipart/Form-Data; Boundary=${boundary}; charset=UTF-8` },
    },
  ],
}
