import type { Model } from '../../model.ts'

const shared = {
  ownedBy: 'minimax',
  modes: ['text', 'image'],
  deadlineSeconds: 1800,
  providers: ['fal'],
} as const satisfies Partial<Model>

const prompt = { required: true, maxLength: 2000 } as const
const last_image = { text: 'unused' } as const
const enhancePrompt = { default: false } as const

export const minimaxModels: readonly Model[] = [
  {
    ...shared,
    id: 'minimax-hailuo-02',
    name: 'Hailuo 02',
    description: 'MiniMax Hailuo 02: 6 or 10 s in 768p from words or an image.',
    released: '2025-06-18',
    fields: { prompt, image: {}, last_image, duration: { choices: [6, 10], default: 6 }, enhancePrompt },
    price: {
      source: 'FAL: USD 0.045 a second in 768p',
      asOf: '2025-12',
      per: 'second',
      rates: [{ usd: 0.045 }],
    },
    typicalSeconds: 180,
  },
  {
    ...shared,
    id: 'minimax-hailuo-02-pro',
    name: 'Hailuo 02 Pro',
    description: 'MiniMax Hailuo 02 Pro: 6 s in 1080p from words or an image.',
    released: '2025-06-18',
    fields: { prompt, image: {}, last_image, duration: { fixed: 6 }, enhancePrompt },
    price: {
      source: 'FAL: USD 0.08 a second, 0.48 for the fixed 6 s',
      asOf: '2025-12',
      per: 'second',
      rates: [{ usd: 0.08 }],
    },
    typicalSeconds: 240,
  },
  {
    ...shared,
    id: 'minimax-video',
    name: 'MiniMax Video 01',
    description: 'MiniMax Video 01: 6 s in 720p from words or an image.',
    released: '2024-08-31',
    fields: { prompt, image: {}, duration: { choices: [6], default: 6 }, enhancePrompt },
    price: {
      source: 'FAL: USD 0.50 a video, listed for the image endpoint',
      asOf: '2025-09',
      per: 'video',
      rates: [{ usd: 0.5 }],
    },
    typicalSeconds: 240,
  },
]

const shared23 = {
  ownedBy: 'minimax',
  released: '2025-10-28',
  modes: ['text', 'image'],
  deadlineSeconds: 1800,
  providers: ['wavespeed', 'fal'],
} as const satisfies Partial<Model>

const prompt23 = { maxLength: 2000, text: { required: true } } as const

export const hailuo23Models: readonly Model[] = [
  {
    ...shared23,
    id: 'minimax-hailuo-23-standard',
    name: 'MiniMax Hailuo 2.3 Standard',
    description: 'MiniMax Hailuo 2.3 in 768p: 6 or 10 s from words or an image.',
    fields: { prompt: prompt23, image: {}, duration: { choices: [6, 10], default: 6 }, enhancePrompt },
    price: {
      source: 'WaveSpeed model list for 6 s; 10 s inferred, and so listed by FAL',
      asOf: '2026-08',
      per: 'video',
      rates: [{ when: { duration: 10 }, usd: 0.56 }, { usd: 0.28 }],
    },
    typicalSeconds: 150,
  },
  {
    ...shared23,
    id: 'minimax-hailuo-23-pro',
    name: 'MiniMax Hailuo 2.3 Pro',
    description: 'MiniMax Hailuo 2.3 in 1080p: clips of the one length that MiniMax renders.',
    fields: { prompt: prompt23, image: {}, enhancePrompt },
    price: { source: 'WaveSpeed model list', asOf: '2026-08', per: 'video', rates: [{ usd: 0.49 }] },
    typicalSeconds: 180,
  },
]

const sharedFast = {
  ownedBy: 'minimax',
  released: '2025-10-28',
  modes: ['image'],
  deadlineSeconds: 1800,
  providers: ['wavespeed', 'fal', 'runware'],
} as const satisfies Partial<Model>

const fastFields = { prompt, image: { required: true }, enhancePrompt } as const

export const hailuo23FastModels: readonly Model[] = [
  {
    ...sharedFast,
    id: 'minimax-hailuo-23-fast',
    name: 'MiniMax Hailuo 2.3 Fast',
    description: 'A faster make of MiniMax Hailuo 2.3: 6 or 10 s in 768p from an image.',
    fields: { ...fastFields, duration: { choices: [6, 10], default: 6 } },
    price: {
      source: 'WaveSpeed model list for 6 s; MiniMax price list for 10 s',
      asOf: '2026-08',
      per: 'video',
      rates: [{ when: { duration: 10 }, usd: 0.32 }, { usd: 0.19 }],
    },
    typicalSeconds: 90,
  },
  {
    ...sharedFast,
    id: 'minimax-hailuo-23-fast-pro',
    name: 'MiniMax Hailuo 2.3 Fast Pro',
    description: 'A faster make of MiniMax Hailuo 2.3 Pro: 6 s in 1080p from an image.',
    fields: { ...fastFields, duration: { fixed: 6 } },
    price: { source: 'WaveSpeed model list', asOf: '2026-08', per: 'video', rates: [{ usd: 0.33 }] },
    typicalSeconds: 120,
  },
]
