import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildLegacyListEntry, buildListEntry, buildModelSummary } from '../../src/catalogue/listing.ts'
import type { Model } from '../../src/catalogue/model.ts'
import { sample } from './sample-input.ts'

const entry = buildListEntry(sample, true)

test('an entry has what every model list has', () => {
  const common = { id: 'sample-video', object: 'model', created: 1748736000, owned_by: 'nobody' }
  assert.deepEqual(buildModelSummary(sample), common)
  assert.deepEqual({ ...entry, ...common }, entry)
})

test('an entry tells what goes in', () => {
  assert.deepEqual(entry.architecture, {
    modality: 'text+image+audio+video->video',
    input_modalities: ['text', 'image', 'audio', 'video'],
    output_modalities: ['video'],
  })
  assert.deepEqual(entry.tags, ['text-to-video', 'image-to-video', 'video-to-video'])
})

test('an entry tells what the model can do', () => {
  assert.deepEqual(entry.capabilities, {
    video_generation: true,
    text_to_video: true,
    image_to_video: true,
    video_to_video: true,
    audio_input: true,
    audio_generation: true,
    fps_control: true,
    nsfw: true,
  })
  const bare: Model = { ...sample, modes: ['video'], fields: { video: { required: true } } }
  assert.deepEqual(buildListEntry(bare, true).capabilities, {
    video_generation: true,
    text_to_video: false,
    image_to_video: false,
    video_to_video: true,
    audio_input: false,
    audio_generation: false,
    fps_control: false,
    nsfw: false,
  })
})

test('the flat lists name what every mode renders; the rest is told by mode', () => {
  const { parameters, modes, ...flat } = entry.supported_parameters
  assert.deepEqual(flat, {
    resolutions: ['720p'],
    aspect_ratios: ['16:9', '9:16', 'auto'],
    supported_modes: ['text-to-video', 'image-to-video', 'video-to-video'],
    max_reference_images: 2,
  })
  assert.equal('duration' in parameters, false)
  const { 'text-to-video': text, 'image-to-video': image, 'video-to-video': video } = modes ?? {}
  assert.deepEqual([text?.durations, image?.durations, video?.durations], [[4, 6, 8], [4, 6, 8], [5]])
  assert.deepEqual([text?.aspect_ratios, image?.aspect_ratios], [['16:9', '9:16', 'auto'], undefined])
  assert.deepEqual(parameters.aspect_ratio?.modes, ['text-to-video', 'video-to-video'])
  assert.deepEqual(text?.parameters.resolution?.options, [
    { value: '720p', label: '720p' },
    { value: '1080p', label: '1080p', showWhen: { pro_mode: true } },
  ])
})

test('a range of seconds is listed second by second', () => {
  const model: Model = { ...sample, fields: { duration: { min: 2, max: 5 } } }
  assert.deepEqual(buildListEntry(model, true).supported_parameters.durations, [2, 3, 4, 5])
})

test('each parameter is of a kind that a form can show', () => {
  const { parameters } = entry.supported_parameters
  assert.deepEqual(parameters.resolution, {
    type: 'select',
    label: 'Resolution',
    description: 'How fine the picture is.',
    default: '720p',
    options: [{ value: '720p', label: '720p' }],
  })
  assert.deepEqual(
    [parameters.frames_per_second, parameters.generateAudio, parameters.script].map((shown) => ({
      ...shown,
      label: '',
      description: '',
    })),
    [
      { type: 'number', label: '', description: '', min: 4, max: 60, step: 1 },
      { type: 'switch', label: '', description: '', default: false },
      { type: 'text', label: '', description: '', modes: ['text-to-video', 'video-to-video'] },
    ],
  )
  for (const field of ['prompt', 'image', 'video', 'referenceImages', 'storyConfig', 'characters']) {
    assert.equal(field in parameters, false, field)
  }
})

test('an entry says whether an upstream can be asked now', () => {
  assert.equal(entry.available, true)
  assert.equal(buildListEntry(sample, false).available, false)
})

test('an entry of the older list has what its one client reads', () => {
  const { name, dateAdded, cost, subscription, additionalParams, defaultSettings } =
    buildLegacyListEntry(sample)
  assert.deepEqual([name, dateAdded, subscription.included], ['Sample', '2025-06-01T00:00:00.000Z', false])
  assert.equal(cost.per_second, 0.1)
  assert.deepEqual(additionalParams, entry.supported_parameters.parameters)
  assert.deepEqual(defaultSettings, {
    duration: 6,
    aspect_ratio: '16:9',
    resolution: '720p',
    generateAudio: false,
    mode: 'animate',
  })
})
