import { defineModel, secondsBetween } from '../../define-model.ts'
import type { Model, Rate } from '../../model.ts'

const shared = {
  ownedBy: 'alibaba',
  typicalSeconds: 120,
  deadlineSeconds: 1800,
  providers: ['wavespeed'],
} as const
const prompt = { required: true } as const
const image = { required: true } as const
const video = { required: true } as const
const wan25 = {
  prompt,
  negative_prompt: {},
  audio: {},
  enhancePrompt: { default: false },
  seed: {},
} as const
const fast = { ...wan25, resolution: { choices: ['720p', '1080p'], default: '720p' } } as const
const duration = { choices: secondsBetween(3, 10), default: 5 } as const
const fastRates: [Rate, ...Rate[]] = [{ when: { resolution: '1080p' }, usd: 0.102 }, { usd: 0.068 }]

/** The later models of Wan 2.2 and 2.5 at WaveSpeed. */
export const wan25Models: readonly Model[] = [
  defineModel({
    ...shared,
    id: 'wan-22-spicy',
    name: 'Wan 2.2 Spicy',
    description: 'Wan 2.2 with livelier motion: 5 or 8 s in up to 720p from an image.',
    released: '2025-10-20',
    fields: {
      prompt,
      resolution: { choices: ['480p', '720p'], default: '480p' },
      duration: { choices: [5, 8], default: 5 },
      seed: {},
    },
    operations: { image: { image } },
    price: {
      source: 'NanoGPT model list',
      asOf: '2026-08',
      per: 'second',
      rates: [{ when: { resolution: '720p' }, usd: 0.06 }, { usd: 0.03 }],
    },
  }),
  defineModel({
    ...shared,
    id: 'wan-25-fast',
    name: 'Wan 2.5 Fast',
    description: 'A faster make of Wan 2.5: video with sound from words or an image.',
    released: '2025-09-24',
    fields: fast,
    operations: {
      text: {
        aspect_ratio: { choices: ['16:9', '9:16'], default: '16:9' },
        duration: { choices: [5, 10], default: 5 },
      },
      image: { duration, image },
    },
    price: { source: 'NanoGPT model list', asOf: '2026-08', per: 'second', rates: fastRates },
  }),
  defineModel({
    ...shared,
    id: 'wan-25-extend',
    name: 'Wan 2.5 Extend',
    description: 'Goes on with a video for 3 to 10 s, with sound.',
    released: '2025-10-15',
    fields: { ...wan25, resolution: { choices: ['480p', '720p', '1080p'], default: '720p' } },
    operations: { extend: { duration, video } },
    price: {
      source: 'the price of Wan 2.5 at WaveSpeed',
      asOf: '2026-08',
      per: 'second',
      rates: [
        { when: { resolution: '1080p' }, usd: 0.15 },
        { when: { resolution: '720p' }, usd: 0.1 },
        { usd: 0.05 },
      ],
    },
  }),
  defineModel({
    ...shared,
    id: 'wan-25-extend-fast',
    name: 'Wan 2.5 Extend Fast',
    description: 'A faster make of Wan 2.5 Extend: 3 to 10 s more of a video, with sound.',
    released: '2025-10-15',
    fields: fast,
    operations: { extend: { duration, video } },
    price: {
      source: 'the price of Wan 2.5 Fast in the NanoGPT model list',
      asOf: '2026-08',
      per: 'second',
      rates: fastRates,
    },
  }),
]
