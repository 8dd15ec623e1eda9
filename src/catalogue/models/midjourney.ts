import type { Model } from '../model.ts'

export const midjourneyModels: readonly Model[] = [
  {
    id: 'midjourney-video',
    name: 'Midjourney Video',
    description: 'Midjourney: four silent clips of about 5 s from one image; each can be extended.',
    ownedBy: 'midjourney',
    released: '2025-06-18',
    modes: ['image'],
    fields: {
      image: { required: true },
      last_image: {},
      prompt: { maxLength: 8192 },
      motion: { choices: ['low', 'high'], default: 'low' },
      resolution: { choices: ['480p', '720p'], default: '480p' },
    },
    price: {
      source: 'Inferred from a hosted relay: about USD 0.075 a job in 480p, 0.225 in 720p',
      asOf: '2026-09',
      per: 'video',
      rates: [{ when: { resolution: '720p' }, usd: 0.225 }, { usd: 0.075 }],
    },
    typicalSeconds: 120,
    deadlineSeconds: 1200,
    providers: ['midjourney'],
  },
]
