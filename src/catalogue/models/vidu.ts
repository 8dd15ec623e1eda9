import type { Model } from '../model.ts'

export const viduModels: readonly Model[] = [
  {
    id: 'vidu-video',
    name: 'Vidu Q1',
    description: 'Shengshu Vidu Q1: 5 s in 1080p from words or an image.',
    ownedBy: 'shengshu',
    released: '2025-04-21',
    modes: ['text', 'image'],
    fields: {
      prompt: { required: true, maxLength: 3000 },
      image: {},
      size: {
        choices: ['16:9', '9:16', '1:1', '1920x1080', '1080x1920', '1080x1080'],
        text: { default: '16:9' },
      },
      duration: { fixed: 5 },
      style: { choices: ['general', 'anime'], image: 'unused' },
      movementAmplitude: { choices: ['auto', 'small', 'medium', 'large'] },
      seed: {},
    },
    price: {
      source: 'Runware model page, USD 0.044 a second',
      asOf: '2026-08',
      per: 'second',
      rates: [{ usd: 0.044 }],
    },
    typicalSeconds: 120,
    deadlineSeconds: 1800,
    providers: ['runware', 'fal'],
  },
]
