import type { Model } from '../model.ts'

export const talkingHeadModels: readonly Model[] = [
  {
    id: 'veed-fabric-1.0',
    name: 'VEED Fabric 1.0',
    description: 'Lets a picture speak an audio; the video is as long as the audio.',
    ownedBy: 'veed',
    released: '2025-09-16',
    modes: ['image'],
    fields: {
      image: { required: true },
      audio: { required: true },
      resolution: { choices: ['480p', '720p'], default: '480p' },
      audioDuration: {},
    },
    price: {
      source: 'WaveSpeed model page: USD 0.35 and 0.70 per 5 s; billing by the second from 5 s is inferred',
      asOf: '2026-08',
      per: 'second',
      rates: [{ when: { resolution: '720p' }, usd: 0.14 }, { usd: 0.07 }],
      minimumSeconds: 5,
      stepSeconds: 1,
      secondsFrom: ['audioDuration'],
      defaultSeconds: 5,
    },
    typicalSeconds: 120,
    deadlineSeconds: 3600,
    providers: ['wavespeed', 'fal'],
  },
]
