import assert from 'node:assert/strict'
import { test } from 'node:test'
import { providers } from '../../providers/index.ts'
import type { ProviderName } from '../../providers/provider.ts'
import { validateRequest } from '../../src/catalogue/validation/validate.ts'
import { leastRequest } from '../support/least-request.ts'

const first = 'https://media.example/in/start.png'
const last = 'https://media.example/in/end.png'

/** Every upstream endpoint whose documentation has a last frame, of the models that start from a first one. */
const upstreams: readonly (readonly [string, ProviderName])[] = [
  ['wan-video-22', 'fal'],
  ['wan-video-22-turbo', 'fal'],
  ['seedance-video', 'fal'],
  ['seedance-lite-video', 'fal'],
  ['minimax-hailuo-02', 'fal'],
  ['minimax-hailuo-02-pro', 'fal'],
  ['veo3-1-video', 'wavespeed'],
  ['veo3-1-video', 'fal'],
  ['kling-v25-turbo-pro', 'wavespeed'],
  ['kling-v25-turbo-pro', 'fal'],
  ['kling-v21-pro', 'runware'],
  ['kling-v21-pro', 'fal'],
  ['midjourney-video', 'midjourney'],
]

for (const [id, name] of upstreams) {
  test(`${name} ends a video of ${id} with the last image`, () => {
    const provider = providers[name]
    const mapping = provider.models[id] ?? assert.fail(id)
    const result = validateRequest({ model: id, prompt: 'a fox', image: first, tail_image_url: last })
    assert.ok(result.ok, JSON.stringify(result))
    assert.deepEqual(result.warnings, [])
    assert.deepEqual(provider.check?.(mapping, result.input, {}) ?? [], [])
    const sent = JSON.stringify(mapping.toRequest(result.input).body)
    assert.ok(sent.includes(first), sent)
    assert.ok(sent.includes(last), sent)
    const plain = validateRequest({ ...leastRequest(result.model, 'image'), prompt: 'a fox' })
    assert.ok(plain.ok)
    assert.doesNotMatch(JSON.stringify(mapping.toRequest(plain.input).body), /end_image|tail|endImage|"last"/)
  })
}
