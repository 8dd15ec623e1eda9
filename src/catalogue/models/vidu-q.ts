import { defineModel, secondsBetween } from '../define-model.ts'
import type { Model, Rate } from '../model.ts'

const shared = { ownedBy: 'vidu', typicalSeconds: 120, deadlineSeconds: 3600 } as const
const prompt = { required: true, maxLength: 3000 } as const
const image = { required: true } as const
const movementAmplitude = { choices: ['auto', 'small', 'medium', 'large'] } as const
const style = { choices: ['general', 'anime'] } as const
const aspect_ratio = { choices: ['16:9', '9:16', '4:3', '3:4', '1:1'], default: '16:9' } as const
const resolution = { choices: ['540p', '720p', '1080p'], default: '720p' } as const

function ratesByResolution(low: number, medium: number, high: number): [Rate, ...Rate[]] {
  return [
    { when: { resolution: '1080p' }, usd: high },
    { when: { resolution: '720p' }, usd: medium },
    { usd: low },
  ]
}

const q3 = {
  prompt,
  seed: {},
  resolution,
  duration: { choices: secondsBetween(1, 16), default: 5 },
  generateAudio: { default: true },
} as const
const q3Extras = { bgm: {}, movementAmplitude } as const

export const viduQModels: readonly Model[] = [
  defineModel({
    ...shared,
    id: 'vidu-q3',
    name: 'Vidu Q3',
    description: 'Vidu Q3: 1 to 16 s with sound, from words, images or references.',
    released: '2026-01-30',
    fields: q3,
    operations: {
      text: { ...q3Extras, aspect_ratio, style },
      image: { ...q3Extras, image, last_image: {} },
      reference: { aspect_ratio, referenceImages: { required: true, max: 4 } },
    },
    price: {
      source: 'NanoGPT model list',
      asOf: '2026-08',
      per: 'second',
      rates: ratesByResolution(0.07, 0.15, 0.16),
    },
    providers: ['wavespeed', 'fal', 'runware'],
  }),
  defineModel({
    ...shared,
    id: 'vidu-q3-pro',
    name: 'Vidu Q3 Pro',
    description: 'Vidu Q3 Pro: 1 to 16 s with sound, from words in 16:9 or from images.',
    released: '2026-01-30',
    fields: { ...q3, ...q3Extras },
    operations: { text: { style }, image: { image, last_image: {} } },
    price: {
      source: 'NanoGPT model list',
      asOf: '2026-08',
      per: 'second',
      rates: ratesByResolution(0.05, 0.125, 0.15),
    },
    providers: ['wavespeed'],
  }),
  defineModel({
    ...shared,
    id: 'vidu-q2',
    name: 'Vidu Q2',
    description: 'Vidu Q2: 1 to 10 s, from words, images or up to seven references.',
    released: '2025-09-25',
    fields: {
      prompt,
      seed: {},
      resolution,
      movementAmplitude,
      duration: { choices: secondsBetween(1, 10), default: 5 },
    },
    operations: {
      text: { bgm: {}, style, aspect_ratio },
      image: { bgm: {}, image, last_image: {} },
      reference: { aspect_ratio, referenceImages: { required: true, max: 7 } },
    },
    price: {
      source: 'WaveSpeed list: USD 0.15 for 5 s in 720p; Runware model page for 1080p',
      asOf: '2026-10',
      per: 'second',
      rates: ratesByResolution(0.02, 0.03, 0.0688),
    },
    providers: ['fal', 'wavespeed', 'runware'],
  }),
]
