import type { Input, JsonObject } from '../input.ts'
import { oneEndpoint, pick, textOrImage } from '../models.ts'
import type { EndpointMapping } from '../provider.ts'
import { wavespeedAlibaba } from './models/alibaba.ts'
import { wavespeedGoogle } from './models/google.ts'
import { wavespeedGrok } from './models/grok.ts'
import { wavespeedH3 } from './models/h3.ts'
import { wavespeedKlingOmni } from './models/kling-omni.ts'
import { wavespeedKling3 } from './models/kling3.ts'
import { wavespeedKling26 } from './models/kling26.ts'
import { wavespeedLuma } from './models/luma.ts'
import { wavespeedSeedance2 } from './models/seedance2.ts'
import { wavespeedVidu } from './models/vidu.ts'
import { wavespeedWan } from './models/wan.ts'

/** Paths and fields as WaveSpeed listed them in August 2026. */
export const wavespeedMappings: Readonly<Record<string, EndpointMapping>> = {
  'sora-2': {
    endpoints: {
      text: 'openai/sora-2/text-to-video',
      image: 'openai/sora-2/image-to-video',
      'text-pro': 'openai/sora-2/text-to-video-pro',
      'image-pro': 'openai/sora-2/image-to-video-pro',
    },
    toRequest: (input) => {
      const body = pick(input, 'prompt', 'image', 'duration')
      const pro = input.pro_mode === true
      if (input.image === undefined) {
        return { endpoint: pro ? 'text-pro' : 'text', body: { ...body, size: soraSize(input) } }
      }
      if (!pro) return { endpoint: 'image', body }
      const resolution = input.resolution === '1792x1024' ? '1080p' : '720p'
      return { endpoint: 'image-pro', body: { ...body, resolution } }
    },
    note: 'OpenAI dated the end of Sora 2 to September 2026; WaveSpeed warns that such calls may run on another model. For an image, 1792x1024 is sent as 1080p, the nearest tier.',
  },

  'veo3-1-video': {
    ...textOrImage(
      'google/veo3.1/text-to-video',
      'google/veo3.1/image-to-video',
      withPrompt((input) => ({
        ...pick(input, 'aspect_ratio', 'duration', 'resolution', 'negative_prompt', 'seed'),
        ...(input.image === undefined ? {} : pick(input, 'last_image')),
        generate_audio: input.generateAudio ?? false,
      })),
    ),
    unsupported: ({ image, aspect_ratio }) =>
      image === undefined || aspect_ratio !== undefined
        ? undefined
        : 'WaveSpeed renders Veo 3.1 in 16:9 or 9:16, not in the ratio of the image',
  },

  'lightricks-ltx-2-fast': textOrImage(
    'lightricks/ltx-2-fast/text-to-video',
    'lightricks/ltx-2-fast/image-to-video',
    withPrompt(lightricks),
  ),
  'lightricks-ltx-2-pro': textOrImage(
    'lightricks/ltx-2-pro/text-to-video',
    'lightricks/ltx-2-pro/image-to-video',
    withPrompt(lightricks),
  ),

  'bytedance-waver-1.0': {
    ...oneEndpoint('image', 'bytedance/waver-1.0', (input) => pick(input, 'prompt', 'image', 'seed')),
    unsupported: missingPrompt,
  },

  'bytedance-seedance-v1-pro-fast': {
    ...textOrImage(
      'bytedance/seedance-v1-pro-fast/text-to-video',
      'bytedance/seedance-v1-pro-fast/image-to-video',
      withPrompt((input) => pick(input, 'resolution', 'duration', 'aspect_ratio', 'camera_fixed', 'seed')),
    ),
    unsupported: missingPrompt,
  },

  'kling-v25-turbo-pro': textOrImage(
    'kwaivgi/kling-v2.5-turbo-pro/text-to-video',
    'kwaivgi/kling-v2.5-turbo-pro/image-to-video',
    withPrompt((input) => ({
      ...pick(
        input,
        'negative_prompt',
        'duration',
        input.image === undefined ? 'aspect_ratio' : 'last_image',
      ),
      ...guidance(input),
    })),
  ),
  'kling-v25-turbo-std': {
    ...oneEndpoint('image', 'kwaivgi/kling-v2.5-turbo-std/image-to-video', (input) => ({
      ...pick(input, 'prompt', 'image', 'negative_prompt', 'duration'),
      ...guidance(input),
    })),
    unsupported: missingPrompt,
  },

  'minimax-hailuo-23-standard': textOrImage(
    'minimax/hailuo-2.3/t2v-standard',
    'minimax/hailuo-2.3/i2v-standard',
    withPrompt((input) => ({ ...pick(input, 'duration'), ...promptExpansion(input) })),
  ),
  'minimax-hailuo-23-pro': {
    ...textOrImage('minimax/hailuo-2.3/t2v-pro', 'minimax/hailuo-2.3/i2v-pro', withPrompt(promptExpansion)),
    note: 'The length of a pro clip is no input; MiniMax renders 1080p in 6 s.',
  },

  ...wavespeedWan,
  ...wavespeedKling3,
  ...wavespeedSeedance2,
  ...wavespeedLuma,
  ...wavespeedVidu,
  ...wavespeedGoogle,
  ...wavespeedGrok,
  ...wavespeedKling26,
  ...wavespeedKlingOmni,
  ...wavespeedAlibaba,
  ...wavespeedH3,

  'veed-fabric-1.0': oneEndpoint('image', 'veed/fabric-1.0', (input) =>
    pick(input, 'image', 'audio', 'resolution'),
  ),

  'bytedance-avatar-omni-human-1.5': {
    ...oneEndpoint('image', 'bytedance/avatar-omni-human-1.5', (input) => pick(input, 'image', 'audio')),
    unsupported: (input) =>
      input.prompt === undefined ? undefined : 'WaveSpeed takes no prompt for this model',
  },

  'kling-lipsync-t2v': oneEndpoint('video', 'kwaivgi/kling-lipsync/text-to-video', (input) => ({
    ...pick(input, 'video', 'voice_id', 'voice_language', 'voice_speed'),
    text: input.prompt,
  })),
  'kling-lipsync-a2v': oneEndpoint('video', 'kwaivgi/kling-lipsync/audio-to-video', (input) =>
    pick(input, 'video', 'audio'),
  ),

  'runwayml-gen4-aleph': {
    ...oneEndpoint('video', 'runwayml/gen4-aleph', (input) => {
      const image = input.referenceImages?.[0]
      return {
        ...pick(input, 'prompt', 'video'),
        ...(input.aspect_ratio === 'auto' ? {} : pick(input, 'aspect_ratio')),
        ...(image === undefined ? {} : { reference_image: image }),
      }
    }),
    unsupported: (input) =>
      (input.referenceImages?.length ?? 0) > 1
        ? 'WaveSpeed takes one reference image for this model'
        : undefined,
    note: 'Gen-4 Aleph has left the list of WaveSpeed; runwayml/aleph-2 succeeds it with other fields. There is no aspect ratio "auto": it is left out, which reads as 16:9.',
  },

  'video-upscaler': oneEndpoint('video', 'wavespeed-ai/video-upscaler', (input) => ({
    ...pick(input, 'video'),
    target_resolution: input.size ?? input.resolution,
    copy_audio: true,
  })),
  'bytedance-seedance-upscaler': oneEndpoint('video', 'bytedance/video-upscaler', (input) => ({
    ...pick(input, 'video'),
    target_resolution: input.size ?? input.resolution,
  })),
}

/** Prompt and image have their own names at WaveSpeed. */
function withPrompt(toBody: (input: Input) => JsonObject): (input: Input) => JsonObject {
  return (input) => ({ ...pick(input, 'prompt', 'image'), ...toBody(input) })
}

// Sent even where it is the default of ours: WaveSpeed's own is portrait.
function soraSize(input: Input): string {
  const [long, short] = input.resolution === '1792x1024' ? [1792, 1024] : [1280, 720]
  return input.aspect_ratio === '9:16' ? `${short}*${long}` : `${long}*${short}`
}

// WaveSpeed's default is sound, which costs nothing more here but was not requested.
function lightricks(input: Input): JsonObject {
  return { ...pick(input, 'duration'), generate_audio: input.generateAudio ?? false }
}

// On by default at WaveSpeed on three of the four Hailuo paths, and a safety checker with it.
function promptExpansion(input: Input): JsonObject {
  return { enable_prompt_expansion: input.enhancePrompt ?? false }
}

function guidance(input: Input): JsonObject {
  return input.cfg_scale === undefined ? {} : { guidance_scale: input.cfg_scale }
}

function missingPrompt(input: Input): string | undefined {
  return input.prompt === undefined ? 'WaveSpeed renders this model only with a prompt' : undefined
}
