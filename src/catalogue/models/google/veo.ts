import type { Model } from '../../model.ts'

const prompt = { required: true } as const
const generateAudio = { default: false } as const
const resolution = { choices: ['720p', '1080p'], default: '720p' } as const
const ratios = ['16:9', '9:16'] as const

/** An image has its own ratio, so only text mode has a default. */
const ratioUnlessImage = { choices: ratios, text: { default: '16:9' } } as const

const shared = {
  ownedBy: 'google',
  typicalSeconds: 100,
  deadlineSeconds: 1800,
} as const satisfies Partial<Model>

export const veoModels: readonly Model[] = [
  {
    ...shared,
    id: 'veo3-video',
    name: 'Veo 3',
    description: 'Google Veo 3: 4 to 8 s in up to 1080p from words or an image, with sound on demand.',
    released: '2025-05-20',
    modes: ['text', 'image'],
    fields: {
      prompt,
      image: {},
      negative_prompt: {},
      duration: { choices: [4, 6, 8], default: 8 },
      aspect_ratio: ratioUnlessImage,
      resolution,
      generateAudio,
      seed: {},
    },
    price: {
      source: 'FAL: USD 0.20 a second, 0.40 with sound',
      asOf: '2026-01',
      per: 'second',
      rates: [{ when: { generateAudio: true }, usd: 0.4 }, { usd: 0.2 }],
    },
    providers: ['fal'],
  },
  {
    ...shared,
    id: 'veo3-fast-video',
    name: 'Veo 3 Fast',
    description: 'Google Veo 3 Fast: 4 to 8 s in up to 1080p from words or an image, with sound on demand.',
    released: '2025-06-09',
    modes: ['text', 'image'],
    fields: {
      prompt,
      image: {},
      negative_prompt: {},
      duration: { choices: [4, 6, 8], default: 8 },
      aspect_ratio: ratioUnlessImage,
      resolution,
      generateAudio,
      seed: {},
    },
    price: {
      source: 'FAL and Runware: USD 0.10 a second, 0.15 with sound',
      asOf: '2026-01',
      per: 'second',
      rates: [{ when: { generateAudio: true }, usd: 0.15 }, { usd: 0.1 }],
    },
    typicalSeconds: 70,
    providers: ['fal', 'runware'],
  },
  {
    ...shared,
    id: 'veo2-video',
    name: 'Veo 2',
    description: 'Google Veo 2: 5 to 8 s from words or an image.',
    released: '2024-12-16',
    modes: ['text', 'image'],
    fields: {
      prompt,
      image: {},
      negative_prompt: { image: 'unused' },
      duration: { choices: [5, 6, 7, 8], default: 5 },
      aspect_ratio: {
        choices: ['16:9', '9:16', '1:1'],
        text: { default: '16:9' },
        image: { choices: ratios },
      },
      enhancePrompt: { default: false, image: 'unused' },
      seed: { image: 'unused' },
    },
    price: {
      source: 'FAL: USD 2.50 for 5 s and 0.50 for each further second',
      asOf: '2026-01',
      per: 'second',
      rates: [{ usd: 0.5 }],
    },
    providers: ['fal'],
  },
  {
    ...shared,
    id: 'veo2-video-image-to-video',
    name: 'Veo 2 Image to Video',
    description: 'Google Veo 2: 5 to 8 s from an image.',
    released: '2025-02-13',
    modes: ['image'],
    fields: {
      prompt,
      image: { required: true },
      duration: { choices: [5, 6, 7, 8], default: 5 },
      aspect_ratio: { choices: ratios },
    },
    price: {
      source: 'FAL: USD 2.50 for 5 s and 0.50 for each further second',
      asOf: '2026-01',
      per: 'second',
      rates: [{ usd: 0.5 }],
    },
    providers: ['fal'],
  },
  {
    ...shared,
    id: 'veo3-1-video',
    name: 'Veo 3.1',
    description:
      'Google Veo 3.1: 4 to 8 s in up to 1080p from words, an image or a first and a last one, with sound on demand.',
    released: '2025-10-15',
    modes: ['text', 'image'],
    fields: {
      prompt,
      image: {},
      last_image: { text: 'unused' },
      negative_prompt: {},
      duration: { choices: [4, 6, 8], default: 8 },
      aspect_ratio: ratioUnlessImage,
      resolution,
      generateAudio,
      seed: {},
    },
    price: {
      source: 'WaveSpeed and FAL: USD 0.20 a second, 0.40 with sound',
      asOf: '2026-01',
      per: 'second',
      rates: [{ when: { generateAudio: true }, usd: 0.4 }, { usd: 0.2 }],
    },
    providers: ['wavespeed', 'fal'],
  },
]
