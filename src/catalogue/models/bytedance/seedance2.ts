import type { Input } from '../../../../providers/input.ts'
import { defineModel, secondsBetween } from '../../define-model.ts'
import type { Model, Price, Rate } from '../../model.ts'

const shared = { ownedBy: 'bytedance', typicalSeconds: 180, deadlineSeconds: 3600 } as const
const prompt = { required: true, maxLength: 5000 } as const
const image = { required: true } as const
const video = { required: true } as const
const ratios = ['16:9', '9:16', '4:3', '3:4', '1:1', '21:9'] as const
const ratio = { choices: ratios, default: '16:9' } as const
const generateAudio = { default: true } as const
const source = 'NanoGPT model list'

type Described = Pick<Model, 'id' | 'name' | 'description' | 'released' | 'providers'>
type Limits = { resolutions: readonly [string, ...string[]]; images: number; clips: number; seconds: number }

/** USD a second by resolution, the highest first. */
type Tiers = Readonly<Record<string, number>>

const limits20 = { images: 9, clips: 3, seconds: 15 } as const
const limits25 = { images: 30, clips: 10, seconds: 30 } as const

function operationsOf({ resolutions, images, clips, seconds }: Limits) {
  const common = {
    prompt,
    generateAudio,
    resolution: { choices: resolutions, default: '720p' },
  } as const
  const duration = { choices: secondsBetween(4, seconds), default: 5 }
  const isLong = seconds > 15
  const extras = isLong ? { seed: {} } : { seed: {}, enableWebSearch: {} }
  const imageRatio = isLong ? {} : { aspect_ratio: { choices: ratios } }
  return {
    text: { ...common, ...extras, duration, aspect_ratio: ratio },
    image: { ...common, ...extras, ...imageRatio, duration, image, last_image: {} },
    reference: {
      ...common,
      ...extras,
      duration,
      aspect_ratio: ratio,
      referenceImages: { required: { unless: ['referenceVideos', 'referenceAudios'] }, max: images },
      referenceVideos: { max: clips },
      referenceAudios: { max: clips },
      videoDuration: { max: seconds },
    },
    edit: {
      ...common,
      ...(isLong ? {} : { enableWebSearch: {}, aspect_ratio: { choices: ratios } }),
      video,
      videoDuration: { min: 2, max: seconds },
      referenceImages: { max: images },
      referenceAudios: { max: clips },
    },
    extend: { ...common, ...(isLong ? {} : { enableWebSearch: {} }), duration, video },
  } as const
}

function ratesOf(tiers: Tiers, condition: Pick<Rate, 'mode' | 'given'> = {}, factor = 1): Rate[] {
  return Object.entries(tiers).map(([resolution, usd]) => ({
    ...condition,
    when: { resolution },
    usd: Math.round(usd * factor * 1e6) / 1e6,
  }))
}

/** The sources of Seedance 2.0 are not billed by their length. */
const withoutSourceSeconds = { media: [], length: 'videoDuration', default: 0 } as const

/** With a source video, its seconds are billed too: an edit is as long as its source, so that its seconds count twice. */
function priceOf(tiers: Tiers, withVideo: Tiers, changes: Partial<Price> = {}): Price {
  const rates = [
    ...ratesOf(withVideo, { mode: 'edit' }, 2),
    ...ratesOf(withVideo, { given: ['referenceVideos'] }),
    ...ratesOf(tiers),
  ]
  return {
    source,
    asOf: '2026-08',
    per: 'second',
    rates: rates as [Rate, ...Rate[]],
    secondsFrom: ['duration', 'videoDuration'],
    defaultSeconds: 5,
    stepSeconds: 1,
    sourceSeconds: { media: ['referenceVideos'], length: 'videoDuration', default: 15 },
    ...changes,
  }
}

function seedance2(model: Described, limits: Limits, price: Price): Model {
  return defineModel({ ...shared, ...model, operations: operationsOf(limits), price })
}

/** WaveSpeed's faster make: it does not extend. */
function turbo(
  model: Omit<Described, 'providers'>,
  limits: Omit<Limits, 'resolutions'>,
  price: Price,
): Model {
  const operations = withoutSeeds(operationsOf({ ...limits, resolutions: ['720p', '1080p'] }))
  return defineModel({ ...shared, ...model, operations, price, providers: ['wavespeed'] })
}

/** What WaveSpeed's faster makes take: no seed, and no video to go on from. */
function withoutSeeds({ extend: _extend, edit, ...generations }: ReturnType<typeof operationsOf>) {
  const { text, image, reference } = generations
  const drop = <Rules extends { seed: object }>({ seed: _seed, ...rules }: Rules) => rules
  return { text: drop(text), image: drop(image), reference: drop(reference), edit }
}

/** 720p is the only resolution that both makes have. */
function checkVariant({ variant, resolution }: Input): ReturnType<NonNullable<Model['check']>> {
  const missing = variant === 'turbo' ? '480p' : '1080p'
  if (resolution !== missing) return undefined
  return {
    field: 'resolution',
    message: `\`resolution\` ${missing} is not rendered by this \`variant\``,
    instead: '720p',
  }
}

const mini = operationsOf({ ...limits20, resolutions: ['480p', '720p', '1080p'] })
const variant = { choices: ['standard', 'turbo'], default: 'standard' } as const
const { extend: _extend, ...miniOperations } = mini

const everywhere = ['fal', 'wavespeed', 'runware', 'bytedance'] as const
const seedance15 = {
  prompt,
  generateAudio,
  seed: {},
  camera_fixed: {},
  duration: { choices: secondsBetween(4, 12), default: 5 },
} as const
const tiers15 = { choices: ['480p', '720p', '1080p'], default: '720p' } as const

function price15(tiers: Tiers): Price {
  const rates = Object.entries(tiers).flatMap(([resolution, usd]): Rate[] => [
    { when: { resolution, generateAudio: true }, usd: usd * 2 },
    { when: { resolution }, usd },
  ])
  return { source, asOf: '2026-08', per: 'second', rates: rates as [Rate, ...Rate[]] }
}

export const seedance2Models: readonly Model[] = [
  seedance2(
    {
      id: 'bytedance/seedance-2.5',
      name: 'Seedance 2.5',
      description:
        'ByteDance Seedance 2.5: 4 to 30 s with sound, from words, images or references; edits and extends.',
      released: '2026-06-28',
      providers: everywhere,
    },
    { ...limits25, resolutions: ['480p', '720p', '1080p', '4k'] },
    priceOf(
      { '4k': 1.8, '1080p': 0.9, '720p': 0.36, '480p': 0.18 },
      { '4k': 1.1, '1080p': 0.55, '720p': 0.22, '480p': 0.11 },
    ),
  ),
  turbo(
    {
      id: 'bytedance/seedance-2.5-turbo',
      name: 'Seedance 2.5 Turbo',
      description: 'A faster make of Seedance 2.5: 4 to 30 s in 720p or 1080p; edits too.',
      released: '2026-07-20',
    },
    limits25,
    priceOf(
      { '1080p': 0.21, '720p': 0.2 },
      { '1080p': 0.39, '720p': 0.38 },
      {
        rates: [
          ...ratesOf({ '1080p': 0.14, '720p': 0.13 }, { mode: 'edit' }, 2),
          ...ratesOf({ '1080p': 0.39, '720p': 0.38 }, { given: ['referenceVideos'] }),
          ...ratesOf({ '1080p': 0.21, '720p': 0.2 }),
        ] as [Rate, ...Rate[]],
      },
    ),
  ),
  seedance2(
    {
      id: 'doubao-seedance-2-0',
      name: 'Seedance 2.0',
      description:
        'ByteDance Seedance 2.0: 4 to 15 s with sound, from words, images or references; edits and extends.',
      released: '2026-02-12',
      providers: everywhere,
    },
    { ...limits20, resolutions: ['480p', '720p', '1080p', '4k'] },
    priceOf(
      { '4k': 1.368, '1080p': 0.6, '720p': 0.24, '480p': 0.12 },
      { '4k': 2.736, '1080p': 1.2, '720p': 0.48, '480p': 0.24 },
      {
        source: 'NanoGPT model list; 4k by the ratio of FAL',
        sourceSeconds: withoutSourceSeconds,
      },
    ),
  ),
  seedance2(
    {
      id: 'doubao-seedance-2-0-fast',
      name: 'Seedance 2.0 Fast',
      description:
        'ByteDance Seedance 2.0 Fast: 4 to 15 s with sound, from words, images or references; edits and extends.',
      released: '2026-02-12',
      providers: everywhere,
    },
    { ...limits20, resolutions: ['480p', '720p'] },
    priceOf(
      { '720p': 0.2, '480p': 0.1 },
      { '720p': 0.4, '480p': 0.2 },
      { sourceSeconds: withoutSourceSeconds },
    ),
  ),
  turbo(
    {
      id: 'bytedance-seedance-2-0',
      name: 'Seedance 2.0 Turbo',
      description: 'A faster make of Seedance 2.0: 4 to 15 s in 720p or 1080p; edits too.',
      released: '2026-04-10',
    },
    limits20,
    priceOf(
      { '1080p': 0.0882, '720p': 0.0824 },
      { '1080p': 0.0882, '720p': 0.0824 },
      { sourceSeconds: withoutSourceSeconds },
    ),
  ),
  turbo(
    {
      id: 'bytedance-seedance-2-0-fast',
      name: 'Seedance 2.0 Fast Turbo',
      description: 'A faster make of Seedance 2.0 Fast: 4 to 15 s in 720p or 1080p; edits too.',
      released: '2026-04-10',
    },
    limits20,
    priceOf(
      { '1080p': 0.0765, '720p': 0.0706 },
      { '1080p': 0.0765, '720p': 0.0706 },
      { sourceSeconds: withoutSourceSeconds },
    ),
  ),
  defineModel({
    ...shared,
    id: 'bytedance-seedance-2-0-mini',
    name: 'Seedance 2.0 Mini',
    description:
      'ByteDance Seedance 2.0 Mini, in a standard and a turbo make: 4 to 15 s with sound; edits too.',
    released: '2026-06-15',
    fields: { variant },
    operations: miniOperations,
    price: priceOf(
      {},
      {},
      {
        sourceSeconds: withoutSourceSeconds,
        rates: [
          { mode: 'edit', when: { variant: 'turbo', resolution: '1080p' }, usd: 0.1764 },
          { mode: 'edit', when: { variant: 'turbo' }, usd: 0.1648 },
          { mode: 'edit', when: { resolution: '720p' }, usd: 0.353 },
          { mode: 'edit', usd: 0.1412 },
          { when: { variant: 'turbo', resolution: '1080p' }, usd: 0.0882 },
          { when: { variant: 'turbo' }, usd: 0.0824 },
          { when: { resolution: '720p' }, usd: 0.1765 },
          { usd: 0.0706 },
        ],
      },
    ),
    providers: ['wavespeed', 'fal', 'runware', 'bytedance'],
    check: checkVariant,
  }),
  defineModel({
    ...shared,
    id: 'bytedance-seedance-v1.5-pro',
    name: 'Seedance 1.5 Pro',
    description: 'ByteDance Seedance 1.5 Pro: 4 to 12 s with sound in up to 1080p, from words or images.',
    released: '2025-12-23',
    fields: { ...seedance15, resolution: tiers15 },
    operations: {
      text: { aspect_ratio: ratio },
      image: { aspect_ratio: { choices: ratios }, image, last_image: {} },
    },
    price: price15({ '1080p': 0.0306, '720p': 0.0153, '480p': 0.0071 }),
    providers: ['fal', 'wavespeed', 'bytedance', 'runware'],
  }),
  defineModel({
    ...shared,
    id: 'bytedance-seedance-v1.5-pro-fast',
    name: 'Seedance 1.5 Pro Fast',
    description: 'A faster make of Seedance 1.5 Pro: 4 to 12 s with sound in 720p or 1080p.',
    released: '2025-12-23',
    fields: { ...seedance15, resolution: { choices: ['720p', '1080p'], default: '720p' } },
    operations: {
      text: { aspect_ratio: ratio },
      image: { aspect_ratio: { choices: ratios }, image, last_image: {} },
    },
    price: price15({ '1080p': 0.0176, '720p': 0.0118 }),
    providers: ['wavespeed'],
  }),
  defineModel({
    ...shared,
    id: 'bytedance-seedance-v1.5-pro-extend',
    name: 'Seedance 1.5 Pro Extend',
    description: 'Goes on with a video for 4 to 12 s.',
    released: '2025-12-23',
    operations: { extend: { ...seedance15, resolution: tiers15, video } },
    price: price15({ '1080p': 0.0306, '720p': 0.0153, '480p': 0.0071 }),
    providers: ['wavespeed'],
  }),
]
