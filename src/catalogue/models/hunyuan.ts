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
