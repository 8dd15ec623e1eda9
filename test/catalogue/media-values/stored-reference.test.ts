import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Input } from '../../../providers/input.ts'
import {
  extensionOf,
  formatStoredReference,
  listMedia,
  parseStoredReference,
  replaceMedia,
  storedInputName,
  toProviderMedia,
} from '../../../src/catalogue/media-values/stored-reference.ts'
import { createInputLinks, readOrCreateLinkSecret } from '../../../src/media/inputs/input-links.ts'
import { createKeys } from '../../../src/redis/keys.ts'
import { createCleanup, startRedis } from '../../support/setup.ts'

const hash = 'ab'.repeat(32)
const held = { hash, bytes: 10, contentType: 'image/svg+xml' }

describe('a reference to a stored file', () => {
  it('names hash, size and type, and is read back', () => {
    const text = formatStoredReference(held)
    assert.equal(text, `stored:${hash}:10:image/svg+xml`)
    assert.deepEqual(parseStoredReference(text), held)
    assert.equal(storedInputName(held), `inputs/${hash}`)
  })

  for (const text of [
    'https://files.example/a.png',
    `x${formatStoredReference(held)}`,
    `${formatStoredReference(held)}\n`,
    `${formatStoredReference(held)} x`,
    `stored:${hash.slice(1)}:10:image/png`,
    `stored:${hash}0:10:image/png`,
    `stored:${hash.toUpperCase()}:10:image/png`,
    `stored:${hash}::image/png`,
    `stored:${hash}:ten:image/png`,
    `stored:${hash}:10:`,
    `stored:${hash}:10:a b`,
  ])
    it(`is not ${JSON.stringify(text.replace(hash, '<hash>'))}`, () =>
      assert.equal(parseStoredReference(text), undefined))

  it('becomes a named file for an upstream', () => {
    const media = toProviderMedia({ hash, bytes: 7, contentType: 'video/quicktime' }, 'video')
    assert.deepEqual(media, {
      kind: 'video',
      contentType: 'video/quicktime',
      bytes: 7,
      filename: 'video.mov',
    })
  })
})

describe('the file extension of a content type', () => {
  for (const [type, extension] of Object.entries({
    'image/jpeg': 'jpg',
    'image/png': 'png',
    'image/webp': 'webp',
    'audio/mpeg': 'mp3',
    'video/mpeg': 'mpg',
    'audio/mp4': 'm4a',
    'video/mp4': 'mp4',
    'video/quicktime': 'mov',
    'audio/x-wav': 'wav',
    'video/matroska': 'mkv',
    'video/x': 'x',
    'image/abcde': 'abcde',
    'image/abcdef': 'bin',
    'image/svg+xml': 'bin',
    'image/../etc': 'bin',
    'image/a.b': 'bin',
    'image/': 'bin',
    nothing: 'bin',
  }))
    it(`${type}: ${extension}`, () => assert.equal(extensionOf(type), extension))
})

describe('the media of an input', () => {
  const input: Input = {
    prompt: 'https://not.media',
    image: 'one',
    referenceImages: ['two', 'three'],
    audio: 'four',
  }

  it('is every value of every media field', () => {
    const found = listMedia(input).map(({ field, kind, value }) => `${field} ${kind} ${value}`)
    assert.deepEqual(found.sort(), [
      'audio audio four',
      'image image one',
      'referenceImages image three',
      'referenceImages image two',
    ])
    assert.deepEqual(listMedia({ prompt: 'a boat' }), [])
  })

  it('is replaced value by value, and nothing else is', async () => {
    const mapped = await replaceMedia(input, async (value, kind, { field }) => `${value}/${kind}/${field}`)
    assert.deepEqual(mapped, {
      prompt: 'https://not.media',
      image: 'one/image/image',
      referenceImages: ['two/image/referenceImages', 'three/image/referenceImages'],
      audio: 'four/audio/audio',
    })
    assert.equal(input.image, 'one')
  })

  it('is replaced one after the other, so that two uploads never run at once', async () => {
    let running = 0
    await replaceMedia(input, async (value) => {
      assert.equal(++running, 1)
      await new Promise(setImmediate)
      running -= 1
      return value
    })
  })

  const held = formatStoredReference({ hash: 'a'.repeat(64), bytes: 7, contentType: 'audio/mpeg' })
  const story: Input = {
    storyConfig: {
      characters: [{ name: 'Fox', image: 'https://cdn.example/fox.png', look: { image: 'red' } }],
      scenes: [{ image: 'a red fox', sound: held, text: 'data: none' }, 'data:image/png;base64,AAAA'],
    },
    characters: ['a4f0a51b', { imageUrl: { url: 'one' }, reference_images: ['two'], voice: 'three' }],
    musicConfig: { 'a.b': 'data:audio/mpeg;base64,AAAA', a: { b: 'data:text/plain,AAAA' } },
  }

  it('may stand inside of objects: in the media of a character, and wherever a data URL or a held file is', async () => {
    const found = listMedia(story).map(({ path, kind, value }) => `${path} ${kind} ${value}`)
    assert.deepEqual(found, [
      'storyConfig.characters[0].image image https://cdn.example/fox.png',
      `storyConfig.scenes[0].sound audio ${held}`,
      'storyConfig.scenes[1] image data:image/png;base64,AAAA',
      'characters[1].imageUrl.url image one',
      'characters[1].reference_images[0] image two',
      'musicConfig["a.b"] audio data:audio/mpeg;base64,AAAA',
    ])
    const mapped = await replaceMedia(
      story,
      async (value, kind, { field }) => `${value.slice(0, 4)}/${kind}/${field}`,
    )
    assert.deepEqual(mapped, {
      storyConfig: {
        characters: [{ name: 'Fox', image: 'http/image/storyConfig', look: { image: 'red' } }],
        scenes: [
          { image: 'a red fox', sound: 'stor/audio/storyConfig', text: 'data: none' },
          'data/image/storyConfig',
        ],
      },
      characters: [
        'a4f0a51b',
        {
          imageUrl: { url: 'one/image/characters' },
          reference_images: ['two/image/characters'],
          voice: 'three',
        },
      ],
      musicConfig: { 'a.b': 'data/audio/musicConfig', a: { b: 'data:text/plain,AAAA' } },
    })
  })

  it('that is not there leaves the input as it is', async () => {
    const plain: Input = { prompt: 'a boat' }
    assert.equal(await replaceMedia(plain, async () => 'x'), plain)
    const emptied = await replaceMedia({ referenceImages: [] }, async () => 'x')
    assert.deepEqual(emptied, { referenceImages: [] })
  })
})

describe('a signed link', () => {
  const day = 24 * 3_600_000
  const file = { hash, bytes: 10, contentType: 'image/jpeg' }

  it('is valid for exactly 24 hours', () => {
    const links = createInputLinks('secret')
    const token = links.createToken(file, 1000)
    assert.deepEqual(links.readToken(token, 1000 + day), file)
    assert.equal(links.readToken(token, 1001 + day), 'expired')
    assert.match(token, /^[\w-]+\.[\w-]{27}\.jpg$/)
  })

  it('is valid now, where no time is given', () => {
    const links = createInputLinks('secret')
    assert.deepEqual(links.readToken(links.createToken(file)), file)
    assert.equal(links.readToken(links.createToken(file, Date.now() - day - 1000)), 'expired')
  })

  it('with a changed signature, also of another length, is none', () => {
    const links = createInputLinks('secret')
    const [content, signature = ''] = links.createToken(file).split('.')
    for (const wrong of [signature.slice(1), `${signature}AAAA`, `A${signature.slice(1)}A`, ''])
      assert.equal(links.readToken(`${content}.${wrong}.jpg`), undefined)
    assert.equal(createInputLinks('another').readToken(links.createToken(file)), undefined)
  })

  it('is signed with one secret by all processes over one Redis', async (t) => {
    const cleanup = createCleanup()
    t.after(() => cleanup.run())
    const { redis } = await startRedis(cleanup)
    const keys = createKeys('links:')
    const first = await readOrCreateLinkSecret(redis, keys)
    assert.match(first, /^[0-9a-f]{64}$/)
    assert.equal(await readOrCreateLinkSecret(redis, keys), first)
  })
})
