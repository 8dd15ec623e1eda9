import { defineModel } from '../define-model.ts'
import type { Model } from '../model.ts'

const shared = {
  ownedBy: 'tencent',
  deadlineSeconds: 1800,
  providers: ['fal'],
} as const satisfies Partial<Model>

const ratios = ['16:9', '9:16'] as const

export const hunyuanModels: readonly Model[] = [
  {
    ...shared,
    id: 'hunyuan-video',
    name: 'Hunyuan Video',
    description: 'Tencent Hunyuan Video: 85 or 129 frames in up to 720p from words, finer in pro mode.',
    released: '2024-12-03',
    modes: ['text'],
    fields: {
      prompt: { required: true },
      pro_mode: { default: false },
      resolution: { choices: ['480p', '720p'], default: '720p' },
      aspect_ratio: { choices: ratios, default: '16:9' },
      num_frames: { choices: [85, 129], default: 129 },
      num_inference_steps: {},
      seed: {},
    },
    price: {
      source: 'FAL: USD 0.40 a video, double in pro mode',
      asOf: '2026-01',
      per: 'video',
      rates: [{ when: { pro_mode: true }, usd: 0.8 }, { usd: 0.4 }],
    },
    typicalSeconds: 240,
  },
  {
    ...shared,
    id: 'hunyuan-video-image-to-video',
    name: 'Hunyuan Video Image to Video',
    description: 'Tencent Hunyuan Video: 129 frames in 720p from an image.',
    released: '2025-03-06',
    modes: ['image'],
    fields: {
      prompt: { required: true },
      image: { required: true },
      resolution: { choices: ['720p'], default: '720p' },
      aspect_ratio: { choices: ratios, default: '16:9' },
      num_frames: { choices: [129], default: 129 },
      seed: {},
    },
    price: { source: 'FAL: USD 0.40 a video', asOf: '2026-01', per: 'video', rates: [{ usd: 0.4 }] },
    typicalSeconds: 240,
  },
]

export const hunyuan15Models: readonly Model[] = [
  defineModel({
    ownedBy: 'tencent',
    id: 'hunyuan-video-15',
    name: 'Hunyuan Video 1.5',
    description: 'Tencent Hunyuan Video 1.5: 5 or 8 s in up to 720p from words or an image.',
    released: '2025-11-20',
    fields: {
      prompt: { required: true },
      resolution: { choices: ['480p', '720p'], default: '720p' },
      duration: { choices: [5, 8], default: 5 },
      num_inference_steps: {},
      enhancePrompt: { default: false },
      seed: {},
    },
    operations: {
      text: { aspect_ratio: { choices: ratios, default: '16:9' }, negative_prompt: {} },
      image: { image: { required: true }, negative_prompt: {} },
    },
    price: {
      source: 'NanoGPT model list',
      asOf: '2026-08',
      per: 'second',
      rates: [{ when: { resolution: '480p' }, usd: 0.03 }, { usd: 0.05 }],
    },
    typicalSeconds: 180,
    deadlineSeconds: 1800,
    providers: ['wavespeed', 'fal'],
  }),
]
