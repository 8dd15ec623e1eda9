import type { Model } from '../../model.ts'

const shared = {
  ownedBy: 'bytedance',
  released: '2025-06-11',
  modes: ['text', 'image'],
  deadlineSeconds: 1800,
  providers: ['fal'],
} as const satisfies Partial<Model>

/** An image has its own ratio, so only text mode has a default. */
const proRatios = ['16:9', '1:1', '3:4', '9:16', '21:9'] as const
const liteRatios = ['16:9', '9:16', '1:1', '4:3', '3:4', '21:9'] as const

export const seedanceModels: readonly Model[] = [
  {
    ...shared,
    id: 'seedance-video',
    name: 'Seedance 1.0',
    description: 'ByteDance Seedance 1.0: 5 or 10 s in up to 720p from words or an image.',
    fields: {
      prompt: { required: true },
      image: {},
      last_image: { text: 'unused' },
      duration: { choices: [5, 10], default: 5 },
      aspect_ratio: {
        choices: [...proRatios, '9:21'],
        text: { default: '16:9' },
        image: { choices: proRatios },
      },
      resolution: { choices: ['480p', '720p'], default: '720p' },
      camera_fixed: { default: false },
      seed: {},
    },
    price: {
      source:
        'FAL: USD 2.5 a million tokens, 1.8 for the lite endpoint that renders 9:21; tokens are pixels x 24 frames a second / 1024',
      asOf: '2026-01',
      per: 'second',
      rates: [
        { when: { aspect_ratio: '9:21', resolution: '480p' }, usd: 0.0175 },
        { when: { aspect_ratio: '9:21' }, usd: 0.0371 },
        { when: { resolution: '480p' }, usd: 0.0243 },
        { usd: 0.0515 },
      ],
    },
    typicalSeconds: 60,
  },
  {
    ...shared,
    id: 'seedance-lite-video',
    name: 'Seedance 1.0 Lite',
    description: 'ByteDance Seedance 1.0 Lite: 2 to 12 s in up to 1080p from words or an image.',
    fields: {
      prompt: { required: true },
      image: {},
      last_image: { text: 'unused' },
      duration: { choices: [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], default: 5 },
      aspect_ratio: {
        choices: [...liteRatios, '9:21'],
        text: { default: '16:9' },
        image: { choices: liteRatios },
      },
      resolution: { choices: ['480p', '720p', '1080p'], default: '720p' },
      camera_fixed: { default: false },
      seed: {},
    },
    price: {
      source: 'FAL: USD 1.8 a million tokens; tokens are pixels x 24 frames a second / 1024',
      asOf: '2026-01',
      per: 'second',
      rates: [
        { when: { resolution: '480p' }, usd: 0.0175 },
        { when: { resolution: '1080p' }, usd: 0.0881 },
        { usd: 0.0371 },
      ],
    },
    typicalSeconds: 45,
  },
]
