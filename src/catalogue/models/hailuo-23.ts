import type { Model } from '../model.ts'

const shared = {
  ownedBy: 'minimax',
  released: '2025-10-28',
  modes: ['text', 'image'],
  deadlineSeconds: 1800,
  providers: ['wavespeed', 'fal'],
} as const satisfies Partial<Model>

const prompt = { maxLength: 2000, text: { required: true } } as const
const enhancePrompt = { default: false } as const

export const hailuo23Models: readonly Model[] = [
  {
    ...shared,
    id: 'minimax-hailuo-23-standard',
    name: 'MiniMax Hailuo 2.3 Standard',
    description: 'MiniMax Hailuo 2.3 in 768p: 6 or 10 s from words or an image.',
    fields: { prompt, image: {}, duration: { choices: [6, 10], default: 6 }, enhancePrompt },
    price: {
      source: 'WaveSpeed model list for 6 s; 10 s inferred, and so listed by FAL',
      asOf: '2026-08',
      per: 'video',
      rates: [{ when: { duration: 10 }, usd: 0.56 }, { usd: 0.28 }],
    },
    typicalSeconds: 150,
  },
  {
    ...shared,
    id: 'minimax-hailuo-23-pro',
    name: 'MiniMax Hailuo 2.3 Pro',
    description: 'MiniMax Hailuo 2.3 in 1080p: clips of the one length that MiniMax renders.',
    fields: { prompt, image: {}, enhancePrompt },
    price: { source: 'WaveSpeed model list', asOf: '2026-08', per: 'video', rates: [{ usd: 0.49 }] },
    typicalSeconds: 180,
  },
]
