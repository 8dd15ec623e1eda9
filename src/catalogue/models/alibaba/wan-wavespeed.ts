import type { Input } from '../../../../providers/input.ts'
import type { Model, Rate } from '../../model.ts'

const tiers = ['480p', '720p', '1080p']
const sizes = {
  '480p': ['480p', '832x480', '480x832'],
  '720p': ['720p', '1280x720', '720x1280'],
  '1080p': ['1080p', '1920x1080', '1080x1920'],
}
/** An alternative to `resolution`, which takes precedence. */
const sizeRule = { choices: Object.values(sizes).flat() }

// 720p is rendered by plain Wan 2.2, which expands no prompt.
function checkExpansion(input: Input): ReturnType<NonNullable<Model['check']>> {
  const { enhancePrompt, size, resolution } = input
  if (enhancePrompt !== true || !(size ?? resolution)?.includes('720')) return undefined
  const message = '`enhancePrompt` is not rendered at 720p: leave it out, or set 480p or 1080p'
  return { field: 'enhancePrompt', message, instead: false }
}

/** The price of each tier, whichever field sets it. */
function ratesByTier(
  usd: Readonly<Record<keyof typeof sizes, number>>,
  defaultTier: keyof typeof sizes,
): [Rate, ...Rate[]] {
  const entries = Object.entries(sizes) as [keyof typeof sizes, string[]][]
  const sizeRates = entries.flatMap(([tier, names]) =>
    names.map((size) => ({ when: { size }, usd: usd[tier] })),
  )
  const resolutionRates = entries.map(([tier]) => ({ when: { resolution: tier }, usd: usd[tier] }))
  const [first = { usd: usd[defaultTier] }, ...others] = [
    ...sizeRates,
    ...resolutionRates,
    { usd: usd[defaultTier] },
  ]
  return [first, ...others]
}

function forTextMode([first, ...others]: readonly [Rate, ...Rate[]]): [Rate, ...Rate[]] {
  return [{ ...first, mode: 'text' }, ...others.map((rate): Rate => ({ ...rate, mode: 'text' }))]
}

const lowTierRule = { choices: ['480p', '720p'], default: '480p' } as const
const orientationRule = { choices: ['16:9', '9:16'], default: '16:9', image: 'unused' } as const

export const wanWavespeedModels: readonly Model[] = [
  {
    id: 'wan-wavespeed-s2v',
    name: 'Wan 2.2 Speech to Video',
    description: 'Lets a picture speak or sing to an audio; the video is as long as the audio.',
    ownedBy: 'alibaba',
    released: '2025-08-26',
    modes: ['image'],
    fields: {
      image: { required: true },
      audio: { required: true },
      prompt: {},
      resolution: lowTierRule,
      seed: {},
      audioDuration: { max: 600 },
    },
    price: {
      source: 'WaveSpeed model page: USD 0.15 and 0.30 per 5 s, whole seconds, 3 s at least',
      asOf: '2026-08',
      per: 'second',
      rates: [{ when: { resolution: '720p' }, usd: 0.06 }, { usd: 0.03 }],
      minimumSeconds: 3,
      stepSeconds: 1,
      secondsFrom: ['audioDuration'],
      defaultSeconds: 5,
    },
    typicalSeconds: 180,
    deadlineSeconds: 3600,
    providers: ['wavespeed'],
  },
  {
    id: 'wan-wavespeed-video-edit',
    name: 'Wan 2.2 Video Edit',
    description: 'Changes a video of up to two minutes as a prompt says.',
    ownedBy: 'alibaba',
    released: '2025-09-25',
    modes: ['video'],
    fields: {
      prompt: { required: true },
      video: { required: true },
      resolution: lowTierRule,
      seed: {},
      videoDuration: { max: 120 },
    },
    price: {
      source: 'WaveSpeed model list: USD 0.20 and 0.40 per 5 s; billing by the second from 5 s is inferred',
      asOf: '2026-08',
      per: 'second',
      rates: [{ when: { resolution: '720p' }, usd: 0.08 }, { usd: 0.04 }],
      minimumSeconds: 5,
      stepSeconds: 1,
      secondsFrom: ['videoDuration'],
      defaultSeconds: 5,
    },
    typicalSeconds: 180,
    deadlineSeconds: 3600,
    providers: ['wavespeed'],
  },
  {
    id: 'wan-wavespeed-22-spicy-extend',
    name: 'Wan 2.2 Spicy Extend',
    description: 'Goes on with a video for 5 or 8 seconds.',
    ownedBy: 'alibaba',
    released: '2025-10-20',
    modes: ['video'],
    fields: {
      prompt: { required: true },
      video: { required: true },
      resolution: lowTierRule,
      duration: { choices: [5, 8], default: 5 },
      seed: {},
    },
    price: {
      source: 'WaveSpeed model list, and a public client for 720p',
      asOf: '2026-08',
      per: 'second',
      rates: [{ when: { resolution: '720p' }, usd: 0.06 }, { usd: 0.03 }],
    },
    typicalSeconds: 90,
    deadlineSeconds: 1800,
    providers: ['wavespeed'],
  },
  {
    id: 'wan-wavespeed-22-plus',
    name: 'Wan 2.2 Plus',
    description: 'Alibaba Wan 2.2 Plus: 5 s clips from words or an image. 720p is rendered by plain Wan 2.2.',
    ownedBy: 'alibaba',
    released: '2025-07-28',
    modes: ['text', 'image'],
    fields: {
      prompt: { required: true },
      image: {},
      negative_prompt: {},
      resolution: { choices: tiers, default: '480p' },
      size: sizeRule,
      aspect_ratio: orientationRule,
      duration: { fixed: 5 },
      enhancePrompt: { default: false },
      seed: {},
    },
    price: {
      source: 'WaveSpeed model pages for 5 s; from words, 480p costs a quarter',
      asOf: '2025-11',
      per: 'video',
      rates: [
        ...forTextMode(ratesByTier({ '480p': 0.05, '720p': 0.3, '1080p': 0.8 }, '480p')),
        ...ratesByTier({ '480p': 0.2, '720p': 0.3, '1080p': 0.8 }, '480p'),
      ],
    },
    typicalSeconds: 90,
    deadlineSeconds: 1800,
    providers: ['wavespeed'],
    check: checkExpansion,
  },
  {
    id: 'wan-wavespeed-22-animate',
    name: 'Wan 2.2 Animate',
    description:
      'Moves the figure of an image as the video moves, or puts it in the place of the one in the video.',
    ownedBy: 'alibaba',
    released: '2025-09-19',
    modes: ['video'],
    fields: {
      image: { required: true },
      video: { required: true },
      prompt: {},
      mode: { choices: ['animate', 'replace'], default: 'animate' },
      resolution: lowTierRule,
      seed: {},
      videoDuration: { max: 120 },
    },
    price: {
      source: 'WaveSpeed model page, billed from 5 to 120 s',
      asOf: '2026-08',
      per: 'second',
      rates: [{ when: { resolution: '720p' }, usd: 0.08 }, { usd: 0.04 }],
      minimumSeconds: 5,
      stepSeconds: 1,
      secondsFrom: ['videoDuration'],
      defaultSeconds: 5,
    },
    typicalSeconds: 180,
    deadlineSeconds: 3600,
    providers: ['wavespeed', 'fal'],
  },
  {
    id: 'wan-wavespeed-25',
    name: 'Wan 2.5',
    description: 'Alibaba Wan 2.5: video with sound from words or an image.',
    ownedBy: 'alibaba',
    released: '2025-09-24',
    modes: ['text', 'image'],
    fields: {
      prompt: { required: true },
      image: {},
      negative_prompt: {},
      resolution: { choices: tiers, default: '720p' },
      size: sizeRule,
      aspect_ratio: orientationRule,
      duration: { choices: [5, 10], default: 5 },
      enhancePrompt: { default: false },
      seed: {},
    },
    price: {
      source: 'WaveSpeed model list for 480p, and a public client for the others',
      asOf: '2026-08',
      per: 'second',
      rates: ratesByTier({ '480p': 0.05, '720p': 0.1, '1080p': 0.15 }, '720p'),
    },
    typicalSeconds: 120,
    deadlineSeconds: 1800,
    providers: ['wavespeed', 'fal'],
  },
]
