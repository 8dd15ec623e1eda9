import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Price } from '../../src/catalogue/model.ts'
import { buildDefaultInput, buildPricing, quotePrice } from '../../src/catalogue/price.ts'
import { sample } from './sample-input.ts'

const from = { source: 'made up', asOf: '2026-01' }

function withPrice(price: Omit<Price, 'source' | 'asOf'>) {
  return { ...sample, price: { ...from, ...price } }
}

test('the first rate whose conditions hold gives the figure', () => {
  const usd = (resolution: string, generateAudio: boolean) =>
    quotePrice(sample, { duration: 10, resolution, generateAudio }).usd
  assert.deepEqual(
    [usd('720p', false), usd('720p', true), usd('1080p', false), usd('1080p', true)],
    [1, 2, 3, 4],
  )
})

test('seconds are billed with a minimum and in steps', () => {
  const model = withPrice({ per: 'second', rates: [{ usd: 0.1 }], minimumSeconds: 3, stepSeconds: 5 })
  const billed = (duration: number) => quotePrice(model, { duration }).seconds
  assert.deepEqual([1, 5, 5.1, 11].map(billed), [5, 5, 10, 15])
  assert.deepEqual(quotePrice(sample, { duration: 2, generateAudio: false }), { usd: 0.5, seconds: 5 })
})

test('the first told of several fields gives the seconds, else the default', () => {
  const model = withPrice({
    per: 'second',
    rates: [{ usd: 0.01 }],
    secondsFrom: ['billedDuration', 'videoDuration'],
    defaultSeconds: 5,
  })
  assert.equal(quotePrice(model, { billedDuration: 7, videoDuration: 9, duration: 99 }).usd, 0.07)
  assert.equal(quotePrice(model, { videoDuration: 9 }).usd, 0.09)
  assert.equal(quotePrice(model, {}).usd, 0.05)
})

test('money has no noise of binary fractions', () => {
  const model = withPrice({ per: 'second', rates: [{ usd: 0.1 }] })
  assert.equal(quotePrice(model, { duration: 3 }).usd, 0.3)
  assert.equal(
    quotePrice(withPrice({ per: 'second', rates: [{ usd: 0.0072 }] }), { duration: 7 }).usd,
    0.0504,
  )
})

test('a price a video counts no seconds', () => {
  assert.deepEqual(quotePrice(withPrice({ per: 'video', rates: [{ usd: 0.35 }] }), { duration: 10 }), {
    usd: 0.35,
  })
})

test('an input without a rate is never given away', () => {
  const model = withPrice({ per: 'video', rates: [{ when: { resolution: '720p' }, usd: 0.35 }] })
  assert.throws(() => quotePrice(model, { resolution: '1080p' }), /no rate/)
})

test('a price by the second in the keys that clients read', () => {
  assert.deepEqual(buildPricing(sample), {
    currency: 'USD',
    per_second: 0.1,
    per_second_by_resolution: { '720p': 0.1, '1080p': 0.3 },
    audio_multiplier: 2,
    minimum: 0.5,
    default_duration: 6,
    supported_durations: [4, 6, 8, 5],
  })
})

test('a price by the video in the keys that clients read', () => {
  const rates = [
    { when: { duration: 5, resolution: '720p' }, usd: 0.2 },
    { when: { duration: 10, resolution: '720p' }, usd: 0.4 },
    { when: { duration: 5 }, usd: 0.3 },
    { usd: 0.6 },
  ] as const
  const model = {
    ...withPrice({ per: 'video', rates }),
    fields: { duration: { choices: [5, 10] }, resolution: { choices: ['720p', '1080p'] } },
  }
  assert.deepEqual(buildPricing(model), {
    currency: 'USD',
    per_video: 0.2,
    per_resolution: { '720p': 0.2, '1080p': 0.3 },
    per_duration: { '5': 0.2, '10': 0.4 },
    supported_durations: [5, 10],
  })
})

test('what needs pro mode is listed at its price there', () => {
  const rates = [{ when: { resolution: '1080p', pro_mode: true }, usd: 0.9 }, { usd: 0.1 }] as const
  const keys = buildPricing(withPrice({ per: 'second', rates }))
  assert.deepEqual(keys.per_second_by_resolution, { '720p': 0.1, '1080p': 0.9 })
})

test('a price that differs with and without an image is told for both', () => {
  const rates = [{ mode: 'text', usd: 0.2 }, { usd: 0.1 }] as const
  const model = { ...withPrice({ per: 'second', rates }), modes: ['text', 'image'] } as const
  const { per_second, text_to_video_per_second, image_to_video_per_second } = buildPricing(model)
  assert.equal(per_second, 0.2)
  assert.deepEqual(text_to_video_per_second, { '720p': 0.2, '1080p': 0.2 })
  assert.deepEqual(image_to_video_per_second, { '720p': 0.1, '1080p': 0.1 })
  const plain = buildPricing({ ...model, fields: { image: {} } })
  assert.deepEqual(plain.image_to_video_per_second, { default: 0.1 })
})

test('a fixed length is told as such', () => {
  const model = { ...withPrice({ per: 'video', rates: [{ usd: 1 }] }), fields: { duration: { fixed: 5 } } }
  assert.deepEqual(buildPricing(model), { currency: 'USD', per_video: 1, fixed_duration_seconds: 5 })
  assert.deepEqual(buildDefaultInput(model), { duration: 5 })
})
