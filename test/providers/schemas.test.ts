import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findArkViolations } from '../../providers/bytedance/ark/schema.ts'
import { visualSchema } from '../../providers/bytedance/visual/schema.ts'
import { falSchemas as fal } from '../../providers/fal/schema.ts'
import { configFields } from '../../providers/longstories/schema.ts'
import { findTaskViolations } from '../../providers/runware/validation.ts'
import { type BodySchema, describe as describeViolation, findViolations } from '../../providers/schema.ts'
import { wavespeedSchemas as wavespeed } from '../../providers/wavespeed/schema.ts'

const astral = '\u{1FA81}'

describe('a schema', () => {
  const schema: BodySchema = {
    text: { type: 'string', minLength: 2, maxLength: 4, required: true },
    bytes: { type: 'string', maxBytes: 4 },
    whole: { type: 'integer', min: 1, max: 3 },
    share: { type: 'number', min: 0, max: 1 },
    on: { type: 'boolean' },
    choice: { type: 'string', enum: ['a', 'b'] },
    link: { type: 'url' },
    media: { type: 'media' },
    list: { type: 'array', min: 1, max: 2, items: { type: 'string' } },
    nested: { type: 'object', fields: { name: { type: 'string', pattern: /^[a-z]+$/ } } },
  }
  const wrong = (body: object, options = {}) =>
    findViolations(schema, { text: 'fits', ...body }, options).map(({ field, kind }) => `${field}: ${kind}`)

  it('takes what fits', () => {
    assert.deepEqual(
      wrong({
        bytes: 'éé',
        whole: 3,
        share: 0.5,
        on: false,
        choice: 'b',
        link: 'https://a.example/b',
        media: 'data:image/png;base64,AAAA',
        list: ['a'],
        nested: { name: 'fox' },
      }),
      [],
    )
  })

  it('names what does not', () => {
    for (const [body, expected] of [
      [{ text: undefined }, 'text: missing'],
      [{ text: 5 }, 'text: type'],
      [{ text: 'a' }, 'text: length'],
      [{ text: ' a ' }, 'text: length'],
      [{ text: astral }, 'text: length'],
      [{ text: 'abcde' }, 'text: length'],
      [{ text: 'ab\uD800' }, 'text: type'],
      [{ text: 'ab\0' }, 'text: type'],
      [{ bytes: 'ééé' }, 'bytes: length'],
      [{ whole: 4 }, 'whole: range'],
      [{ whole: 0 }, 'whole: range'],
      [{ whole: 1.5 }, 'whole: type'],
      [{ whole: '1' }, 'whole: type'],
      [{ whole: 2 ** 53 }, 'whole: type'],
      [{ share: Number.NaN }, 'share: type'],
      [{ on: 'true' }, 'on: type'],
      [{ choice: 'c' }, 'choice: enum'],
      [{ link: 'data:image/png;base64,AAAA' }, 'link: type'],
      [{ link: 'ftp://a.example/b' }, 'link: type'],
      [{ list: [] }, 'list: range'],
      [{ list: ['a', 'b', 'c'] }, 'list: range'],
      [{ list: [1] }, 'list.0: type'],
      [{ nested: { name: 'Fox' } }, 'nested.name: pattern'],
      [{ nested: { other: 1 } }, 'nested.other: unknown'],
      [{ constructor: 1 }, 'constructor: unknown'],
      [{ on: null }, 'on: type'],
    ] as const) {
      assert.deepEqual(wrong(body), [expected], JSON.stringify(body))
    }
  })

  it('counts characters, not UTF-16 units', () => {
    assert.deepEqual(wrong({ text: astral.repeat(4) }), [])
    assert.deepEqual(wrong({ text: astral.repeat(5) }), ['text: length'])
  })

  it('takes null for what is not set, and any link, where it is asked to', () => {
    assert.deepEqual(wrong({ on: null, choice: null }, { nullIsAbsent: true }), [])
    assert.deepEqual(wrong({ link: 'file:input-1' }, { media: false }), [])
  })

  it('tells what a value must be', () => {
    const told = (body: object) => findViolations(schema, { text: 'fits', ...body }).map(describeViolation)
    assert.deepEqual(told({ whole: 9 }), ['must be from 1 to 3'])
    assert.deepEqual(told({ text: 'a' }), ['must be from 2 to 4 characters'])
    assert.deepEqual(told({ choice: 'c' }), ['must be one of a, b'])
  })
})

/** Facts of the vendors' references, so that a limit cannot be lost in the data that gateway and sandbox share. */
describe('what the vendors reject', () => {
  const fields = (schema: BodySchema | undefined, body: object) =>
    findViolations(schema ?? {}, body).map(({ field }) => field)
  const prompt = 'A red kite'
  const image_url = 'https://a.example/b.png'

  it('FAL spells a duration in four ways', () => {
    for (const [id, good, bad] of [
      ['fal-ai/veo3', '8s', ['8', 8, '5s', '7s']],
      ['fal-ai/veo2', '5s', ['5', 5, '4s', '10s']],
      ['fal-ai/kling-video/v2/master/text-to-video', '5', [5, '5s', '8']],
      ['fal-ai/minimax/hailuo-02/standard/text-to-video', '6', [6, '6s', '5']],
      ['fal-ai/bytedance/seedance/v1/lite/text-to-video', '12', [12, '13', '1']],
      ['fal-ai/sora-2/text-to-video', 8, ['8', '8s', 6]],
      ['fal-ai/ltx-2/text-to-video', 6, ['6', 12]],
      ['fal-ai/ltx-2/text-to-video/fast', 20, ['20', 7]],
      ['fal-ai/wan-25-preview/text-to-video', '10', [10, '6']],
      ['fal-ai/pixverse/v5/text-to-video', '8', [8, '10']],
    ] as const) {
      assert.deepEqual(fields(fal[id], { prompt, duration: good }), [], id)
      for (const duration of bad)
        assert.deepEqual(fields(fal[id], { prompt, duration }), ['duration'], `${id} ${duration}`)
    }
  })

  it('FAL has fewer camera movements than Runware, and counts bytes of a PixVerse prompt', () => {
    const pixverse = fal['fal-ai/pixverse/v4.5/image-to-video']
    assert.deepEqual(fields(pixverse, { prompt, image_url, camera_movement: 'crane_up' }), [])
    assert.deepEqual(fields(pixverse, { prompt, image_url, camera_movement: 'auto_camera' }), [
      'camera_movement',
    ])
    assert.deepEqual(fields(pixverse, { prompt: 'é'.repeat(1025), image_url }), ['prompt'])
    assert.deepEqual(fields(fal['fal-ai/vidu/q1/text-to-video'], { prompt: 'x'.repeat(1501) }), ['prompt'])
  })

  it('WaveSpeed has seeds of 31 bits', () => {
    const seeded = Object.entries(wavespeed).filter(([, schema]) => schema.seed !== undefined)
    assert.notEqual(seeded.length, 0)
    for (const [path, schema] of seeded) {
      const seeds = (seed: unknown) => fields({ seed: schema.seed ?? { type: 'integer' } }, { seed })
      assert.deepEqual([-1, 0, 2 ** 31 - 1].flatMap(seeds), [], path)
      for (const seed of [-2, 2 ** 31, 2 ** 53, 0.5, '5'])
        assert.deepEqual(seeds(seed), ['seed'], `${path} ${seed}`)
    }
  })

  it('Runware has prompts of two characters at least, and seeds from 1', () => {
    const task = { model: 'pixverse:1@5', positivePrompt: prompt, width: 1280, height: 720, duration: 5 }
    const codes = (changes: object) => findTaskViolations({ ...task, ...changes }).map(({ code }) => code)
    assert.deepEqual(codes({}), [])
    assert.deepEqual(codes({ positivePrompt: 'x' }), ['invalidPositivePrompt'])
    assert.deepEqual(codes({ positivePrompt: ' x ' }), ['invalidPositivePrompt'])
    assert.deepEqual(codes({ positivePrompt: astral.repeat(2048) }), [])
    assert.deepEqual(codes({ positivePrompt: astral.repeat(2049) }), ['invalidPositivePrompt'])
    assert.deepEqual(codes({ negativePrompt: 'x' }), ['invalidNegativePrompt'])
    assert.deepEqual(codes({ seed: 0 }), ['invalidSeed'])
    const sound = { soundEffectSwitch: true, soundEffectContent: 'x' }
    assert.deepEqual(codes({ providerSettings: { pixverse: sound } }), ['invalidProviderSettings'])
  })

  it('Ark has seeds of 32 bits, and each model its own roles and fields', () => {
    const text = { type: 'text', text: prompt }
    const frame = (role?: string) => ({
      type: 'image_url',
      image_url: { url: image_url },
      ...(role && { role }),
    })
    const ark = (model: string, content: object[], more = {}) =>
      findArkViolations({ model, content, ...more }).map(({ field }) => field)
    const fast = 'seedance-1-0-pro-fast-251015'
    assert.deepEqual(ark(fast, [text], { seed: 2 ** 32 - 1, generate_audio: null }), [])
    assert.deepEqual(ark(fast, [text], { seed: 2 ** 32 }), ['seed'])
    assert.deepEqual(ark(fast, [text], { generate_audio: true }), ['generate_audio'])
    assert.deepEqual(ark(fast, [text, frame(), frame('last_frame')]), ['content'])
    assert.deepEqual(
      ark('seedance-1-5-pro-251215', [text, frame(), frame('last_frame')], { generate_audio: true }),
      [],
    )
    assert.deepEqual(ark('seedance-1-5-pro-251215', [text, frame('reference_image')]), ['content'])
    assert.deepEqual(
      ark('dreamina-seedance-2-0-260128', [text, frame('reference_image')], { duration: 15 }),
      [],
    )
    assert.deepEqual(ark('dreamina-seedance-2-0-260128', [text], { service_tier: 'flex' }), ['service_tier'])
    assert.deepEqual(ark(fast, []), ['content', 'content'])
    assert.deepEqual(ark('seedance-9-9-pro-991231', [text]), ['model'])
  })

  it('OmniHuman has prompts of 300 characters, and LongStories settings of known values', () => {
    const task = { req_key: 'a', image_url, audio_url: image_url, output_resolution: 1080 }
    assert.deepEqual(fields(visualSchema, { ...task, prompt: astral.repeat(300) }), [])
    assert.deepEqual(fields(visualSchema, { ...task, prompt: 'x'.repeat(301), output_resolution: 480 }), [
      'prompt',
      'output_resolution',
    ])
    assert.deepEqual(fields(configFields.musicConfig, { volume: 1.1 }), ['volume'])
    assert.deepEqual(fields(configFields.scriptConfig, { targetLengthInSeconds: 4, style: 'noir' }), [
      'style',
      'targetLengthInSeconds',
    ])
  })
})
