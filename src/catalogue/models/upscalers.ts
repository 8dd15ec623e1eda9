import type { Model, Rate } from '../model.ts'

const resolutions = ['720p', '1080p', '2k', '4k']

/** The price of each resolution, whichever field sets it. */
function ratesByResolution(usd: Readonly<Record<string, number>>, defaultUsd: number): [Rate, ...Rate[]] {
  const ratesFor = (field: 'size' | 'resolution') =>
    Object.entries(usd).map(([value, rateUsd]) => ({ when: { [field]: value }, usd: rateUsd }))
  const [first = { usd: defaultUsd }, ...others] = [
    ...ratesFor('size'),
    ...ratesFor('resolution'),
    { usd: defaultUsd },
  ]
  return [first, ...others]
}

export const upscalerModels: readonly Model[] = [
  {
    id: 'video-upscaler',
    name: 'Video Upscaler',
    description: 'Makes a video of up to ten minutes larger and sharper.',
    ownedBy: 'wavespeed-ai',
    released: '2025-08-01',
    modes: ['video'],
    fields: {
      video: { required: true },
      resolution: { choices: resolutions, default: '1080p' },
      size: { choices: resolutions },
      videoDuration: { max: 600 },
      billedDuration: { max: 600 },
    },
    price: {
      source:
        'WaveSpeed model page: per 5 s USD 0.025 to 1080p, 0.05 for 2k, 0.10 for 4k; whole seconds, 5 s at least',
      asOf: '2025-11',
      per: 'second',
      rates: ratesByResolution({ '720p': 0.005, '1080p': 0.005, '2k': 0.01, '4k': 0.02 }, 0.005),
      minimumSeconds: 5,
      stepSeconds: 1,
      secondsFrom: ['billedDuration', 'videoDuration'],
      defaultSeconds: 5,
    },
    typicalSeconds: 120,
    deadlineSeconds: 7200,
    providers: ['wavespeed'],
  },
  {
    id: 'bytedance-seedance-upscaler',
    name: 'ByteDance Video Upscaler',
    description: 'Makes a video larger and sharper, up to 4k.',
    ownedBy: 'bytedance',
    released: '2025-09-12',
    modes: ['video'],
    fields: {
      video: { required: true },
      resolution: { choices: resolutions.slice(1), default: '1080p' },
      size: { choices: resolutions.slice(1) },
      videoDuration: { max: 600 },
      billedDuration: { max: 600 },
    },
    price: {
      source: 'WaveSpeed model page for 1080p; 2k and 4k inferred from the list of FAL',
      asOf: '2025-11',
      per: 'second',
      rates: ratesByResolution({ '1080p': 0.0072, '2k': 0.0144, '4k': 0.0288 }, 0.0072),
      stepSeconds: 1,
      secondsFrom: ['billedDuration', 'videoDuration'],
      defaultSeconds: 5,
    },
    typicalSeconds: 120,
    deadlineSeconds: 7200,
    providers: ['wavespeed', 'fal'],
  },
]
