import { defineModel, secondsBetween } from '../../define-model.ts'
import type { Model, Rate } from '../../model.ts'

const shared = { ownedBy: 'alibaba', typicalSeconds: 180, deadlineSeconds: 3600 } as const
const prompt = { required: true, maxLength: 5000 } as const
const image = { required: true } as const
const video = { required: true } as const
const ratios = ['16:9', '9:16', '1:1', '4:3', '3:4'] as const
const aspect_ratio = { choices: ratios, default: '16:9' } as const
const source = 'NanoGPT model list'
const fields = {
  prompt,
  negative_prompt: { maxLength: 500 },
  enhancePrompt: { default: false },
  enable_safety_checker: {},
  seed: {},
} as const
const fieldsOf26 = { ...fields, prompt: { required: true, maxLength: 1500 } } as const
const resolution = { choices: ['720p', '1080p'], default: '720p' } as const
const shotType = { choices: ['single', 'multi'], default: 'single' } as const
const tens = { choices: [5, 10, 15], default: 5 } as const
const tensOfReferences = { choices: [5, 10], default: 5 } as const

function ratesOf(usd: number, usdIn1080p: number): [Rate, ...Rate[]] {
  return [{ when: { resolution: '1080p' }, usd: usdIn1080p }, { usd }]
}

/** The seconds of a reference video count too; Alibaba bills at most five of each. */
const sourceSeconds = { media: ['referenceVideos'], length: 'videoDuration', default: 5 } as const

/** Half of the price with sound. */
const flashRates: [Rate, ...Rate[]] = [
  { when: { resolution: '1080p', generateAudio: true }, usd: 0.0442 },
  { when: { resolution: '720p', generateAudio: true }, usd: 0.0294 },
  ...ratesOf(0.0147, 0.0221),
]

export const wan27Models: readonly Model[] = [
  defineModel({
    ...shared,
    id: 'wan-2.7-video',
    name: 'Wan 2.7',
    description: 'Alibaba Wan 2.7: 2 to 15 s with sound from words, images or references; edits and extends.',
    released: '2026-04-03',
    fields: { ...fields, resolution },
    operations: {
      text: { aspect_ratio, duration: { choices: secondsBetween(2, 15), default: 5 }, audio: {} },
      image: {
        duration: { choices: secondsBetween(2, 15), default: 5 },
        image,
        last_image: {},
        audio: {},
      },
      reference: {
        aspect_ratio,
        duration: { choices: secondsBetween(2, 10), default: 5 },
        image: {},
        referenceImages: { required: { unless: ['referenceVideos'] }, max: 5 },
        referenceVideos: { max: 5 },
        shotType: { choices: ['single', 'multi'] },
        videoDuration: { max: 50 },
      },
      edit: {
        aspect_ratio: { choices: ratios },
        video,
        videoDuration: { min: 2, max: 10 },
        referenceImages: { max: 3 },
        keepOriginalSound: {},
      },
      extend: { duration: { choices: secondsBetween(5, 15), default: 5 }, video, audio: {} },
    },
    price: {
      source: 'NanoGPT model list; the seconds of source videos count too, as Runware and Alibaba bill them',
      asOf: '2026-08',
      per: 'second',
      rates: [
        { mode: 'edit', when: { resolution: '1080p' }, usd: 0.1764 },
        { mode: 'edit', usd: 0.1176 },
        ...ratesOf(0.0588, 0.0882),
      ],
      secondsFrom: ['duration', 'videoDuration'],
      defaultSeconds: 5,
      stepSeconds: 1,
      sourceSeconds,
    },
    providers: ['wavespeed', 'fal', 'runware'],
  }),
  defineModel({
    ...shared,
    id: 'wan-26',
    name: 'Wan 2.6',
    description:
      'Alibaba Wan 2.6: 5, 10 or 15 s with sound from words, an image or reference videos; extends too.',
    released: '2025-12-16',
    fields: { ...fieldsOf26, resolution, shotType, audio: {} },
    operations: {
      text: { aspect_ratio, duration: tens },
      image: { duration: tens, image },
      reference: {
        aspect_ratio,
        duration: tensOfReferences,
        referenceVideos: { required: true, max: 3 },
        videoDuration: { max: 15 },
      },
      extend: { duration: tens, video },
    },
    price: { source, asOf: '2026-08', per: 'second', rates: ratesOf(0.0529, 0.0794), sourceSeconds },
    providers: ['wavespeed', 'fal', 'runware'],
  }),
  defineModel({
    ...shared,
    id: 'wan-26-flash',
    name: 'Wan 2.6 Flash',
    description: 'Alibaba Wan 2.6 Flash: 2 to 15 s with or without sound from an image.',
    released: '2026-01-15',
    fields: { ...fieldsOf26, resolution, shotType, audio: {}, generateAudio: { default: true } },
    operations: { image: { duration: { choices: secondsBetween(2, 15), default: 5 }, image } },
    price: { source, asOf: '2026-08', per: 'second', rates: flashRates },
    typicalSeconds: 90,
    providers: ['wavespeed', 'runware', 'fal'],
  }),
  defineModel({
    ...shared,
    id: 'wan-26-image-to-video-pro',
    name: 'Wan 2.6 Pro Image to Video',
    description: 'Alibaba Wan 2.6 Pro: 5, 10 or 15 s with sound in up to 4K from an image.',
    released: '2026-01-15',
    fields: {
      ...fieldsOf26,
      resolution: { choices: ['1080p', '2k', '4k'], default: '1080p' },
      shotType,
      audio: {},
    },
    operations: { image: { duration: tens, image } },
    price: {
      source,
      asOf: '2026-08',
      per: 'second',
      rates: [
        { when: { resolution: '4k' }, usd: 0.144 },
        { when: { resolution: '2k' }, usd: 0.126 },
        { usd: 0.108 },
      ],
    },
    providers: ['wavespeed'],
  }),
  defineModel({
    ...shared,
    id: 'wan-26-reference-to-video-flash',
    name: 'Wan 2.6 Flash Reference to Video',
    description: 'Alibaba Wan 2.6 Flash: 5 or 10 s with or without sound from up to five references.',
    released: '2026-01-15',
    fields: { ...fieldsOf26, resolution, shotType, generateAudio: { default: true } },
    operations: {
      reference: {
        aspect_ratio,
        duration: tensOfReferences,
        audio: {},
        referenceImages: { required: { unless: ['referenceVideos'] }, max: 5 },
        referenceVideos: { max: 3 },
        videoDuration: { max: 15 },
      },
    },
    price: {
      source: 'NanoGPT model list; the seconds of reference videos count too, as Runware bills them',
      asOf: '2026-08',
      per: 'second',
      rates: flashRates,
      sourceSeconds,
    },
    typicalSeconds: 90,
    providers: ['wavespeed', 'fal', 'runware'],
  }),
]
