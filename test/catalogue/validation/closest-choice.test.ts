import assert from 'node:assert/strict'
import { test } from 'node:test'
import { priceJob } from '../../../src/accounts/job-price.ts'
import { allFields, fields } from '../../../src/catalogue/fields.ts'
import { models } from '../../../src/catalogue/models/index.ts'
import { closestChoice } from '../../../src/catalogue/validation/closest-choice.ts'
import { relaxInput } from '../../../src/catalogue/validation/relax-input.ts'
import { validateForModel, validateRequest } from '../../../src/catalogue/validation/validate.ts'
import { leastRequest } from '../../support/least-request.ts'
import { link, sample } from '../sample-input.ts'

function admitted(body: Record<string, unknown>) {
  const result = validateRequest({ prompt: 'a fox', ...body })
  assert.ok(result.ok, JSON.stringify(result))
  return result
}

/** Model, what is asked, what is rendered. All of it is adjusted, so each needs a warning. */
const adjusted: readonly (readonly [string, Record<string, unknown>, Record<string, unknown>])[] = [
  ['minimax-hailuo-02', { duration: 5 }, { duration: 6 }],
  ['minimax-hailuo-02', { duration: 8 }, { duration: 10 }],
  ['minimax-hailuo-02', { duration: 60 }, { duration: 10 }],
  ['minimax-hailuo-02', { duration: 0 }, { duration: 6 }],
  ['minimax-hailuo-02', { duration: 'long' }, { duration: 6 }],
  ['minimax-hailuo-02', { duration: '7 seconds' }, { duration: 10 }],
  ['veo2-video', { duration: '10' }, { duration: 8 }],
  ['veo2-video', { aspect_ratio: '4:3' }, { aspect_ratio: '16:9' }],
  ['veo2-video', { aspect_ratio: '3:4' }, { aspect_ratio: '9:16' }],
  ['veo2-video', { aspect_ratio: '5:4' }, { aspect_ratio: '1:1' }],
  ['veo2-video', { aspect_ratio: '1:1', imageUrl: link }, { aspect_ratio: '16:9' }],
  ['veo2-video', { aspect_ratio: 'auto' }, { aspect_ratio: '16:9' }],
  ['veo2-video', { aspect_ratio: 'cinematic' }, { aspect_ratio: '16:9' }],
  ['seedance-video', { aspect_ratio: '9:21', imageUrl: link }, { aspect_ratio: '9:16' }],
  ['wan-video-22-5b', { aspect_ratio: 'auto' }, { aspect_ratio: '16:9' }],
  ['wan-video-22-5b', { num_frames: 500 }, { num_frames: 121 }],
  ['wan-video-22-5b', { num_frames: 90.4 }, { num_frames: 90 }],
  ['wan-video-22-5b', { fps: 2 }, { frames_per_second: 4 }],
  ['wan-video-22-5b', { interpolator_model: 'filmm' }, { interpolator_model: 'film' }],
  ['wan-video-22-5b', { interpolator_model: 'magic' }, { interpolator_model: undefined }],
  ['kling-video', { aspect_ratio: '21:9' }, { aspect_ratio: '16:9' }],
  ['kling-video', { aspect_ratio: '2.39:1' }, { aspect_ratio: '16:9' }],
  ['hunyuan-video', { resolution: '1080p' }, { resolution: '720p' }],
  ['hunyuan-video', { resolution: '4k' }, { resolution: '720p' }],
  ['hunyuan-video', { resolution: '360p' }, { resolution: '480p' }],
  ['hunyuan-video', { resolution: 'best' }, { resolution: '720p' }],
  ['hunyuan-video', { num_frames: 100 }, { num_frames: 85 }],
  ['sora-2', { resolution: '1792x1024' }, { resolution: '720p' }],
  ['sora-2', { resolution: '1080p' }, { resolution: '720p' }],
  ['sora-2', { resolution: '1080p', pro_mode: true }, { resolution: '1792x1024' }],
  ['vidu-video', { aspect_ratio: '3:4' }, { size: '9:16' }],
  ['vidu-video', { size: '1280x720' }, { size: '1920x1080' }],
  ['pixverse-v5', { style: 'watercolor' }, { style: undefined }],
  ['pixverse-v5', { size: '1000x1000' }, { size: '1080x1080' }],
  ['pixverse-v5', { motionMode: 'fast', duration: 8 }, { motionMode: 'normal' }],
  ['pixverse-v5', { size: '1280x720', resolution: '1080p' }, { resolution: '720p' }],
  ['pixverse-v5', { effect: 'kiss kiss', cameraMovement: 'zoom_in' }, { cameraMovement: undefined }],
  ['wan-wavespeed-22-plus', { enhancePrompt: true, resolution: '720p' }, { enhancePrompt: false }],
  ['pixverse-v5', { aspect_ratio: 'auto' }, { size: undefined }],
  ['vidu-video', { aspect_ratio: 'auto' }, { size: '16:9' }],
  ['wan-wavespeed-25', { size: '1280x720', resolution: '1080p' }, { size: '1280x720', resolution: '720p' }],
  [
    'wan-wavespeed-25',
    { size: '1280x720', aspect_ratio: '9:16' },
    { size: '1280x720', aspect_ratio: '16:9' },
  ],
  ['wan-wavespeed-22-plus', { size: '1080p', resolution: '480p' }, { size: '1080p', resolution: '1080p' }],
  [
    'video-upscaler',
    { prompt: null, video: link, size: '4k', resolution: '1080p' },
    { size: '4k', resolution: '4k' },
  ],
  ['wan-wavespeed-25', { size: '1024x1024' }, { size: '1920x1080', resolution: '1080p' }],
  ['kling-video', { aspect_ratio: 4 / 3 }, { aspect_ratio: '16:9' }],
  ['wan-wavespeed-25', { enhancePrompt: 'maybe' }, { enhancePrompt: false }],
  ['bytedance-waver-1.0', { imageUrl: link, duration: 10 }, { duration: 5 }],
  ['longstories-movie', { duration: 5 }, { duration: 30 }],
  ['longstories-movie', { targetLengthInWords: 500 }, { duration: 300 }],
  ['kling-lipsync-t2v', { video: 'https://a.example/1.mp4', voice_id: 'AOTT' }, { voice_id: 'AOT' }],
  ['veo2-video', { images: [link, 'https://a.example/2.png'] }, { image: link }],
]

for (const [model, body, rendered] of adjusted) {
  test(`${model} renders ${JSON.stringify(rendered)} for ${JSON.stringify(body).slice(0, 90)}`, () => {
    const { input, warnings, model: entry } = admitted({ model, ...body })
    const told = Object.keys(rendered).map((field) => [field, input[field as keyof typeof input]])
    assert.deepEqual(Object.fromEntries(told), rendered)
    assert.equal(warnings.length, 1)
    const strict = (request: Record<string, unknown>) =>
      validateRequest({ ...request, model }, { handling: 'strict' })
    assert.equal(strict({ prompt: 'a fox', ...body }).ok, false)
    const same = strict({ ...leastRequest(entry), ...input })
    assert.ok(same.ok, JSON.stringify(same))
    assert.equal(priceJob(entry, input, 0).usd, priceJob(entry, same.input, 0).usd)
  })
}

/** Other spellings of what is rendered: nothing is adjusted. */
const equivalent: typeof adjusted = [
  ['kling-video', { aspect_ratio: '16/9' }, { aspect_ratio: '16:9' }],
  ['kling-video', { aspect_ratio: '1.78' }, { aspect_ratio: '16:9' }],
  ['kling-video', { aspect_ratio: 16 / 9 }, { aspect_ratio: '16:9' }],
  ['seedance-lite-video', { aspect_ratio: String(4 / 3) }, { aspect_ratio: '4:3' }],
  ['kling-video', { aspect_ratio: 0.5625 }, { aspect_ratio: '9:16' }],
  ['kling-video', { aspect_ratio: '1' }, { aspect_ratio: '1:1' }],
  ['kling-video', { aspect_ratio: '1280x720' }, { aspect_ratio: '16:9' }],
  ['kling-video', { aspect_ratio: 'landscape_16_9' }, { aspect_ratio: '16:9' }],
  ['kling-video', { aspect_ratio: 'Vertical' }, { aspect_ratio: '9:16' }],
  ['kling-video', { orientation: 'portrait' }, { aspect_ratio: '9:16' }],
  ['kling-video', { size: '1080x1920' }, { aspect_ratio: '9:16' }],
  ['hunyuan-video', { resolution: '1280x720' }, { resolution: '720p', aspect_ratio: '16:9' }],
  ['hunyuan-video', { resolution: '720x1280' }, { resolution: '720p', aspect_ratio: '9:16' }],
  ['hunyuan-video', { resolution: 'HD' }, { resolution: '720p' }],
  ['hunyuan-video', { resolution: 480 }, { resolution: '480p' }],
  ['hunyuan-video', { size: '848x480' }, { resolution: '480p', aspect_ratio: '16:9' }],
  ['hunyuan-video', { size: '480p', aspect_ratio: '9:16' }, { resolution: '480p', aspect_ratio: '9:16' }],
  ['sora-2', { resolution: '1024x1792', pro: true }, { resolution: '1792x1024', aspect_ratio: '9:16' }],
  ['veo3-video', { resolution: 'Full HD' }, { resolution: '1080p' }],
  ['vidu-video', { aspect_ratio: '9:16' }, { size: '9:16' }],
  ['pixverse-v5', { aspect_ratio: '3:4', resolution: '540p' }, { size: '3:4', resolution: '540p' }],
  ['pixverse-v5', { size: '720p', style: '3D Animation' }, { resolution: '720p', style: '3d_animation' }],
  ['wan-wavespeed-25', { size: '9:16' }, { aspect_ratio: '9:16', size: undefined }],
  ['veo3-video', { duration: '6 sec' }, { duration: 6 }],
  ['veo3-video', { durationSeconds: 6 }, { duration: 6 }],
]

for (const [model, body, rendered] of equivalent) {
  test(`${model} takes ${JSON.stringify(body)} as it is`, () => {
    for (const handling of ['strict', 'lenient'] as const) {
      const result = validateRequest({ model, prompt: 'a fox', ...body }, { handling })
      assert.ok(result.ok, JSON.stringify(result))
      const { input, warnings } = result
      const told = Object.keys(rendered).map((field) => [field, input[field as keyof typeof input]])
      assert.deepEqual([Object.fromEntries(told), warnings], [rendered, []])
    }
  })
}

test('a warning names what was asked and what is rendered', () => {
  assert.deepEqual(admitted({ model: 'veo3-video', seconds: '5s', aspectRatio: '4:3' }).warnings, [
    '`seconds` "5s" is not supported by `veo3-video`: rendered and billed as 6',
    '`aspectRatio` "4:3" is not supported by `veo3-video`: rendered and billed as "16:9"',
  ])
})

test('so does the warning of a condition between fields', () => {
  assert.deepEqual(admitted({ model: 'sora-2', size: '1024x1792' }).warnings, [
    '`size` "1024x1792": `resolution` 1792x1024 is rendered in pro mode only: add `pro_mode: true`, or set 720p: rendered and billed as "720p"',
  ])
  const enhanced = { model: 'wan-wavespeed-22-plus', resolution: '720p', enable_prompt_expansion: true }
  assert.match(admitted(enhanced).warnings[0] ?? '', /^`enable_prompt_expansion` true: .* billed as false$/)
})

test('every spelling of a field that a model does not use is named', () => {
  const { warnings } = admitted({ model: 'minimax-video', resolution: '1080p', target_resolution: '2k' })
  assert.deepEqual(
    warnings,
    ['resolution', 'target_resolution'].map(
      (name) => `\`${name}\` is not used by \`minimax-video\` and was ignored`,
    ),
  )
})

test('a ratio that a model does not use changes neither resolution nor price', () => {
  const cases: readonly (readonly [string, Record<string, unknown>])[] = [
    ['wan-wavespeed-25', { imageUrl: link }],
    ['wan-wavespeed-25', { imageUrl: link, resolution: '1080p' }],
    ['wan-wavespeed-22-plus', { imageUrl: link }],
    ['wan-wavespeed-22-plus', { imageUrl: link, resolution: '1080p' }],
    ['video-upscaler', { prompt: null, video: link, resolution: '4k' }],
  ]
  for (const [model, body] of cases) {
    const plain = admitted({ model, ...body })
    for (const ratio of [{ aspect_ratio: '16:9' }, { orientation: 'portrait' }, { size: '9:16' }]) {
      const [name] = Object.keys(ratio)
      const { input, warnings } = admitted({ model, ...body, ...ratio })
      assert.deepEqual(input, plain.input, model)
      assert.equal(warnings.length, 1)
      assert.match(
        warnings[0] ?? '',
        new RegExp(`^\`${name}\` is not used by \`${model}\`.* and was ignored$`),
      )
      assert.equal(
        validateRequest({ model, prompt: 'a fox', ...body, ...ratio }, { handling: 'strict' }).ok,
        true,
      )
    }
  }
})

test('what a video is made of is never replaced', () => {
  const refused: readonly (readonly [string, Record<string, unknown>])[] = [
    ['kling-video', { prompt: 'x'.repeat(2501) }],
    ['pixverse-v5', { negative_prompt: 'x'.repeat(2049) }],
    ['kling-video', { prompt: 7 }],
    ['veo2-video', { imageUrl: 'one.png' }],
    ['kling-lipsync-t2v', { video: link, voice_id: 'a voice of nobody' }],
    ['kling-lipsync-a2v', { video: link, audio: link, videoDuration: 30 }],
    ['longstories-movie', { storyConfig: 'a story' }],
    ['veo3-video', { seed: 1.5 }],
  ]
  for (const [model, body] of refused)
    assert.equal(validateRequest({ model, prompt: 'x', ...body }).ok, false, model)
})

test('too long a list of files is cut, with a warning', () => {
  const result = validateForModel(sample, { prompt: 'a fox', reference_images: [link, link, link] })
  assert.ok(result.ok)
  assert.equal(result.input.referenceImages?.length, 2)
  assert.deepEqual(result.warnings, [
    '`sample-video` takes 2 of the 3 entries of `reference_images`: the others were ignored',
  ])
})

test('a text is measured in code points', () => {
  const emoji = '\u{1F98A}'
  assert.equal(validateRequest({ model: 'kling-video', prompt: emoji.repeat(2500) }).ok, true)
  const long = validateRequest({ model: 'kling-video', prompt: emoji.repeat(2501) })
  assert.equal(long.ok ? '' : long.problems[0].message, '`prompt` must be at most 2500 characters; got 2501')
})

test('a model without a limit of its own has ours', () => {
  const promptMaxCharacters = 20_000
  const length = (count: number) =>
    validateRequest({ model: 'veo2-video', prompt: 'x'.repeat(count) }, { promptMaxCharacters })
  assert.equal(length(20_000).ok, true)
  assert.equal(length(20_001).ok, false)
})

test('a file that the model has no use for is named, and refused to a strict caller', () => {
  const body = { model: 'veo3-video', prompt: 'a fox', imageUrl: link, tail_image_url: link }
  const { warnings, input } = admitted(body)
  assert.equal('last_image' in input, false)
  assert.deepEqual(warnings, ['`tail_image_url` is not used by `veo3-video` and was ignored'])
  const strict = validateRequest(body, { handling: 'strict' })
  assert.equal(strict.ok ? '' : strict.problems[0].message, '`tail_image_url` is not used by `veo3-video`')
})

test('every condition between fields says what can be rendered, and following it ends', () => {
  for (const model of models.filter(({ check }) => check !== undefined)) {
    const settings = allFields.filter(
      (field) => model.fields[field]?.choices !== undefined || fields[field].kind === 'switch',
    )
    const every = settings.map((field) => [field, model.fields[field]?.choices?.at(-1) ?? true])
    const result = validateRequest({ ...Object.fromEntries(every), ...leastRequest(model) })
    assert.ok(result.ok, `${model.id}: ${JSON.stringify(result)}`)
    assert.equal(model.check?.(result.input), undefined)
  }
})

test('of choices that are equally close, the orientation decides, then the default', () => {
  const closest = (asked: string, choices: readonly string[], usual?: string) =>
    closestChoice('ratio', asked, choices, usual)?.choice
  assert.equal(closest('3:4', ['1:1', '9:16']), '9:16')
  assert.equal(closest('4:3', ['1:1', '16:9']), '16:9')
  assert.equal(closest('1:1', ['9:16', '16:9'], '16:9'), '16:9')
  assert.equal(closest('10:9', ['21:9', '3:4']), '21:9')
  assert.equal(closestChoice('size', '3:4', ['1080x1920', '9:16'], undefined)?.choice, '9:16')
  assert.equal(closestChoice('resolution', '600p', ['1000p', '360p'], undefined)?.choice, '360p')
  assert.equal(closestChoice('ratio', 'constructor', ['16:9'], '16:9'), undefined)
})

test('what decides the price is not changed for an upstream', () => {
  const { model, input } = admitted({ model: 'seedance-lite-video', resolution: '1080p' })
  assert.equal(
    relaxInput(model, input, (one) => one.resolution !== '1080p'),
    undefined,
  )
  const other = relaxInput(model, input, (one) => one.aspect_ratio !== '16:9')
  assert.deepEqual(
    [other?.input.resolution, other?.input.aspect_ratio, other?.warnings.length],
    ['1080p', undefined, 1],
  )
})

test('several settings are changed where one is not enough', () => {
  const { model, input } = admitted({
    model: 'pixverse-v5',
    effect: 'kiss kiss',
    soundEffectSwitch: true,
    style: 'clay',
  })
  const relaxed = relaxInput(
    model,
    input,
    ({ effect, motionMode, style }) =>
      effect === undefined && motionMode === undefined && style === undefined,
  )
  assert.deepEqual([relaxed?.input.effect, relaxed?.input.style], [undefined, undefined])
  assert.equal(relaxed?.input.soundEffectSwitch, true)
})
