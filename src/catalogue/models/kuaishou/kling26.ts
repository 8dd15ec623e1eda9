import { defineModel } from '../../define-model.ts'
import type { Model } from '../../model.ts'

const prompt = { required: true, maxLength: 2500 } as const
const image = { required: true } as const
const shared = { ownedBy: 'kuaishou', typicalSeconds: 200, deadlineSeconds: 3600 } as const
const ratio = { aspect_ratio: { choices: ['16:9', '9:16', '1:1'], default: '16:9' } } as const
const source = 'NanoGPT model list'

const klingFields = {
  prompt,
  negative_prompt: { maxLength: 2500 },
  duration: { choices: [5, 10], default: 5 },
} as const

/** An image moves as the person in a video does. The video is as long as its source. */
function motionControl({
  usdPerSecond,
  ...model
}: Pick<Model, 'id' | 'name' | 'description' | 'released'> & { usdPerSecond: number }): Model {
  return {
    ...shared,
    ...model,
    modes: ['video'],
    fields: {
      prompt: { maxLength: 2500 },
      negative_prompt: { maxLength: 2500 },
      image,
      video: { required: true },
      characterOrientation: { choices: ['image', 'video'], default: 'video' },
      keepOriginalSound: { default: true },
      videoDuration: { min: 3, max: 30 },
    },
    price: {
      source,
      asOf: '2026-08',
      per: 'second',
      rates: [{ usd: usdPerSecond }],
      secondsFrom: ['videoDuration'],
      defaultSeconds: 5,
      minimumSeconds: 3,
      stepSeconds: 1,
    },
    providers: ['wavespeed', 'fal'],
  }
}

/** A person in an image says what an audio says. */
function avatar({
  usdPerSecond,
  ...model
}: Pick<Model, 'id' | 'name' | 'description'> & { usdPerSecond: number }): Model {
  return {
    ...shared,
    ...model,
    released: '2025-12-04',
    modes: ['image'],
    fields: {
      prompt: { maxLength: 2500 },
      image,
      audio: { required: true },
      audioDuration: { max: 300 },
    },
    price: {
      source,
      asOf: '2026-08',
      per: 'second',
      rates: [{ usd: usdPerSecond }],
      secondsFrom: ['audioDuration'],
      defaultSeconds: 5,
      minimumSeconds: 5,
      stepSeconds: 1,
    },
    deadlineSeconds: 7200,
    providers: ['wavespeed', 'fal', 'runware'],
  }
}

export const kling26Models: readonly Model[] = [
  defineModel({
    ...shared,
    id: 'kling-v26-pro',
    name: 'Kling 2.6 Pro',
    description: 'Kuaishou Kling 2.6 Pro: 5 or 10 s in 1080p with audio, from words or an image.',
    released: '2025-12-03',
    fields: {
      ...klingFields,
      cfg_scale: { min: 0, max: 1 },
      generateAudio: { default: true },
    },
    operations: { text: ratio, image: { image, last_image: {} } },
    price: {
      source: 'NanoGPT model list: audio doubles the price',
      asOf: '2026-08',
      per: 'second',
      rates: [{ when: { generateAudio: true }, usd: 0.14 }, { usd: 0.07 }],
    },
    providers: ['wavespeed', 'fal', 'runware'],
  }),
  defineModel({
    ...shared,
    id: 'kling-v26-std',
    name: 'Kling 2.6 Standard',
    description: 'Kuaishou Kling 2.6 Standard: 5 or 10 s in 720p without audio, from words or an image.',
    released: '2025-12-03',
    fields: klingFields,
    operations: { text: ratio, image: { image } },
    price: { source, asOf: '2026-08', per: 'second', rates: [{ usd: 0.05 }] },
    providers: ['wavespeed'],
  }),
  motionControl({
    id: 'kling-v26-std-motion-control',
    name: 'Kling 2.6 Standard Motion Control',
    description: 'Lets the person in an image move as the one in a video of up to 30 s does, in 720p.',
    released: '2025-12-22',
    usdPerSecond: 0.07,
  }),
  motionControl({
    id: 'kling-v30-std-motion-control',
    name: 'Kling 3.0 Standard Motion Control',
    description:
      'Kling 3.0: lets the person in an image move as the one in a video of up to 30 s does, in 720p.',
    released: '2026-03-05',
    usdPerSecond: 0.126,
  }),
  motionControl({
    id: 'kling-v30-pro-motion-control',
    name: 'Kling 3.0 Pro Motion Control',
    description:
      'Kling 3.0: lets the person in an image move as the one in a video of up to 30 s does, in 1080p.',
    released: '2026-03-05',
    usdPerSecond: 0.168,
  }),
  avatar({
    id: 'kling-v2-avatar-standard',
    name: 'Kling Avatar 2.0 Standard',
    description: 'Lets a picture speak or sing to an audio of up to five minutes.',
    usdPerSecond: 0.056,
  }),
  avatar({
    id: 'kling-v2-avatar-pro',
    name: 'Kling Avatar 2.0 Pro',
    description: 'Lets a picture speak or sing to an audio of up to five minutes, in higher quality.',
    usdPerSecond: 0.112,
  }),
]
