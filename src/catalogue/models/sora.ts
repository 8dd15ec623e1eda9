import type { Model } from '../model.ts'

export const soraModels: readonly Model[] = [
  {
    id: 'sora-2',
    name: 'Sora 2',
    description: 'OpenAI Sora 2: video with sound from words or an image, in pro mode larger and finer.',
    ownedBy: 'openai',
    released: '2025-10-06',
    modes: ['text', 'image'],
    fields: {
      prompt: { required: true },
      image: {},
      pro_mode: { default: false },
      resolution: { choices: ['720p', '1792x1024'], default: '720p' },
      aspect_ratio: { choices: ['16:9', '9:16'], default: '16:9', image: 'unused' },
      duration: { choices: [4, 8, 12], default: 4 },
    },
    price: {
      source: 'WaveSpeed model list and pages; pro in 1792x1024 as listed for 1024x1792',
      asOf: '2026-08',
      per: 'second',
      rates: [
        { when: { pro_mode: true, resolution: '1792x1024' }, usd: 0.5 },
        { when: { pro_mode: true }, usd: 0.3 },
        { usd: 0.1 },
      ],
    },
    typicalSeconds: 150,
    deadlineSeconds: 1800,
    providers: ['wavespeed', 'fal'],
    check: ({ pro_mode, resolution }) =>
      resolution === '1792x1024' && pro_mode !== true
        ? {
            field: 'resolution',
            message: '`resolution` 1792x1024 is rendered in pro mode only: add `pro_mode: true`, or set 720p',
            code: 'pro_required',
            instead: '720p',
          }
        : undefined,
  },
]
