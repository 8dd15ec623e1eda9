import type { Model } from '../model.ts'

const prompt = { required: true, maxLength: 2500 } as const
const duration = { choices: [5, 10], default: 5 } as const

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
      aspect_ratio: { choices: ['16:9', '9:16', '1:1'], default: '16:9', image: 'unused' },
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
