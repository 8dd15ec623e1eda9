import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Input } from '../../providers/input.ts'
import type { Order } from '../../providers/provider.ts'
import { wavespeed } from '../../providers/wavespeed/index.ts'
import { wavespeedSchemas } from '../../providers/wavespeed/schema.ts'
import type { Model } from '../../src/catalogue/model.ts'
import { wanWavespeedModels } from '../../src/catalogue/models/alibaba/wan-wavespeed.ts'
import { lipsyncModels } from '../../src/catalogue/models/lipsync.ts'
import { soraModels } from '../../src/catalogue/models/sora.ts'
import { upscalerModels } from '../../src/catalogue/models/upscalers.ts'
import { quotePrice } from '../../src/catalogue/price.ts'
import { validateForModel } from '../../src/catalogue/validation/validate.ts'

const order = (input: Input): Order => ({
  jobId: 'vid_fixture0000000000',
  attempt: '00000000-0000-4000-8000-000000000001',
  at: new Date('2026-11-01T00:00:00Z'),
  input,
  settings: {},
})

const entries: readonly Model[] = [...lipsyncModels, ...soraModels, ...upscalerModels, ...wanWavespeedModels]

function ask(
  id: string,
  body: Readonly<Record<string, unknown>>,
  handling: 'lenient' | 'strict' = 'lenient',
) {
  const model = entries.find((entry) => entry.id === id)
  assert.ok(model)
  return { model, admitted: validateForModel(model, body, { handling }) }
}

function problemOf(id: string, body: Readonly<Record<string, unknown>>) {
  const { admitted } = ask(id, body, 'strict')
  assert.ok(!admitted.ok, `${id} took ${JSON.stringify(body)}`)
  const { field, code } = admitted.problems[0]
  return [field, code]
}

function priceOf(id: string, body: Readonly<Record<string, unknown>>) {
  const { model, admitted } = ask(id, body)
  assert.ok(admitted.ok)
  return quotePrice(model, admitted.input).usd
}

test('an attempt is searched for by path, in a narrow time around it', () => {
  const mapping = wavespeed.models['sora-2']
  assert.ok(mapping)
  assert.deepEqual(
    wavespeed.find?.call(mapping, order({ prompt: 'A heron', image: 'https://media.example.com/a.png' })),
    {
      method: 'POST',
      path: '/api/v3/predictions',
      json: {
        page: 1,
        page_size: 100,
        model: 'openai/sora-2/image-to-video',
        created_after: '2026-10-31T23:59:30.000Z',
        created_before: '2026-11-01T00:03:00.000Z',
        include_inputs: true,
      },
    },
  )
})

test('a task is polled and canceled by its id, whatever that holds', () => {
  assert.deepEqual(wavespeed.poll({ id: '../a?b' }), {
    method: 'GET',
    path: '/api/v3/predictions/..%2Fa%3Fb/result',
  })
  assert.deepEqual(wavespeed.cancel?.({ id: 'abc' }), { method: 'DELETE', path: '/api/v3/predictions/abc' })
})

test('a callback gives the id of a task whose answer was lost', () => {
  const mapping = wavespeed.models['sora-2']
  assert.ok(mapping)
  const adopt = (body: unknown) => wavespeed.adopt?.(body, order({}), mapping)
  assert.deepEqual(adopt({ id: 'abc', status: 'completed' }), { id: 'abc' })
  assert.equal(adopt({ id: 7 }), undefined)
  assert.equal(adopt('<html>'), undefined)
})

test('the paths of all models are those of the mock', () => {
  const paths = new Set(Object.values(wavespeed.models).flatMap(({ endpoints }) => Object.values(endpoints)))
  assert.deepEqual([...paths].toSorted(), Object.keys(wavespeedSchemas).toSorted())
})

test('what cannot be rendered is refused before it is bought', () => {
  const video = 'https://media.example.com/a.mp4'
  assert.deepEqual(problemOf('sora-2', { prompt: 'A heron', resolution: '1792x1024' }), [
    'resolution',
    'pro_required',
  ])
  assert.deepEqual(
    problemOf('wan-wavespeed-22-plus', { prompt: 'A heron', size: '720p', enhancePrompt: true }),
    ['enhancePrompt', 'invalid_parameter_value'],
  )
  assert.deepEqual(problemOf('wan-wavespeed-25', { prompt: 'A heron', size: '1024*1024' }), [
    'size',
    'invalid_parameter_value',
  ])
  assert.deepEqual(problemOf('bytedance-seedance-upscaler', { video, size: '720p' }), [
    'size',
    'invalid_parameter_value',
  ])
  const speech = { video, voice_id: 'uk_man2', text: 'Good morning' }
  assert.deepEqual(problemOf('kling-lipsync-t2v', { ...speech, text: 'o'.repeat(121) })[0], 'text')
  assert.deepEqual(problemOf('kling-lipsync-t2v', { ...speech, voice_speed: 2.1 })[0], 'voice_speed')
  assert.deepEqual(problemOf('kling-lipsync-t2v', { ...speech, videoDuration: 11 })[0], 'videoDuration')
  assert.deepEqual(problemOf('kling-lipsync-t2v', { ...speech, voice_id: 'nobody' })[0], 'voice_id')
})

test('an endpoint mapping names what it would render differently', () => {
  const unsupported = (id: string, input: Input) => wavespeed.models[id]?.unsupported?.(input) !== undefined
  assert.ok(unsupported('bytedance-avatar-omni-human-1.5', { prompt: 'smiling' }))
  assert.ok(!unsupported('bytedance-avatar-omni-human-1.5', {}))
  assert.ok(unsupported('bytedance-waver-1.0', { image: 'https://media.example.com/a.png' }))
  assert.ok(!unsupported('bytedance-waver-1.0', { prompt: 'A heron' }))
  assert.ok(unsupported('runwayml-gen4-aleph', { referenceImages: ['a', 'b'] }))
  assert.ok(!unsupported('runwayml-gen4-aleph', { referenceImages: ['a'] }))
})

test('prices follow the resolution, whichever field told it, and the seconds', () => {
  const video = 'https://media.example.com/a.mp4'
  assert.equal(priceOf('wan-wavespeed-25', { prompt: 'A heron', duration: 10 }), 1)
  assert.equal(priceOf('wan-wavespeed-25', { prompt: 'A heron', size: '1920*1080' }), 0.75)
  assert.equal(priceOf('wan-wavespeed-25', { prompt: 'A heron', resolution: '480p' }), 0.25)
  assert.equal(priceOf('video-upscaler', { video, size: '4k', videoDuration: 12.2 }), 0.26)
  assert.equal(priceOf('video-upscaler', { video, target_resolution: '2k', billedDuration: 3 }), 0.05)
  assert.equal(priceOf('kling-lipsync-t2v', { video, voice_id: 'AOT', text: 'Hi', videoDuration: 6 }), 0.28)
  assert.equal(priceOf('sora-2', { prompt: 'A heron', pro: true, resolution: '1792x1024', seconds: '8' }), 4)
})
