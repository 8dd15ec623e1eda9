import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Field } from '../../../providers/input.ts'
import { mediaFields } from '../../../providers/input.ts'
import {
  acceptedNames,
  allFields,
  fields,
  matchFieldName,
  normalizeName,
} from '../../../src/catalogue/fields.ts'
import { validateForModel } from '../../../src/catalogue/validation/validate.ts'
import { link, pixel, sample } from '../sample-input.ts'

/** Every published spelling: name, value, canonical field, canonical value. */
const spellings: readonly (readonly [string, unknown, Field, unknown])[] = [
  ['text', 'hello', 'prompt', 'hello'],
  ['duration', '8', 'duration', 8],
  ['seconds', '8', 'duration', 8],
  ['targetLengthInSeconds', 8, 'duration', 8],
  ['aspectRatio', '9:16', 'aspect_ratio', '9:16'],
  ['aspect', 'Portrait', 'aspect_ratio', '9:16'],
  ['aspect', 'Landscape', 'aspect_ratio', '16:9'],
  ['orientation', 'portrait', 'aspect_ratio', '9:16'],
  ['ratio', 'Auto', 'aspect_ratio', 'auto'],
  ['target_resolution', '720P', 'resolution', '720p'],
  ['video_quality', '720', 'resolution', '720p'],
  ['size', '1280×720', 'size', '1280x720'],
  ['size', '1280*720', 'size', '1280x720'],
  ['size', '1280 X 720', 'size', '1280x720'],
  ['generate_audio', true, 'generateAudio', true],
  ['enable_audio', true, 'generateAudio', true],
  ['sound', 'on', 'generateAudio', true],
  ['audioEnabled', 1, 'generateAudio', true],
  ['enhance_prompt', true, 'enhancePrompt', true],
  ['enable_prompt_expansion', true, 'enhancePrompt', true],
  ['enablePromptExpansion', true, 'enhancePrompt', true],
  ['prompt_optimizer', true, 'enhancePrompt', true],
  ['prompt_extend', true, 'enhancePrompt', true],
  ['prompt_upsampling', true, 'enhancePrompt', true],
  ['pro', true, 'pro_mode', true],
  ['proMode', true, 'pro_mode', true],
  ['camera_fix', true, 'camera_fixed', true],
  ['cameraFixed', true, 'camera_fixed', true],
  ['showExplicitContent', true, 'enable_safety_checker', false],
  ['showExplicitContent', 'false', 'enable_safety_checker', true],
  ['fps', '24', 'frames_per_second', 24],
  ['framesPerSecond', 24, 'frames_per_second', 24],
  ['numFrames', '81', 'num_frames', 81],
  ['guidance_scale', 3.5, 'cfg_scale', 3.5],
  ['guidanceScale', '3.5', 'cfg_scale', 3.5],
  ['audioDataUrl', 'data:audio/mpeg;base64,AAAA', 'audio', 'data:audio/mpeg;base64,AAAA'],
  ['audioUrl', link, 'audio', link],
  ['audio_url', link, 'audio', link],
  ['lastImage', link, 'last_image', link],
  ['end_image', pixel, 'last_image', pixel],
  ['reference_images', JSON.stringify([link]), 'referenceImages', [link]],
  ['reference_image', link, 'referenceImages', [link]],
  ['referenceImages', [{ url: link }, pixel], 'referenceImages', [link, pixel]],
  ['voiceId', 'commercial', 'voice_id', 'commercial'],
  ['voice', 'commercial', 'voice_id', 'commercial'],
  ['motion', 'LOW', 'motion', 'low'],
  ['motion', { enabled: true, strength: 2 }, 'motionConfig', { enabled: true, strength: 2 }],
]

for (const [name, value, field, expected] of spellings) {
  test(`${name} ${JSON.stringify(value)} is read as ${field}`, () => {
    const admitted = validateForModel(sample, { prompt: name === 'text' ? null : 'a fox', [name]: value })
    assert.ok(admitted.ok, JSON.stringify(admitted))
    assert.deepEqual(admitted.input[field], expected)
    assert.deepEqual(admitted.warnings, [])
  })
}

for (const name of ['image', 'imageUrl', 'image_url', 'imageDataUrl', 'image_data_url']) {
  for (const value of [
    link,
    pixel,
    { url: link },
    { dataUrl: pixel },
    { imageUrl: link },
    { image_url: { url: link } },
  ]) {
    test(`${name} takes ${JSON.stringify(value)}`, () => {
      const admitted = validateForModel(sample, { prompt: 'a fox', [name]: value })
      assert.ok(admitted.ok, JSON.stringify(admitted))
      assert.equal(admitted.input.image, JSON.stringify(value).includes(pixel) ? pixel : link)
    })
  }
}

for (const name of ['video', 'videoUrl', 'video_url', 'videoDataUrl', 'video_data_url']) {
  test(`${name} takes a link and a data URL`, () => {
    for (const value of ['http://files.example/one.mp4', 'data:video/mp4;base64,AAAA']) {
      const admitted = validateForModel(sample, { prompt: 'a fox', [name]: value })
      assert.ok(admitted.ok, JSON.stringify(admitted))
      assert.equal(admitted.input.video, value)
    }
  })
}

for (const name of [
  'last_frame',
  'lastFrame',
  'last_frame_image',
  'last_image_url',
  'last_frame_url',
  'endImage',
  'end_image_url',
  'end_frame',
  'end_frame_image',
  'image_tail',
  'imageTail',
  'tail_image',
  'tail_image_url',
  'tailImageUrl',
  'final_frame',
  'last_image_data_url',
]) {
  test(`${name} is the last image`, () => {
    const admitted = validateForModel(sample, { prompt: 'a fox', [name]: link })
    assert.deepEqual(admitted.ok && [admitted.input.last_image, admitted.warnings], [link, []])
  })
}

for (const name of [
  'first_frame',
  'first_frame_image',
  'firstFrame',
  'first_frame_url',
  'start_image',
  'start_image_url',
  'start_frame',
  'input_image',
  'init_image',
  'source_image',
  'images',
  'image_urls',
]) {
  test(`${name} is the image`, () => {
    const admitted = validateForModel(sample, { prompt: 'a fox', [name]: name.endsWith('s') ? [link] : link })
    assert.deepEqual(admitted.ok && [admitted.input.image, admitted.warnings], [link, []])
  })
}

test('a list of frames names the first and the last image', () => {
  const lists: readonly (readonly [string, unknown])[] = [
    [
      'frameImages',
      [
        { inputImage: link, frame: 'first' },
        { inputImage: pixel, frame: 'last' },
      ],
    ],
    [
      'frameImages',
      [
        { image: pixel, frame: 'last' },
        { image: link, frame: 'first' },
      ],
    ],
    ['frame_images', [link, pixel]],
    [
      'frame_images',
      [
        { type: 'image_url', image_url: { url: link }, frame_type: 'first_frame' },
        { type: 'image_url', image_url: { url: pixel }, frame_type: 'last_frame' },
      ],
    ],
  ]
  for (const [name, list] of lists) {
    const admitted = validateForModel(sample, { prompt: 'a fox', [name]: list })
    assert.ok(admitted.ok, JSON.stringify(admitted))
    assert.deepEqual([admitted.input.image, admitted.input.last_image, admitted.warnings], [link, pixel, []])
  }
  const both = validateForModel(sample, { prompt: 'a fox', image: link, frameImages: [{ image: pixel }] })
  assert.equal(both.ok && both.input.image, link)
})

test('negativePrompt is the negative prompt, in any case', () => {
  for (const name of ['negative_prompt', 'negativePrompt', 'NEGATIVE_PROMPT']) {
    assert.deepEqual(matchFieldName(name), { field: 'negative_prompt', rank: 0, isOpposite: false })
  }
})

test('no name tells two fields', () => {
  const names = allFields.flatMap(acceptedNames).map(normalizeName)
  assert.deepEqual(
    names.filter((name, index) => names.indexOf(name) !== index),
    [],
  )
  for (const name of names) assert.notEqual(matchFieldName(name), 'metadata', name)
})

test('what our own routes set cannot be told by a request', () => {
  for (const name of ['extendTask', 'extendIndex', 'extend_task'])
    assert.equal(matchFieldName(name), undefined)
})

test('the vocabulary and the media fields agree', () => {
  const media = allFields.filter((field) => ['media', 'mediaList'].includes(fields[field].kind))
  assert.deepEqual([...media].sort(), Object.keys(mediaFields).sort())
})

test('every field has one plain sentence for the documentation', () => {
  for (const field of allFields) {
    assert.match(fields[field].description, /^[A-Z].*\.$/, field)
    assert.notEqual(fields[field].label, '', field)
  }
})
