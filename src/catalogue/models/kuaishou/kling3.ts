import { defineModel, secondsBetween } from '../../define-model.ts'
import type { FieldRule, Model } from '../../model.ts'

const prompt = { required: { unless: ['multiPrompt'] }, maxLength: 2500 } as const satisfies FieldRule
const shared = { ownedBy: 'kuaishou', typicalSeconds: 240, deadlineSeconds: 3600 } as const
const fields = {
  prompt,
  duration: { choices: secondsBetween(3, 15), default: 5 },
  cfg_scale: { min: 0, max: 1 },
  multiPrompt: { max: 6 },
} as const
const ratio = { aspect_ratio: { choices: ['16:9', '9:16', '1:1'], default: '16:9' } } as const
const image = { required: true } as const

/** Kling 3: audio, several shots, a last frame, elements. */
function kling3(model: Pick<Model, 'id' | 'name' | 'description' | 'price' | 'providers'>): Model {
  return defineModel({
    ...shared,
    ...model,
    released: '2026-02-04',
    fields: {
      ...fields,
      negative_prompt: { maxLength: 2500 },
      shotType: { choices: ['customize', 'intelligent'] },
      generateAudio: { default: true },
    },
    operations: { text: ratio, image: { image, last_image: {}, elements: { max: 3 } } },
  })
}

/** Kling 3 Turbo: audio always. */
function kling3Turbo(model: Pick<Model, 'id' | 'name' | 'description' | 'price'>): Model {
  return defineModel({
    ...shared,
    ...model,
    released: '2026-06-10',
    fields,
    operations: { text: ratio, image: { image } },
    providers: ['wavespeed', 'runware'],
  })
}

/** USD a second without audio; with audio, half as much again. */
function priceWithAudio(usd: number): Model['price'] {
  return {
    source: 'NanoGPT model list',
    asOf: '2026-08',
    per: 'second',
    rates: [{ when: { generateAudio: true }, usd: usd * 1.5 }, { usd }],
  }
}

function pricePerSecond(usd: number): Model['price'] {
  return { source: 'NanoGPT model list', asOf: '2026-08', per: 'second', rates: [{ usd }] }
}

export const kling3Models: readonly Model[] = [
  kling3({
    id: 'kling-v30-pro',
    name: 'Kling 3.0 Pro',
    description: 'Kuaishou Kling 3.0 Pro: 3 to 15 s in 1080p with audio, from words or an image.',
    price: priceWithAudio(0.112),
    providers: ['wavespeed', 'fal', 'runware'],
  }),
  kling3({
    id: 'kling-v30-std',
    name: 'Kling 3.0 Standard',
    description: 'Kuaishou Kling 3.0 Standard: 3 to 15 s in 720p with audio, from words or an image.',
    price: priceWithAudio(0.084),
    providers: ['wavespeed', 'fal', 'runware'],
  }),
  kling3({
    id: 'kling-v3-4k',
    name: 'Kling 3.0 4K',
    description: 'Kuaishou Kling 3.0 in 4K: 3 to 15 s with audio, from words or an image.',
    price: pricePerSecond(0.42),
    providers: ['wavespeed', 'runware'],
  }),
  kling3Turbo({
    id: 'kling-v3-turbo-pro',
    name: 'Kling 3.0 Turbo Pro',
    description: 'Kuaishou Kling 3.0 Turbo Pro: 3 to 15 s in 1080p with audio, from words or an image.',
    price: pricePerSecond(0.14),
  }),
  kling3Turbo({
    id: 'kling-v3-turbo-standard',
    name: 'Kling 3.0 Turbo Standard',
    description: 'Kuaishou Kling 3.0 Turbo Standard: 3 to 15 s in 720p with audio, from words or an image.',
    price: pricePerSecond(0.112),
  }),
]
