import type { Model } from '../../src/catalogue/model.ts'

/** A model with one of every kind of rule. */
export const sample: Model = {
  id: 'sample-video',
  name: 'Sample',
  description: 'Only for tests.',
  ownedBy: 'nobody',
  released: '2025-06-01',
  modes: ['text', 'image', 'video'],
  fields: {
    prompt: { required: { unless: ['script'] }, maxLength: 40, video: { maxLength: 20 } },
    script: { image: 'unused' },
    image: { text: 'unused', video: 'unused' },
    video: { text: 'unused', image: 'unused' },
    last_image: {},
    audio: {},
    referenceImages: { max: 2 },
    duration: { choices: [4, 6, 8], default: 6, video: { fixed: 5 } },
    aspect_ratio: { choices: ['16:9', '9:16', 'auto'], default: '16:9', image: 'unused' },
    resolution: { choices: ['720p', '1080p'], default: '720p' },
    size: {},
    seed: {},
    generateAudio: { default: false },
    enhancePrompt: {},
    pro_mode: {},
    camera_fixed: {},
    enable_safety_checker: {},
    frames_per_second: { min: 4, max: 60 },
    num_frames: { min: 81, max: 121 },
    cfg_scale: { max: 20 },
    mode: { choices: ['animate', 'replace'], default: 'animate' },
    voice_id: {},
    voice_speed: {},
    motion: { choices: ['low', 'high'] },
    motionConfig: {},
    storyConfig: {},
    characters: {},
  },
  price: {
    source: 'made up',
    asOf: '2026-01',
    per: 'second',
    rates: [
      { when: { resolution: '1080p', generateAudio: true }, usd: 0.4 },
      { when: { resolution: '1080p' }, usd: 0.3 },
      { when: { generateAudio: true }, usd: 0.2 },
      { usd: 0.1 },
    ],
    minimumSeconds: 5,
  },
  typicalSeconds: 60,
  deadlineSeconds: 600,
  providers: ['fal'],
  check: ({ resolution, pro_mode }) =>
    resolution === '1080p' && pro_mode !== true
      ? {
          field: 'resolution',
          message: '`resolution` 1080p needs `pro_mode`',
          code: 'pro_required',
          instead: '720p',
        }
      : undefined,
}

export const link = 'https://files.example/one.png'
export const pixel = 'data:image/png;base64,iVBORw0KGgo='
