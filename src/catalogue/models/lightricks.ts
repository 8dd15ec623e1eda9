import type { Model } from '../model.ts'

const shared = {
  ownedBy: 'lightricks',
  released: '2025-10-23',
  modes: ['text', 'image'],
  deadlineSeconds: 1800,
  providers: ['wavespeed', 'fal'],
} as const satisfies Partial<Model>

const prompt = { required: true, maxLength: 5000 } as const
const generateAudio = { default: false } as const

export const lightricksModels: readonly Model[] = [
  {
    ...shared,
    id: 'lightricks-ltx-2-fast',
    name: 'LTX-2 Fast',
    description:
      'Lightricks LTX-2, the fast one: 6 to 20 s in 1080p from words or an image, with sound on demand.',
    fields: {
      prompt,
      image: {},
      duration: { choices: [6, 8, 10, 12, 14, 16, 18, 20], default: 6 },
      generateAudio,
    },
    price: { source: 'WaveSpeed model list', asOf: '2026-08', per: 'second', rates: [{ usd: 0.04 }] },
    typicalSeconds: 60,
  },
  {
    ...shared,
    id: 'lightricks-ltx-2-pro',
    name: 'LTX-2 Pro',
    description:
      'Lightricks LTX-2, the fine one: 6 to 10 s in 1080p from words or an image, with sound on demand.',
    fields: { prompt, image: {}, duration: { choices: [6, 8, 10], default: 6 }, generateAudio },
    price: { source: 'WaveSpeed model list', asOf: '2026-08', per: 'second', rates: [{ usd: 0.06 }] },
    typicalSeconds: 90,
  },
]
