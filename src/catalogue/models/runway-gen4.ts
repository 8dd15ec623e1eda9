import { defineModel } from '../define-model.ts'
import type { Model } from '../model.ts'

const shared = { ownedBy: 'runway', typicalSeconds: 120, deadlineSeconds: 1800 } as const

export const runwayGen4Models: readonly Model[] = [
  defineModel({
    ...shared,
    id: 'runway-gen-45',
    name: 'Runway Gen-4.5',
    description: 'Runway Gen-4.5: 5, 8 or 10 s in 720p, from words or an image.',
    released: '2025-12-01',
    fields: {
      prompt: { required: true, maxLength: 1000 },
      aspect_ratio: { choices: ['16:9', '9:16', '4:3', '3:4', '1:1', '21:9'], default: '16:9' },
      duration: { choices: [5, 8, 10], default: 5 },
      seed: {},
    },
    operations: { text: {}, image: { image: { required: true } } },
    price: {
      source: 'NanoGPT model list: USD 0.66 for 5 s',
      asOf: '2026-08',
      per: 'second',
      rates: [{ usd: 0.132 }],
    },
    providers: ['runware'],
  }),
  defineModel({
    ...shared,
    id: 'runwayml-aleph-2',
    name: 'Runway Aleph 2',
    description: 'Changes a video of up to 30 s as a prompt says.',
    released: '2026-05-20',
    operations: {
      edit: {
        prompt: { required: true, maxLength: 1000 },
        video: { required: true },
        videoDuration: { max: 30 },
        seed: {},
      },
    },
    price: {
      source: 'WaveSpeed list: USD 1.85 for the default call, taken as 5 s',
      asOf: '2026-08',
      per: 'second',
      rates: [{ usd: 0.37 }],
      secondsFrom: ['videoDuration'],
      defaultSeconds: 5,
      stepSeconds: 1,
    },
    providers: ['wavespeed', 'runware'],
  }),
]
