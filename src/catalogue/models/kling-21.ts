import type { FieldRule, Model } from '../model.ts'

/** Beside an image only Runware takes a ratio, so that none is asked for unless the caller does. */
const aspect_ratio = {
  choices: ['16:9', '9:16', '1:1'],
  text: { default: '16:9' },
} as const satisfies FieldRule
const prompt = { required: true, maxLength: 2500 } as const
const negative_prompt = { maxLength: 2500 } as const

const shared = {
  ownedBy: 'kuaishou',
  released: '2025-05-29',
  deadlineSeconds: 1800,
  providers: ['runware', 'fal'],
} as const satisfies Partial<Model>

export const kling21Models: readonly Model[] = [
  {
    ...shared,
    id: 'kling-v21-standard',
    name: 'Kling 2.1 Standard',
    description: 'Kuaishou Kling 2.1 Standard: 5 s in 720p from an image.',
    modes: ['image'],
    fields: {
      prompt,
      negative_prompt,
      image: { required: true },
      aspect_ratio,
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
    ...shared,
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
      aspect_ratio,
      duration: { choices: [5, 10], default: 5 },
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
    ...shared,
    id: 'kling-v21-master',
    name: 'Kling 2.1 Master',
    description: 'Kuaishou Kling 2.1 Master: 5 or 10 s in 1080p from words or an image.',
    modes: ['text', 'image'],
    fields: {
      prompt,
      negative_prompt,
      image: {},
      aspect_ratio,
      duration: { choices: [5, 10], default: 5 },
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
