import type { Input, JsonObject } from '../input.ts'
import type { Offer } from '../provider.ts'
import { isPortrait, only } from './models/body.ts'

/** Models that make a video from words or a picture. Paths and fields as WaveSpeed listed them in August 2026. */
export const generate = {
  'sora-2': {
    endpoints: {
      text: 'openai/sora-2/text-to-video',
      image: 'openai/sora-2/image-to-video',
      'text-pro': 'openai/sora-2/text-to-video-pro',
      'image-pro': 'openai/sora-2/image-to-video-pro',
    },
    translate: (input) => {
      const body = only(input, 'prompt', 'image', 'duration')
      const pro = input.pro_mode === true
      if (input.image === undefined) {
        return { endpoint: pro ? 'text-pro' : 'text', body: { ...body, size: soraSize(input) } }
      }
      if (!pro) return { endpoint: 'image', body }
      const resolution = input.resolution === '1792x1024' ? '1080p' : '720p'
      return { endpoint: 'image-pro', body: { ...body, resolution } }
    },
    note: 'OpenAI dated the end of Sora 2 to September 2026; WaveSpeed warns that such calls may run on another model. An image in 1792x1024 is asked for as 1080p, the nearest tier.',
  },

  'veo3-1-video': {
    ...textOrImage('google/veo3.1/text-to-video', 'google/veo3.1/image-to-video', (input) => ({
      ...only(input, 'aspect_ratio', 'duration', 'resolution', 'negative_prompt', 'seed'),
      ...(input.image === undefined ? {} : only(input, 'last_image')),
      generate_audio: input.generateAudio ?? false,
    })),
    refuses: ({ image, aspect_ratio }) =>
      image === undefined || aspect_ratio !== undefined
        ? undefined
        : 'WaveSpeed renders Veo 3.1 in 16:9 or 9:16, not in the ratio of the image',
  },

  'lightricks-ltx-2-fast': textOrImage(
    'lightricks/ltx-2-fast/text-to-video',
    'lightricks/ltx-2-fast/image-to-video',
    lightricks,
  ),
  'lightricks-ltx-2-pro': textOrImage(
    'lightricks/ltx-2-pro/text-to-video',
    'lightricks/ltx-2-pro/image-to-video',
    lightricks,
  ),

  'bytedance-waver-1.0': {
    endpoints: { image: 'bytedance/waver-1.0' },
    translate: (input) => ({ endpoint: 'image', body: only(input, 'prompt', 'image', 'seed') }),
    refuses: withoutPrompt,
  },

  'bytedance-seedance-v1-pro-fast': {
    ...textOrImage(
      'bytedance/seedance-v1-pro-fast/text-to-video',
      'bytedance/seedance-v1-pro-fast/image-to-video',
      (input) => only(input, 'resolution', 'duration', 'aspect_ratio', 'camera_fixed', 'seed'),
    ),
    refuses: withoutPrompt,
  },

  'kling-v25-turbo-pro': textOrImage(
    'kwaivgi/kling-v2.5-turbo-pro/text-to-video',
    'kwaivgi/kling-v2.5-turbo-pro/image-to-video',
    (input) => ({
      ...only(
        input,
        'negative_prompt',
        'duration',
        input.image === undefined ? 'aspect_ratio' : 'last_image',
      ),
      ...guidance(input),
    }),
  ),
  'kling-v25-turbo-std': {
    endpoints: { image: 'kwaivgi/kling-v2.5-turbo-std/image-to-video' },
    translate: (input) => ({
      endpoint: 'image',
      body: { ...only(input, 'prompt', 'image', 'negative_prompt', 'duration'), ...guidance(input) },
    }),
    refuses: withoutPrompt,
  },

  'minimax-hailuo-23-standard': textOrImage(
    'minimax/hailuo-2.3/t2v-standard',
    'minimax/hailuo-2.3/i2v-standard',
    (input) => ({ ...only(input, 'duration'), ...expansion(input) }),
  ),
  'minimax-hailuo-23-pro': {
    ...textOrImage('minimax/hailuo-2.3/t2v-pro', 'minimax/hailuo-2.3/i2v-pro', expansion),
    note: 'The length of a pro clip is no input; MiniMax renders 1080p in 6 s.',
  },
} as const satisfies Record<string, Offer>

/** Two paths that share their fields but for the picture, which also decides between them. */
function textOrImage(text: string, image: string, rest: (input: Input) => JsonObject): Offer {
  return {
    endpoints: { text, image },
    translate: (input) => ({
      endpoint: input.image === undefined ? 'text' : 'image',
      body: { ...only(input, 'prompt', 'image'), ...rest(input) },
    }),
  }
}

// Sent even where it is the default of ours: WaveSpeed's own is portrait.
function soraSize(input: Input): string {
  const [long, short] = input.resolution === '1792x1024' ? [1792, 1024] : [1280, 720]
  return isPortrait(input) ? `${short}*${long}` : `${long}*${short}`
}

// WaveSpeed's default is sound, which costs nothing more here but was not asked for.
function lightricks(input: Input): JsonObject {
  return { ...only(input, 'duration'), generate_audio: input.generateAudio ?? false }
}

// On by default at WaveSpeed on three of the four Hailuo paths, and a safety checker with it.
function expansion(input: Input): JsonObject {
  return { enable_prompt_expansion: input.enhancePrompt ?? false }
}

function guidance(input: Input): JsonObject {
  return input.cfg_scale === undefined ? {} : { guidance_scale: input.cfg_scale }
}

function withoutPrompt(input: Input): string | undefined {
  return input.prompt === undefined ? 'WaveSpeed renders this model only with a prompt' : undefined
}
