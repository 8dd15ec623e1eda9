import { defineModel, secondsBetween } from '../define-model.ts'
import type { Model, Rate } from '../model.ts'

const shared = { ownedBy: 'pixverse', typicalSeconds: 90, deadlineSeconds: 1800 } as const
const prompt = { required: true, maxLength: 2048 } as const
const image = { required: true } as const
const resolution = { choices: ['360p', '540p', '720p', '1080p'], default: '720p' } as const
const thinkingMode = { choices: ['enabled', 'disabled', 'auto'] } as const
const style = { choices: ['anime', '3d_animation', 'clay', 'comic', 'cyberpunk'] } as const
const generateAudio = { default: false } as const
const ratios = ['16:9', '4:3', '1:1', '3:4', '9:16'] as const
const wideRatio = { choices: [...ratios, '2:3', '3:2', '21:9'], default: '16:9' } as const
const v6Seconds = { choices: secondsBetween(1, 15), default: 5 }

/** USD a second in 360p, 540p, 720p and 1080p. */
type Tiers = readonly [number, number, number, number]

function ratesByTier(silent: Tiers, withAudio: Tiers): [Rate, ...Rate[]] {
  const rates = ['360p', '540p', '720p', '1080p'].flatMap((tier, index): Rate[] => [
    { when: { resolution: tier, generateAudio: true }, usd: withAudio[index] ?? 0 },
    { when: { resolution: tier }, usd: silent[index] ?? 0 },
  ])
  return rates as [Rate, ...Rate[]]
}

const v6Rates = ratesByTier([0.0147, 0.0206, 0.0265, 0.0529], [0.0206, 0.0265, 0.0353, 0.0676])

function v5(model: Pick<Model, 'id' | 'name' | 'description' | 'released'>): Model {
  return defineModel({
    ...shared,
    ...model,
    fields: {
      prompt,
      negative_prompt: { maxLength: 2048 },
      seed: {},
      resolution,
      thinkingMode,
      style,
      generateAudio,
      duration: { choices: [5, 8, 10], default: 5 },
    },
    operations: {
      text: { aspect_ratio: { choices: ratios, default: '16:9' } },
      image: { image, last_image: {} },
    },
    price: {
      source: 'WaveSpeed list: USD 0.45 for 5 s in 540p; the other prices by the ratios of PixVerse 6',
      asOf: '2026-08',
      per: 'second',
      rates: ratesByTier([0.064, 0.09, 0.116, 0.231], [0.09, 0.116, 0.154, 0.295]),
    },
    providers: ['fal', 'wavespeed', 'runware'],
  })
}

export const pixverseV6Models: readonly Model[] = [
  defineModel({
    ...shared,
    id: 'pixverse-v6',
    name: 'PixVerse 6',
    description: 'PixVerse 6: 1 to 15 s in up to 1080p, from words or images, and on from a video.',
    released: '2026-03-30',
    fields: {
      prompt,
      negative_prompt: { maxLength: 2048 },
      seed: {},
      resolution,
      style,
      generateAudio,
      duration: v6Seconds,
    },
    operations: {
      text: { aspect_ratio: wideRatio, thinkingMode },
      image: { image, last_image: {}, thinkingMode },
      extend: { video: { required: true } },
    },
    price: { source: 'NanoGPT model list', asOf: '2026-08', per: 'second', rates: v6Rates },
    providers: ['fal', 'wavespeed', 'runware'],
  }),
  defineModel({
    ...shared,
    id: 'pixverse-c1',
    name: 'PixVerse C1',
    description: 'PixVerse C1: 1 to 15 s in up to 1080p, from words or images.',
    released: '2026-04-20',
    fields: { prompt, resolution, generateAudio, duration: v6Seconds },
    operations: { text: { aspect_ratio: wideRatio }, image: { image, last_image: {} } },
    price: {
      source: 'WaveSpeed lists the same price as for PixVerse 6, whose prices NanoGPT lists',
      asOf: '2026-08',
      per: 'second',
      rates: v6Rates,
    },
    providers: ['wavespeed'],
  }),
  v5({
    id: 'pixverse-v56',
    name: 'PixVerse 5.6',
    description: 'PixVerse 5.6: 5, 8 or 10 s in up to 1080p, from words or images.',
    released: '2026-01-26',
  }),
  v5({
    id: 'pixverse-v55',
    name: 'PixVerse 5.5',
    description: 'PixVerse 5.5: 5, 8 or 10 s in up to 1080p, from words or images.',
    released: '2025-12-01',
  }),
]
