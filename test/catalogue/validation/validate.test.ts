import assert from 'node:assert/strict'
import { test } from 'node:test'
import { models } from '../../../src/catalogue/models/index.ts'
import { validateForModel, validateRequest } from '../../../src/catalogue/validation/validate.ts'
import { link, pixel, sample } from '../sample-input.ts'

function admitted(body: Record<string, unknown>) {
  const result = validateForModel(sample, body)
  assert.ok(result.ok, JSON.stringify(result))
  return result
}

function refused(body: Record<string, unknown>, handling: 'lenient' | 'strict' = 'strict') {
  const result = validateForModel(sample, body, { handling })
  assert.ok(!result.ok, JSON.stringify(result))
  return result.problems
}

test('a bare request gets the defaults, false ones included', () => {
  const { input, warnings } = admitted({ prompt: 'a fox' })
  assert.deepEqual(input, {
    prompt: 'a fox',
    duration: 6,
    aspect_ratio: '16:9',
    resolution: '720p',
    generateAudio: false,
    mode: 'animate',
  })
  assert.deepEqual(warnings, [])
})

test('null, an empty text and a missing key are the same', () => {
  const { input } = admitted({ prompt: 'a fox' })
  const empty = {
    duration: null,
    resolution: '',
    seed: undefined,
    image: '  ',
    referenceImages: [],
    typo: null,
  }
  const same = { ok: true, model: sample, input, warnings: [], handling: 'lenient' }
  assert.deepEqual(admitted({ prompt: 'a fox', ...empty }), same)
})

test('seed 0 and a false switch survive, seed -1 is random', () => {
  const { input } = admitted({ prompt: 'a fox', seed: '0', enhancePrompt: 'false', generateAudio: false })
  assert.equal(input.seed, 0)
  assert.equal(input.enhancePrompt, false)
  assert.equal(input.generateAudio, false)
  assert.equal('seed' in admitted({ prompt: 'a fox', seed: -1 }).input, false)
})

test('an unknown key is ignored with a warning that guesses what was meant', () => {
  const { warnings } = admitted({ prompt: 'a fox', duraton: 8, zzzzzzzzzz: 1 })
  assert.deepEqual(warnings, [
    '`duraton` is not a known field and was ignored; did you mean `duration`?',
    '`zzzzzzzzzz` is not a known field and was ignored',
  ])
})

test('a flood of unknown keys is told in short', () => {
  const flood = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`strange${index}`, 1]))
  const { warnings } = admitted({ prompt: 'a fox', ...flood })
  assert.equal(warnings.length, 21)
  assert.equal(warnings.at(-1), '9980 more unknown fields were ignored')
})

test('keys about the request itself are passed over in silence', () => {
  const about = {
    model: 'sample-video',
    modelSlug: 'x',
    projectId: 'p',
    provider: { order: ['a'] },
    isApiRequest: true,
    paymentSource: 'USD',
    cost: 1,
    webhookUrl: link,
    callback_url: link,
    user: 'u',
  }
  assert.deepEqual(admitted({ prompt: 'a fox', ...about }).warnings, [])
})

test('the conversation is handed on under any of its names', () => {
  for (const name of ['conversationUUID', 'conversationUuid', 'conversation_uuid']) {
    assert.equal(admitted({ prompt: 'a fox', [name]: 'c-1' }).conversationUUID, 'c-1')
  }
})

test('a field that the model does not take is dropped with a warning', () => {
  const { input, warnings } = admitted({ prompt: 'a fox', interpolator_model: 'film' })
  assert.equal('interpolator_model' in input, false)
  assert.deepEqual(warnings, ['`interpolator_model` is not used by `sample-video` and was ignored'])
})

test('a field that its mode does not take is dropped with a warning, whatever it holds', () => {
  const { input, warnings } = admitted({ prompt: 'a fox', imageUrl: link, orientation: 'upside down' })
  assert.equal(input.image, link)
  assert.equal('aspect_ratio' in input, false)
  assert.deepEqual(warnings, ['`orientation` is not used by `sample-video` with an image and was ignored'])
})

test('a video makes the mode before an image does', () => {
  const { input, warnings } = admitted({
    prompt: 'a fox',
    imageUrl: link,
    videoUrl: 'https://a.example/1.mp4',
  })
  assert.equal(input.duration, 5)
  assert.equal('image' in input, false)
  assert.deepEqual(warnings, ['`imageUrl` is not used by `sample-video` with a video and was ignored'])
})

test('a mode may have bounds of its own', () => {
  const prompt = 'x'.repeat(30)
  admitted({ prompt })
  const [problem] = refused({ prompt, video: 'https://a.example/1.mp4' }, 'lenient')
  assert.equal(problem.message, '`prompt` must be at most 20 characters; got 30')
})

test('an operation word in `mode` says nothing, unless the model has it', () => {
  for (const mode of [
    'text-to-video',
    'image-to-video',
    'reference-to-video',
    'video-to-video',
    'video-edit',
  ]) {
    const { input, warnings } = admitted({ prompt: 'a fox', mode })
    assert.equal(input.mode, 'animate')
    assert.deepEqual(warnings, [])
    const { fields, ...rest } = sample
    const bare = validateForModel(
      { ...rest, fields: { prompt: fields.prompt ?? {} } },
      { prompt: 'a fox', mode },
    )
    assert.deepEqual(bare.ok && bare.warnings, [])
    const own = validateForModel(
      { ...rest, fields: { mode: { choices: [mode] } } },
      { mode: mode.toUpperCase() },
    )
    assert.equal(own.ok && own.input.mode, mode)
  }
  assert.equal(admitted({ prompt: 'a fox', mode: 'Replace' }).input.mode, 'replace')
})

test('of two spellings the canonical one wins, with a warning', () => {
  const { input, warnings } = admitted({ prompt: 'a fox', seconds: '4', duration: '8', aspectRatio: '9:16' })
  assert.equal(input.duration, 8)
  assert.deepEqual(warnings, ['`seconds` was ignored: `duration` says otherwise'])
})

test('two spellings that agree are no matter', () => {
  const { warnings } = admitted({
    prompt: 'a fox',
    seconds: 8,
    duration: '8s',
    orientation: 'portrait',
    aspect_ratio: '9:16',
  })
  assert.deepEqual(warnings, [])
})

test('a data URL wins over a link to an image', () => {
  for (const names of [
    ['imageUrl', 'imageDataUrl'],
    ['image', 'image_data_url'],
    ['imageDataUrl', 'image'],
  ] as const) {
    const { input, warnings } = admitted({ prompt: 'a fox', [names[0]]: link, [names[1]]: pixel })
    assert.equal(input.image, pixel)
    assert.deepEqual(warnings, [`\`${names[0]}\` was ignored: \`${names[1]}\` says otherwise`])
  }
})

test('a fraction within bounds is rounded up to a whole second', () => {
  const model = { ...sample, fields: { duration: { min: 2, max: 12 } } }
  const result = validateForModel(model, { duration: 4.2 })
  assert.ok(result.ok)
  assert.equal(result.input.duration, 5)
  assert.deepEqual(result.warnings, [
    '`duration` 4.2 is not supported by `sample-video`: rendered and billed as 5',
  ])
})

test('a strict caller is refused every value that is not rendered, with the choices', () => {
  for (const duration of [3, 5, 9, 0, -4]) {
    assert.deepEqual(refused({ prompt: 'a fox', seconds: duration }), [
      {
        field: 'seconds',
        message: `\`seconds\` must be one of 4, 6, 8; got ${duration}`,
        code: 'invalid_parameter_value',
        allowed: [4, 6, 8],
      },
    ])
  }
  assert.deepEqual(refused({ prompt: 'a fox', resolution: '900p' })[0].allowed, ['720p', '1080p'])
  const video = 'https://a.example/1.mp4'
  assert.equal(refused({ prompt: 'a fox', video, duration: 10 })[0].message, '`duration` must be 5; got 10')
})

test('a fixed value stands, and another one becomes it with a warning', () => {
  const video = 'https://a.example/1.mp4'
  assert.deepEqual(admitted({ prompt: 'a fox', video, duration: '5s' }).warnings, [])
  const { input, warnings } = admitted({ prompt: 'a fox', video, duration: 10 })
  assert.equal(input.duration, 5)
  assert.deepEqual(warnings, ['`duration` 10 is not supported by `sample-video`: rendered and billed as 5'])
})

test('what is required may have a stand-in', () => {
  assert.deepEqual(refused({}), [
    {
      field: 'prompt',
      message: '`prompt` is required by `sample-video` unless `script` is given',
      code: 'missing_required_parameter',
    },
  ])
  admitted({ script: 'Once there was a fox.' })
})

test('a missing file is asked for in all its names', () => {
  const result = validateForModel({ ...sample, fields: { image: { required: true } } }, {})
  assert.equal(
    !result.ok && result.problems[0].message,
    '`image` is required by `sample-video`: an http(s) link or a data URL, also as `imageDataUrl` or `imageUrl`',
  )
})

test('all problems are told at once, each under the name that was used', () => {
  const problems = refused({
    text: 7,
    seconds: 'long',
    fps: 90,
    reference_images: [link, link, link],
    imageUrl: 'x',
  })
  assert.deepEqual(
    problems.map(({ field, message }) => [field, message]),
    [
      ['text', '`text` must be a text; got 7'],
      ['seconds', '`seconds` must be a number of seconds; got "long"'],
      ['imageUrl', '`imageUrl` must be an http(s) link or a data URL (data:image/…;base64,…); got "x"'],
      ['reference_images', '`reference_images` must have at most 2 entries; got 3'],
      ['fps', '`fps` must be from 4 to 60; got 90'],
    ],
  )
})

test('a bound of the field itself holds for every model', () => {
  const [problem] = refused({ prompt: 'a fox', voice_speed: 3 })
  assert.equal(problem.message, '`voice_speed` must be from 0.8 to 2; got 3')
})

test('an error never quotes megabytes', () => {
  const [problem] = refused({ prompt: 'a fox', imageUrl: `data:video/mp4;base64,${'A'.repeat(1_000_000)}` })
  assert.ok(problem.message.length < 200)
})

test('a condition between fields is told in the code of its own', () => {
  assert.deepEqual(refused({ prompt: 'a fox', target_resolution: '1080p' }), [
    { field: 'target_resolution', message: '`resolution` 1080p needs `pro_mode`', code: 'pro_required' },
  ])
  admitted({ prompt: 'a fox', target_resolution: '1080p', pro: true })
  const { input, warnings } = admitted({ prompt: 'a fox', target_resolution: '1080p' })
  assert.equal(input.resolution, '720p')
  assert.deepEqual(warnings, [
    '`target_resolution` "1080p": `resolution` 1080p needs `pro_mode`: rendered and billed as "720p"',
  ])
})

test('a request without a model says so', () => {
  for (const body of [{}, { model: '' }, { model: null }, { model: 7 }]) {
    const result = validateRequest(body)
    assert.deepEqual(!result.ok && result.problems.map(({ field, code }) => [field, code]), [
      ['model', 'missing_required_parameter'],
    ])
  }
})

test('an unknown model is refused, with the one that was likely meant', () => {
  const [first] = models
  assert.ok(first !== undefined)
  const misspelt = validateRequest({ model: `${first.id}x`, prompt: 'a fox' })
  assert.deepEqual(!misspelt.ok && misspelt.problems, [
    {
      field: 'model',
      message: `\`model\` "${first.id}x" is not known; did you mean \`${first.id}\`?`,
      code: 'model_not_found',
    },
  ])
  const strange = validateRequest({ modelSlug: 'nothing-like-it-at-all-anywhere' })
  assert.match(strange.ok ? '' : strange.problems[0].message, /is not known; see the model list$/)
})

test('keys that every object inherits are keys like others', () => {
  const body: Record<string, unknown> = JSON.parse(
    '{"prompt":"a fox","__proto__":{"duration":8},"constructor":"x"}',
  )
  const { input, warnings } = admitted(body)
  assert.equal(input.duration, 6)
  assert.equal(warnings.length, 2)
})
