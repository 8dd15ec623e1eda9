import { defineModel, secondsBetween } from '../../define-model.ts'
import type { Model } from '../../model.ts'

const shared = { ownedBy: 'google', deadlineSeconds: 1800 } as const
const prompt = { required: true, maxLength: 3000 } as const
const image = { required: true } as const
const ratio = { choices: ['16:9', '9:16'], default: '16:9' } as const
const source = 'NanoGPT model list'

const clip = {
  prompt,
  negative_prompt: {},
  seed: {},
  duration: { choices: [4, 6, 8], default: 8 },
  aspect_ratio: ratio,
} as const
const hd = { choices: ['720p', '1080p'], default: '720p' } as const
const upTo4k = { choices: ['720p', '1080p', '4k'], default: '720p' } as const
const audio = { default: true } as const

/** Seven more seconds of a video. */
function extension({ usd, ...model }: Pick<Model, 'id' | 'name' | 'description'> & { usd: number }): Model {
  return defineModel({
    ...shared,
    ...model,
    released: '2025-10-15',
    typicalSeconds: 120,
    operations: {
      extend: { prompt, negative_prompt: {}, seed: {}, video: { required: true }, resolution: hd },
    },
    price: { source, asOf: '2026-08', per: 'video', rates: [{ usd }] },
    providers: ['wavespeed', 'fal'],
  })
}

/** Gemini Omni: it generates, follows references and edits; always with sound, in 720p. */
function omni(model: Pick<Model, 'id' | 'name' | 'description' | 'released' | 'providers'>): Model {
  const generation = {
    prompt,
    aspect_ratio: ratio,
    duration: { choices: secondsBetween(3, 10), default: 8 },
  } as const
  return defineModel({
    ...shared,
    ...model,
    typicalSeconds: 120,
    operations: {
      text: generation,
      image: { ...generation, image },
      reference: { ...generation, referenceImages: { required: true, max: 4 } },
      edit: { prompt, video: { required: true }, videoDuration: { max: 10 } },
    },
    price: {
      source,
      asOf: '2026-08',
      per: 'second',
      rates: [{ mode: 'text', usd: 0.13 }, { mode: 'image', usd: 0.14 }, { usd: 0.16 }],
      secondsFrom: ['duration', 'videoDuration'],
      defaultSeconds: 8,
      stepSeconds: 1,
    },
  })
}

export const veo31Models: readonly Model[] = [
  defineModel({
    ...shared,
    id: 'veo3-1-fast-video',
    name: 'Veo 3.1 Fast',
    description: 'Google Veo 3.1 Fast: 4 to 8 s with sound, from words, images or references.',
    released: '2025-10-15',
    operations: {
      text: { ...clip, resolution: upTo4k, generateAudio: audio },
      image: { ...clip, image, last_image: {}, resolution: upTo4k, generateAudio: audio },
      reference: {
        ...clip,
        duration: { fixed: 8 },
        referenceImages: { required: true, max: 3 },
        resolution: hd,
        generateAudio: audio,
      },
    },
    price: {
      source: 'NanoGPT model list; Runware model page for 4K',
      asOf: '2026-10',
      per: 'second',
      rates: [
        { mode: 'reference', when: { generateAudio: true }, usd: 0.1 },
        { mode: 'reference', usd: 0.08 },
        { when: { resolution: '4k', generateAudio: true }, usd: 0.35 },
        { when: { resolution: '4k' }, usd: 0.3 },
        { when: { generateAudio: true }, usd: 0.15 },
        { usd: 0.1 },
      ],
    },
    typicalSeconds: 80,
    providers: ['fal', 'wavespeed', 'runware'],
  }),
  defineModel({
    ...shared,
    id: 'veo3-1-lite-video',
    name: 'Veo 3.1 Lite',
    description: 'Google Veo 3.1 Lite: 4 to 8 s with sound, from words or images.',
    released: '2026-03-31',
    operations: {
      text: { ...clip, resolution: hd },
      image: { ...clip, image, last_image: {}, resolution: hd },
    },
    price: {
      source,
      asOf: '2026-08',
      per: 'second',
      rates: [{ when: { resolution: '1080p' }, usd: 0.08 }, { usd: 0.05 }],
    },
    typicalSeconds: 70,
    providers: ['fal', 'wavespeed', 'runware'],
  }),
  extension({
    id: 'veo3-1-extend',
    name: 'Veo 3.1 Extend',
    description: 'Goes on with a video for 7 s.',
    usd: 2.8,
  }),
  extension({
    id: 'veo3-1-fast-extend',
    name: 'Veo 3.1 Fast Extend',
    description: 'Goes on with a video for 7 s, faster and cheaper.',
    usd: 1.05,
  }),
  omni({
    id: 'google/gemini-omni-flash',
    name: 'Gemini Omni Flash',
    description:
      'Google Gemini Omni Flash: 3 to 10 s with sound, from words, images or references, and edits.',
    released: '2026-06-30',
    providers: ['fal', 'wavespeed', 'runware'],
  }),
  omni({
    id: 'google/gemini-omni-flash/v1.1',
    name: 'Gemini Omni Flash 1.1',
    description:
      'Google Gemini Omni Flash 1.1: 3 to 10 s with sound, from words, images or references, and edits.',
    released: '2026-10-15',
    providers: ['runware'],
  }),
]
