import { defineModel, secondsBetween } from '../../define-model.ts'
import type { Model, Rate } from '../../model.ts'

const shared = { ownedBy: 'alibaba', typicalSeconds: 180, deadlineSeconds: 3600 } as const
const promptLength = { maxLength: 2500 } as const
const prompt = { ...promptLength, required: true } as const
const video = { required: true } as const
const ratios = ['16:9', '9:16', '1:1', '4:3', '3:4'] as const
const wideRatios = [...ratios, '21:9', '9:21', '5:4', '4:5'] as const
const fields = {
  resolution: { choices: ['720p', '1080p'], default: '720p' },
  enable_safety_checker: {},
  seed: {},
} as const
const duration = { choices: secondsBetween(3, 15), default: 5 } as const

function operationsWith(choices: readonly string[]) {
  const aspect_ratio = { choices, default: '16:9' }
  return {
    text: { prompt, duration, aspect_ratio },
    image: { prompt: promptLength, duration, image: { required: true } },
    reference: { prompt, duration, aspect_ratio, referenceImages: { required: true, max: 9 } },
    extend: { prompt, duration, video },
  } as const
}

function ratesOf(usd: number, usdIn1080p: number): [Rate, ...Rate[]] {
  return [{ when: { resolution: '1080p' }, usd: usdIn1080p }, { usd }]
}

const price = { source: 'NanoGPT model list', asOf: '2026-08', per: 'second' } as const

export const happyhorseModels: readonly Model[] = [
  defineModel({
    ...shared,
    id: 'happyhorse-1.1',
    name: 'HappyHorse 1.1',
    description:
      'Alibaba HappyHorse 1.1: 3 to 15 s with sound from words, an image or references; extends too.',
    released: '2026-06-15',
    fields,
    operations: operationsWith(wideRatios),
    price: { ...price, rates: ratesOf(0.0824, 0.1059) },
    providers: ['wavespeed', 'fal', 'runware'],
  }),
  defineModel({
    ...shared,
    id: 'happyhorse-1.0',
    name: 'HappyHorse 1.0',
    description:
      'Alibaba HappyHorse 1.0: 3 to 15 s with sound from words, an image or references; edits and extends.',
    released: '2026-04-27',
    fields,
    operations: {
      ...operationsWith(ratios),
      edit: {
        prompt,
        video,
        videoDuration: { min: 3, max: 60 },
        referenceImages: { max: 9 },
        keepOriginalSound: {},
      },
    },
    // Of an edit, the seconds of the source count as well as those of the result.
    price: {
      ...price,
      rates: [
        { mode: 'edit', when: { resolution: '1080p' }, usd: 0.3294 },
        { mode: 'edit', usd: 0.1648 },
        ...ratesOf(0.0824, 0.1647),
      ],
      secondsFrom: ['duration', 'videoDuration'],
      defaultSeconds: 5,
      stepSeconds: 1,
    },
    providers: ['wavespeed', 'fal', 'runware'],
  }),
]
