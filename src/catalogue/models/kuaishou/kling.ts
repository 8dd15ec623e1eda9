import type { FieldRule, Model } from '../../model.ts'

const prompt = { required: true, maxLength: 2500 } as const
const ratios = ['16:9', '9:16', '1:1'] as const
const duration = { choices: [5, 10], default: 5 } as const

const shared = {
  ownedBy: 'kuaishou',
  deadlineSeconds: 1800,
  providers: ['fal'],
} as const satisfies Partial<Model>

/** The Kling models that FAL renders first. */
export const klingModels: readonly Model[] = [
  {
    ...shared,
    id: 'kling-video',
    name: 'Kling 1.6',
    description: 'Kuaishou Kling 1.6 Standard: 5 or 10 s in 720p from words.',
    released: '2024-12-19',
    modes: ['text'],
    fields: {
      prompt,
      negative_prompt: {},
      duration,
      aspect_ratio: { choices: ratios, default: '16:9' },
    },
    price: {
      source: 'a reseller of FAL: USD 0.045 a second, listed for sibling endpoints of 1.6 Standard',
      asOf: '2025-09',
      per: 'second',
      rates: [{ usd: 0.045 }],
    },
    typicalSeconds: 220,
  },
  {
    ...shared,
    id: 'kling-video-v2',
    name: 'Kling 2.0 Master',
    description: 'Kuaishou Kling 2.0 Master: 5 or 10 s in 720p from words or an image.',
    released: '2025-04-15',
    modes: ['text', 'image'],
    fields: {
      prompt,
      image: {},
      negative_prompt: {},
      duration,
      aspect_ratio: { choices: ratios, default: '16:9', image: 'unused' },
    },
    price: {
      source: 'FAL: USD 1.40 for 5 s and 0.28 for each further second',
      asOf: '2025-09',
      per: 'second',
      rates: [{ usd: 0.28 }],
    },
    typicalSeconds: 300,
  },
]

/** With an image, only Runware accepts a ratio, so there is no default. */
const optionalRatio = {
  choices: ratios,
  text: { default: '16:9' },
} as const satisfies FieldRule
const negative_prompt = { maxLength: 2500 } as const

const shared21 = {
  ownedBy: 'kuaishou',
  released: '2025-05-29',
  deadlineSeconds: 1800,
  providers: ['runware', 'fal'],
} as const satisfies Partial<Model>

export const kling21Models: readonly Model[] = [
  {
    ...shared21,
    id: 'kling-v21-standard',
    name: 'Kling 2.1 Standard',
    description: 'Kuaishou Kling 2.1 Standard: 5 s in 720p from an image.',
    modes: ['image'],
    fields: {
      prompt,
      negative_prompt,
      image: { required: true },
      aspect_ratio: optionalRatio,
      duration: { choices: [5], default: 5 },
    },
    price: {
      source: 'Runware model page, USD 0.037 a second',
      asOf: '2026-08',
      per: 'second',
      rates: [{ usd: 0.037 }],
    },
    typicalSeconds: 150,
  },
  {
    ...shared21,
    id: 'kling-v21-pro',
    name: 'Kling 2.1 Pro',
    description:
      'Kuaishou Kling 2.1 Pro: 5 or 10 s in 1080p from an image. Words alone are rendered by Kling 2.1 Master.',
    modes: ['text', 'image'],
    fields: {
      prompt,
      negative_prompt,
      image: {},
      last_image: { text: 'unused' },
      aspect_ratio: optionalRatio,
      duration,
    },
    price: {
      source: 'Runware: USD 0.3234 for 5 s as billed to a public gateway; words alone as Kling 2.1 Master',
      asOf: '2026-08',
      per: 'second',
      rates: [{ mode: 'text', usd: 0.1848 }, { usd: 0.06468 }],
    },
    typicalSeconds: 180,
  },
  {
    ...shared21,
    id: 'kling-v21-master',
    name: 'Kling 2.1 Master',
    description: 'Kuaishou Kling 2.1 Master: 5 or 10 s in 1080p from words or an image.',
    modes: ['text', 'image'],
    fields: {
      prompt,
      negative_prompt,
      image: {},
      aspect_ratio: optionalRatio,
      duration,
    },
    price: {
      source: 'Runware model page, USD 0.1848 a second',
      asOf: '2026-08',
      per: 'second',
      rates: [{ usd: 0.1848 }],
    },
    typicalSeconds: 240,
  },
]

export const kling25Models: readonly Model[] = [
  {
    id: 'kling-v25-turbo-pro',
    name: 'Kling 2.5 Turbo Pro',
    description: 'Kuaishou Kling 2.5 Turbo Pro: 5 or 10 s in 1080p from words or an image.',
    ownedBy: 'kuaishou',
    released: '2025-09-23',
    modes: ['text', 'image'],
    fields: {
      prompt,
      image: {},
      last_image: { text: 'unused' },
      negative_prompt: {},
      aspect_ratio: { choices: ratios, default: '16:9', image: 'unused' },
      duration,
      cfg_scale: { min: 0, max: 1 },
    },
    price: {
      source: 'WaveSpeed model list: USD 0.35 for 5 s; 10 s at double is inferred',
      asOf: '2026-08',
      per: 'second',
      rates: [{ usd: 0.07 }],
    },
    typicalSeconds: 120,
    deadlineSeconds: 1800,
    providers: ['wavespeed', 'fal'],
  },
  {
    id: 'kling-v25-turbo-std',
    name: 'Kling 2.5 Turbo Standard',
    description: 'Kuaishou Kling 2.5 Turbo Standard: 5 or 10 s from an image.',
    ownedBy: 'kuaishou',
    released: '2025-10-10',
    modes: ['image'],
    fields: {
      prompt,
      image: { required: true },
      negative_prompt: {},
      duration,
    },
    price: {
      source: 'WaveSpeed model list: USD 0.21 for 5 s; 10 s at double is inferred',
      asOf: '2026-08',
      per: 'second',
      rates: [{ usd: 0.042 }],
    },
    typicalSeconds: 120,
    deadlineSeconds: 1800,
    providers: ['runware', 'wavespeed', 'fal'],
  },
]
