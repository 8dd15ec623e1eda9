import type { Model } from '../model.ts'

export const faceSwapModels: readonly Model[] = [
  {
    id: 'magicapi-video-face-swap',
    name: 'Video Face Swap',
    description:
      'Puts the face of a picture into a video of up to four minutes. The result has the resolution of the video; `resolution` only tells which, for billing.',
    ownedBy: 'magicapi',
    released: '2025-05-01',
    modes: ['video'],
    fields: {
      swapImage: { required: true },
      targetVideo: { required: true },
      targetFaceIndex: { min: -1 },
      resolution: { choices: ['480p', '720p', '1080p', '4k'], default: '720p' },
      videoDuration: { max: 240 },
    },
    price: {
      source: 'Inferred: API.market publishes no figure, only that the price follows the resolution',
      asOf: '2026-09',
      per: 'second',
      rates: [
        { when: { resolution: '480p' }, usd: 0.01 },
        { when: { resolution: '1080p' }, usd: 0.03 },
        { when: { resolution: '4k' }, usd: 0.06 },
        { usd: 0.02 },
      ],
      minimumSeconds: 5,
      stepSeconds: 1,
      secondsFrom: ['videoDuration'],
      defaultSeconds: 30,
    },
    typicalSeconds: 120,
    deadlineSeconds: 3600,
    providers: ['magicapi'],
  },
]
