import { defineModel, secondsBetween } from '../../define-model.ts'
import type { Model, Price } from '../../model.ts'

const shared = { ownedBy: 'alibaba', typicalSeconds: 240, deadlineSeconds: 3600 } as const
const prompt = { required: true } as const
const ratios = ['16:9', '9:16', '1:1', '4:3', '3:4'] as const
const aspect_ratio = { choices: ratios, default: '16:9' } as const
const everywhere = ['wavespeed', 'fal', 'runware'] as const
const fields = {
  resolution: { choices: ['480p', '720p', '1080p'], default: '720p' },
  duration: { choices: secondsBetween(2, 30), default: 5 },
  generateAudio: { default: true },
  thinkingMode: { choices: ['enabled', 'disabled'] },
  seed: {},
} as const

const text = { prompt, aspect_ratio } as const
const image = {
  prompt,
  aspect_ratio: { choices: ratios },
  image: { required: true },
  last_image: {},
} as const
const reference = {
  prompt,
  aspect_ratio,
  referenceImages: { required: { unless: ['referenceVideos', 'referenceAudios'] }, max: 10 },
  referenceVideos: { max: 5 },
  referenceAudios: { max: 5 },
} as const

/** USD a second; sound costs nothing more, and references are not billed. */
function priceOf(usd: Readonly<Record<'480p' | '720p' | '1080p', number>>, source: string): Price {
  return {
    source,
    asOf: '2026-08',
    per: 'second',
    rates: [
      { when: { resolution: '1080p' }, usd: usd['1080p'] },
      { when: { resolution: '720p' }, usd: usd['720p'] },
      { usd: usd['480p'] },
    ],
  }
}

const price = priceOf({ '480p': 0.07, '720p': 0.13, '1080p': 0.28 }, 'NanoGPT model list')

export const wan3Models: readonly Model[] = [
  defineModel({
    ...shared,
    id: 'alibaba/wan-3.0/text-to-video',
    name: 'Wan 3.0 Text to Video',
    description: 'Alibaba Wan 3.0: 2 to 30 s with sound in up to 1080p from words.',
    released: '2026-08-06',
    fields,
    operations: { text },
    price,
    providers: everywhere,
  }),
  defineModel({
    ...shared,
    id: 'alibaba/wan-3.0/image-to-video',
    name: 'Wan 3.0 Image to Video',
    description: 'Alibaba Wan 3.0: 2 to 30 s with sound in up to 1080p from a first and a last image.',
    released: '2026-08-06',
    fields,
    operations: { image },
    price,
    providers: everywhere,
  }),
  defineModel({
    ...shared,
    id: 'alibaba/wan-3.0/reference-to-video',
    name: 'Wan 3.0 Reference to Video',
    description: 'Alibaba Wan 3.0: 2 to 30 s with sound in up to 1080p from up to 20 references.',
    released: '2026-08-06',
    fields,
    operations: { reference },
    price,
    providers: everywhere,
  }),
  defineModel({
    ...shared,
    id: 'alibaba/wan-3.0-prime',
    name: 'Wan 3.0 Prime',
    description: 'A faster make of Wan 3.0: 2 to 30 s with sound from words, images or references.',
    released: '2026-08-24',
    fields,
    operations: { text, image, reference },
    price: priceOf({ '480p': 0.068, '720p': 0.14, '1080p': 0.28 }, 'Alibaba price list'),
    providers: everywhere,
  }),
]
