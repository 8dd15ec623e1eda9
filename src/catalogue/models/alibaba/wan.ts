import type { Model } from '../../model.ts'

const prompt = { required: true } as const
const ratios = ['16:9', '9:16', '1:1'] as const

const shared = {
  ownedBy: 'alibaba',
  released: '2025-07-28',
  modes: ['text', 'image'],
  deadlineSeconds: 1800,
  providers: ['fal'],
} as const satisfies Partial<Model>

/** The Wan models that FAL renders. */
export const wanModels: readonly Model[] = [
  {
    ...shared,
    id: 'wan-video-22',
    name: 'Wan 2.2',
    description: 'Alibaba Wan 2.2, the full 14B: 5 or 8 s in up to 720p from words or an image.',
    fields: {
      prompt,
      image: {},
      last_image: { text: 'unused' },
      negative_prompt: {},
      duration: { choices: [5, 8], default: 5 },
      aspect_ratio: { choices: ratios, default: '16:9', image: 'unused' },
      resolution: { choices: ['480p', '720p'], default: '720p' },
      num_inference_steps: {},
      enable_safety_checker: {},
      enhancePrompt: { default: false },
      seed: {},
    },
    price: {
      source: 'FAL: a video second at 16 frames costs USD 0.08 in 720p, 0.04 in 480p',
      asOf: '2026-01',
      per: 'second',
      rates: [{ when: { resolution: '480p' }, usd: 0.04 }, { usd: 0.08 }],
    },
    typicalSeconds: 150,
  },
  {
    ...shared,
    id: 'wan-video-22-5b',
    name: 'Wan 2.2 5B',
    description:
      'Alibaba Wan 2.2, the small 5B: 81 to 121 frames in up to 720p, with every dial of the model.',
    fields: {
      prompt,
      image: {},
      negative_prompt: {},
      num_frames: { min: 81, max: 121, default: 81 },
      frames_per_second: { min: 4, max: 60, default: 24 },
      resolution: { choices: ['580p', '720p'], default: '720p' },
      aspect_ratio: {
        choices: ratios,
        text: { default: '16:9' },
        image: { choices: ['auto', ...ratios], default: 'auto' },
      },
      num_inference_steps: {},
      enable_safety_checker: {},
      enhancePrompt: { default: false },
      cfg_scale: {},
      shift: { min: 1, max: 10 },
      interpolator_model: { choices: ['none', 'film', 'rife'] },
      num_interpolated_frames: { min: 0, max: 4 },
      adjust_fps_for_interpolation: { default: false },
      seed: {},
    },
    price: {
      source: 'a public price table for FAL: USD 0.15 a video; FAL itself was not seen to publish one',
      asOf: '2025-10',
      per: 'video',
      rates: [{ usd: 0.15 }],
    },
    typicalSeconds: 90,
  },
  {
    ...shared,
    id: 'wan-video-22-turbo',
    name: 'Wan 2.2 Turbo',
    description: 'Alibaba Wan 2.2, the fast 14B: about 5 s in up to 720p from words or an image.',
    fields: {
      prompt,
      image: {},
      last_image: { text: 'unused' },
      resolution: { choices: ['480p', '580p', '720p'], default: '720p' },
      aspect_ratio: { choices: ['auto', ...ratios], default: 'auto' },
      enable_safety_checker: {},
      enhancePrompt: { default: false },
      seed: {},
    },
    price: {
      source: 'FAL, a video: USD 0.10 in 720p, 0.075 in 580p, 0.05 in 480p',
      asOf: '2026-01',
      per: 'video',
      rates: [
        { when: { resolution: '480p' }, usd: 0.05 },
        { when: { resolution: '580p' }, usd: 0.075 },
        { usd: 0.1 },
      ],
    },
    typicalSeconds: 30,
  },
  {
    ...shared,
    id: 'wan-video-image-to-video',
    name: 'Wan 2.1 Image to Video',
    description: 'Alibaba Wan 2.1: 81 to 100 frames in up to 720p from an image, with or without words.',
    released: '2025-02-25',
    modes: ['image'],
    fields: {
      prompt: {},
      image: { required: true },
      negative_prompt: {},
      num_frames: { min: 81, max: 100, default: 81 },
      frames_per_second: { min: 5, max: 24, default: 16 },
      resolution: { choices: ['480p', '720p'], default: '720p' },
      seed: {},
    },
    price: {
      source: 'FAL, a video: USD 0.20 in 480p, 0.40 in 720p; a quarter more above 81 frames',
      asOf: '2026-01',
      per: 'video',
      rates: [
        { when: { resolution: '480p', num_frames: 81 }, usd: 0.2 },
        { when: { resolution: '720p', num_frames: 81 }, usd: 0.4 },
        { when: { resolution: '480p' }, usd: 0.25 },
        { usd: 0.5 },
      ],
    },
    typicalSeconds: 150,
  },
]
