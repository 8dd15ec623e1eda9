import type { Model } from '../model.ts'

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
