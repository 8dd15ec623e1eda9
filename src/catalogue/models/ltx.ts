import type { Input } from '../../../providers/input.ts'
import { defineModel, secondsBetween } from '../define-model.ts'
import type { Model } from '../model.ts'

const shared = { ownedBy: 'lightricks', typicalSeconds: 60, deadlineSeconds: 1800 } as const
const prompt = { required: true, maxLength: 5000 } as const
const image = { required: true } as const
const aspect_ratio = { choices: ['16:9', '9:16'], default: '16:9' } as const
const resolution23 = { choices: ['1080p', '1440p', '2160p'], default: '1080p' } as const
const fps = { choices: [24, 25, 48, 50] } as const

function ltx23({ usd, ...model }: Described & { seconds: readonly number[]; usd: number }): Model {
  const { seconds, ...rest } = model
  return defineModel({
    ...shared,
    ...rest,
    released: '2026-03-05',
    fields: {
      prompt,
      aspect_ratio,
      resolution: resolution23,
      duration: { choices: seconds, default: 6 },
      frames_per_second: fps,
      generateAudio: { default: true },
    },
    operations: { text: {}, image: { image, last_image: {} } },
    price: {
      source: 'Runware model page',
      asOf: '2026-10',
      per: 'second',
      rates: [
        { when: { resolution: '2160p' }, usd: usd * 4 },
        { when: { resolution: '1440p' }, usd: usd * 2 },
        { usd },
      ],
    },
    providers: ['fal', 'runware'],
  })
}

type Described = Pick<Model, 'id' | 'name' | 'description' | 'check'>

/** FAL and Runware: more than 10 s only in 1080p with at most 25 frames a second. */
function checkLongClip({ duration = 0, resolution, frames_per_second = 25 }: Input): ReturnType<Check> {
  if (duration <= 10 || (resolution === '1080p' && frames_per_second <= 25)) return undefined
  const message = `\`duration\` ${duration} is rendered in 1080p with 24 or 25 frames a second only`
  return { field: 'duration', message, instead: 10 }
}

type Check = NonNullable<Model['check']>

/** LTX 2.3 and 2.5, with sound. */
export const ltxModels: readonly Model[] = [
  ltx23({
    id: 'ltx-2.3-pro',
    name: 'LTX 2.3 Pro',
    description: 'Lightricks LTX 2.3 Pro: 6 to 10 s in up to 2160p, from words or images.',
    seconds: [6, 8, 10],
    usd: 0.08,
  }),
  ltx23({
    id: 'ltx-2.3-fast',
    name: 'LTX 2.3 Fast',
    description: 'Lightricks LTX 2.3 Fast: 6 to 20 s in up to 2160p, from words or images.',
    seconds: [6, 8, 10, 12, 14, 16, 18, 20],
    usd: 0.06,
    check: checkLongClip,
  }),
  defineModel({
    ...shared,
    id: 'ltx-2.3-quality',
    name: 'LTX 2.3 Quality',
    description: 'The open LTX 2.3: 5 to 20 s in up to 1080p, from words or an image.',
    released: '2026-03-05',
    fields: {
      prompt,
      seed: {},
      resolution: { choices: ['480p', '720p', '1080p'], default: '720p' },
      duration: { choices: secondsBetween(5, 20), default: 5 },
    },
    operations: { text: { aspect_ratio }, image: { image } },
    price: {
      source: 'NanoGPT model list: 0.0014 for a megapixel, counted in 16:9 with 25 frames a second',
      asOf: '2026-08',
      per: 'megapixel',
      framesPerSecond: 25,
      rates: [{ usd: 0.0014 }],
    },
    providers: ['wavespeed'],
  }),
  defineModel({
    ...shared,
    id: 'lightricks/ltx-2.5/fast',
    name: 'LTX 2.5 Fast',
    description: 'Lightricks LTX 2.5 Fast: 5 to 20 s in up to 2160p, from words or images.',
    released: '2026-08-12',
    fields: {
      prompt,
      seed: {},
      aspect_ratio,
      resolution: { choices: ['720p', '1080p', '1440p', '2160p'], default: '720p' },
      duration: { choices: secondsBetween(5, 20), default: 5 },
      frames_per_second: fps,
    },
    operations: { text: {}, image: { image, last_image: {}, aspect_ratio: { choices: ['16:9', '9:16'] } } },
    price: {
      source: 'NanoGPT model list',
      asOf: '2026-08',
      per: 'second',
      rates: [
        { when: { resolution: '2160p' }, usd: 0.33 },
        { when: { resolution: '1440p' }, usd: 0.21 },
        { when: { resolution: '1080p' }, usd: 0.14 },
        { usd: 0.1 },
      ],
    },
    providers: ['wavespeed', 'runware'],
  }),
  defineModel({
    ...shared,
    id: 'lightricks/ltx-2.5/pro',
    name: 'LTX 2.5 Pro',
    description: 'Lightricks LTX 2.5 Pro: 5 to 20 s in up to 1080p, from words or images.',
    released: '2026-08-12',
    fields: {
      prompt,
      aspect_ratio,
      resolution: { choices: ['720p', '1080p'], default: '720p' },
      duration: { choices: secondsBetween(5, 20), default: 5 },
      frames_per_second: { choices: [24, 25, 50] },
    },
    operations: { text: {}, image: { image, last_image: {} } },
    price: {
      source: 'NanoGPT model list',
      asOf: '2026-08',
      per: 'second',
      rates: [{ when: { resolution: '1080p' }, usd: 0.17 }, { usd: 0.12 }],
    },
    providers: ['runware'],
  }),
]
