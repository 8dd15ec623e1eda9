import type { Model } from '../model.ts'

export const runwayModels: readonly Model[] = [
  {
    id: 'runwayml-gen4-aleph',
    name: 'Runway Gen-4 Aleph',
    description: 'Changes a video as a prompt says, towards a reference image where there is one.',
    ownedBy: 'runwayml',
    released: '2025-07-25',
    modes: ['video'],
    fields: {
      prompt: { required: true },
      video: { required: true },
      referenceImages: { max: 1 },
      aspect_ratio: { choices: ['16:9', '4:3', '1:1', '3:4', '9:16', 'auto'], default: '16:9' },
      videoDuration: {},
    },
    price: {
      source: 'WaveSpeed model page',
      asOf: '2025-11',
      per: 'second',
      rates: [{ usd: 0.18 }],
      stepSeconds: 1,
      secondsFrom: ['videoDuration'],
      defaultSeconds: 5,
    },
    typicalSeconds: 180,
    deadlineSeconds: 1800,
    providers: ['wavespeed'],
  },
]
