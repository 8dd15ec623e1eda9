import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromOpenai } from '../../../src/api/openai/from-openai.ts'
import { toOpenaiVideo } from '../../../src/api/openai/openai-video.ts'
import { secondsOfInput, sizeOfInput, toSizeFields } from '../../../src/api/openai/size.ts'
import { findModel, models } from '../../../src/catalogue/models/index.ts'
import { listFieldValues } from '../../../src/catalogue/parameters.ts'
import { validateRequest } from '../../../src/catalogue/validation/validate.ts'
import type { JobView } from '../../../src/jobs/job.ts'

function modelOf(id: string) {
  const model = findModel(id)
  assert.ok(model, id)
  return model
}

const sizes: readonly (readonly [string, string, object])[] = [
  ['sora-2', '1280x720', { resolution: '720p', aspect_ratio: '16:9' }],
  ['sora-2', '720x1280', { resolution: '720p', aspect_ratio: '9:16' }],
  ['sora-2', '1024x1792', { resolution: '1792x1024', aspect_ratio: '9:16' }],
  ['sora-2', ' 1792 x 1024 ', { resolution: '1792x1024', aspect_ratio: '16:9' }],
  ['veo3-video', '1080x1920', { resolution: '1080p', aspect_ratio: '9:16' }],
  ['wan-video-22', '832x480', { resolution: '480p', aspect_ratio: '16:9' }],
  ['kling-video-v2', '1920x1080', { aspect_ratio: '16:9' }],
  ['veed-fabric-1.0', '720x1280', { resolution: '720p' }],
  ['vidu-video', '1920x1080', { size: '1920x1080' }],
  ['minimax-video', '1280x720', { size: '1280x720' }],
]

for (const [id, size, parameters] of sizes) {
  test(`${size} as fields of ${id}`, () => assert.deepEqual(toSizeFields(modelOf(id), size), parameters))
}

test('an unsupported size is rejected with the supported sizes', () => {
  const rejection = {
    code: 'invalid_parameter_value',
    param: 'size',
    message: /1280x720, 720x1280, 1792x1024, 1024x1792/,
  }
  for (const size of ['640x480', 'large', '0x0', '-1x5', '']) {
    assert.throws(() => toSizeFields(modelOf('sora-2'), size, 'strict'), rejection, size)
    assert.deepEqual(toSizeFields(modelOf('sora-2'), size), { size })
  }
})

test('every resolution and ratio of every model can be recovered from its reported size', () => {
  let compared = 0
  for (const model of models) {
    if (model.fields.size !== undefined) continue
    for (const resolution of listFieldValues(model, 'resolution').map(String)) {
      for (const aspect_ratio of listFieldValues(model, 'aspect_ratio').map(String)) {
        const size = sizeOfInput({ resolution, aspect_ratio })
        if (size === null) continue
        assert.deepEqual(toSizeFields(model, size), { resolution, aspect_ratio }, `${model.id} ${size}`)
        compared += 1
      }
    }
  }
  assert.ok(compared > 50)
})

test('size and length are reported if they are known', () => {
  assert.equal(sizeOfInput({ resolution: '480p', aspect_ratio: '16:9' }), '854x480')
  assert.equal(sizeOfInput({ resolution: '4k', aspect_ratio: '9:16' }), '2160x3840')
  assert.equal(sizeOfInput({ size: '832x480' }), '832x480')
  assert.equal(sizeOfInput({ size: '16:9' }), null)
  assert.equal(sizeOfInput({ resolution: '720p' }), null)
  assert.equal(secondsOfInput('sora-2', { duration: 8 }), '8')
  assert.equal(secondsOfInput('vidu-video', {}), '5')
  assert.equal(secondsOfInput('video-upscaler', {}), null)
})

test('a body without a model, or with a dated name of Sora, selects Sora', () => {
  const portrait = { model: 'sora-2', resolution: '720p', aspect_ratio: '9:16', prompt: 'a boat' }
  assert.deepEqual(fromOpenai({ prompt: 'a boat' }), portrait)
  assert.deepEqual(fromOpenai({ prompt: 'a boat', model: '' }), portrait)
  assert.deepEqual(fromOpenai({ prompt: 'a boat', model: 'sora-2-2025-12-08' }), portrait)
  assert.deepEqual(fromOpenai({ prompt: 'a boat', model: 'sora-2-pro' }), { ...portrait, pro_mode: true })
  assert.deepEqual(fromOpenai({ prompt: 'a boat', orientation: 'landscape' }), {
    model: 'sora-2',
    orientation: 'landscape',
    prompt: 'a boat',
  })
})

test('a reference is sent in the field that the model supports', () => {
  const fieldOf = (model: string, input_reference: unknown) => {
    const {
      model: _model,
      prompt: _prompt,
      ...rest
    } = fromOpenai({ model, prompt: 'it moves', input_reference })
    return rest
  }
  const link = 'https://pictures.example/a.png'
  assert.deepEqual(fieldOf('sora-2', link), { input_reference: link })
  assert.deepEqual(fieldOf('sora-2', { image_url: link }), { input_reference: link })
  assert.deepEqual(fieldOf('sora-2', { file_id: 'att_1' }), { input_reference: 'attachment:att_1' })
  assert.deepEqual(fieldOf('wan-wavespeed-video-edit', link), { video: link })
  assert.deepEqual(fieldOf('wan-wavespeed-22-animate', 'data:video/mp4;base64,AAAA'), {
    video: 'data:video/mp4;base64,AAAA',
  })
  const refused = { code: 'invalid_parameter_value', param: 'input_reference' }
  assert.throws(() => fieldOf('sora-2', 'data:audio/mpeg;base64,AAAA'), refused)
  assert.throws(() => fieldOf('wan-wavespeed-video-edit', 'data:image/png;base64,AAAA'), refused)
  assert.throws(() => fieldOf('sora-2', { url: link }), refused)
  assert.throws(() => fieldOf('sora-2', 5), refused)
  const admitted = validateRequest(fromOpenai({ prompt: 'it moves', input_reference: link }))
  assert.ok(admitted.ok)
  assert.equal(admitted.input.image, link)
})

test('each state has the status value of that API', () => {
  const view: JobView = {
    id: 'vid_1',
    version: 1,
    model: 'sora-2',
    state: 'pending',
    progress: 0,
    createdAt: 1_700_000_000_900,
    costUsd: 0,
  }
  const parameters = {
    pending: 'queued',
    submitting: 'queued',
    queued: 'queued',
    processing: 'in_progress',
    generating: 'in_progress',
    delivering: 'in_progress',
    succeeded: 'completed',
    failed: 'failed',
    canceled: 'failed',
  } as const
  for (const [state, word] of Object.entries(parameters)) {
    assert.equal(toOpenaiVideo({ ...view, state: state as JobView['state'] }, {}, undefined).status, word)
  }
  const ended = toOpenaiVideo(
    { ...view, state: 'succeeded', completedAt: 1_700_000_060_000 },
    { pro_mode: true },
    3_600_000,
  )
  assert.deepEqual(
    [ended.model, ended.created_at, ended.completed_at, ended.expires_at],
    ['sora-2-pro', 1_700_000_000, 1_700_000_060, 1_700_003_660],
  )
})
