import type { Input } from '../../input.ts'
import type { Offer } from '../../provider.ts'
import { imageOnly, seconds, textOrImage } from './body.ts'
import { kling, optimizer, seedance, seedanceImage, veo3, veo3Image } from './families.ts'
import { frameOf } from './frame.ts'
import { pixverse } from './pixverse.ts'

const veo31 = textOrImage('fal-ai/veo3.1', 'fal-ai/veo3.1/image-to-video', { text: veo3, image: veo3Image })

/**
 * Models of other upstreams that FAL renders too. Each refuses what FAL would render differently, so that nothing
 * that was paid for changes when the first upstream is down. Left out: models that FAL has in another make only.
 */
export const failover: Readonly<Record<string, Offer>> = {
  'veo3-1-video': {
    endpoints: { ...veo31.endpoints, frames: 'fal-ai/veo3.1/first-last-frame-to-video' },
    translate(input) {
      const { image, last_image } = input
      if (image === undefined || last_image === undefined) return veo31.translate(input)
      const frames = { first_frame_url: image, last_frame_url: last_image }
      return { endpoint: 'frames', body: { prompt: input.prompt, ...frames, ...veo3Image(input) } }
    },
    note: 'The endpoint for a first and a last frame is from the model page of its fast sibling.',
  },

  'sora-2': {
    endpoints: {
      text: 'fal-ai/sora-2/text-to-video',
      image: 'fal-ai/sora-2/image-to-video',
      'text-pro': 'fal-ai/sora-2/text-to-video/pro',
      'image-pro': 'fal-ai/sora-2/image-to-video/pro',
    },
    translate(input) {
      const kind = input.image === undefined ? 'text' : 'image'
      const common = { prompt: input.prompt, duration: input.duration }
      const body =
        kind === 'text'
          ? { ...common, aspect_ratio: input.aspect_ratio, resolution: '720p' }
          : {
              ...common,
              image_url: input.image,
              aspect_ratio: 'auto',
              resolution: input.pro_mode ? '720p' : 'auto',
            }
      return { endpoint: input.pro_mode ? `${kind}-pro` : kind, body }
    },
    refuses: ({ resolution }) =>
      resolution === undefined || resolution === '720p' ? undefined : `FAL has no Sora 2 in ${resolution}`,
    note: 'OpenAI dated the end of Sora 2 to September 2026.',
  },

  'kling-v21-standard': {
    ...imageOnly('fal-ai/kling-video/v2.1/standard/image-to-video', kling),
    refuses: ratioOverPicture,
  },
  'kling-v21-pro': {
    ...imageOnly('fal-ai/kling-video/v2.1/pro/image-to-video', klingBetween),
    refuses: (input) =>
      input.image === undefined ? 'FAL renders Kling 2.1 Pro from an image only' : ratioOverPicture(input),
    note: 'Missing from the client package of May 2026.',
  },
  'kling-v21-master': {
    ...textOrImage(
      'fal-ai/kling-video/v2.1/master/text-to-video',
      'fal-ai/kling-video/v2.1/master/image-to-video',
      { text: (input) => ({ aspect_ratio: input.aspect_ratio, ...kling(input) }), image: kling },
    ),
    refuses: ratioOverPicture,
  },
  'kling-v25-turbo-pro': textOrImage(
    'fal-ai/kling-video/v2.5-turbo/pro/text-to-video',
    'fal-ai/kling-video/v2.5-turbo/pro/image-to-video',
    { text: (input) => ({ aspect_ratio: input.aspect_ratio, ...kling(input) }), image: klingBetween },
  ),
  'kling-v25-turbo-std': imageOnly('fal-ai/kling-video/v2.5-turbo/standard/image-to-video', kling),
  'kling-lipsync-a2v': {
    endpoints: { video: 'fal-ai/kling-video/lipsync/audio-to-video' },
    translate: (input) => ({ endpoint: 'video', body: { video_url: input.video, audio_url: input.audio } }),
  },
  'kling-lipsync-t2v': {
    endpoints: { video: 'fal-ai/kling-video/lipsync/text-to-video' },
    translate: (input) => ({
      endpoint: 'video',
      body: {
        video_url: input.video,
        text: input.prompt,
        voice_id: input.voice_id,
        voice_language: input.voice_language,
        voice_speed: input.voice_speed,
      },
    }),
  },

  'lightricks-ltx-2-fast': ltx('fal-ai/ltx-2/text-to-video/fast', 'fal-ai/ltx-2/image-to-video/fast'),
  'lightricks-ltx-2-pro': ltx('fal-ai/ltx-2/text-to-video', 'fal-ai/ltx-2/image-to-video'),

  'pixverse-v45': pixverse('v4.5'),
  'pixverse-v5': pixverse('v5'),
  'vidu-video': {
    ...textOrImage('fal-ai/vidu/q1/text-to-video', 'fal-ai/vidu/q1/image-to-video', {
      text: (input) => ({
        aspect_ratio: frameOf(input).ratio,
        style: input.style,
        movement_amplitude: input.movementAmplitude,
        seed: input.seed,
      }),
      image: (input) => ({ movement_amplitude: input.movementAmplitude, seed: input.seed }),
    }),
    refuses: ratioOverPicture,
  },

  'minimax-hailuo-23-standard': {
    ...textOrImage(
      'fal-ai/minimax/hailuo-2.3/standard/text-to-video',
      'fal-ai/minimax/hailuo-2.3/standard/image-to-video',
      {
        text: (input) => ({ duration: seconds(input), ...optimizer(input) }),
        image: (input) => ({ duration: seconds(input), ...optimizer(input) }),
      },
    ),
    refuses: withoutPrompt,
  },
  'minimax-hailuo-23-pro': {
    ...textOrImage(
      'fal-ai/minimax/hailuo-2.3/pro/text-to-video',
      'fal-ai/minimax/hailuo-2.3/pro/image-to-video',
      { text: optimizer, image: optimizer },
    ),
    refuses: withoutPrompt,
  },

  'bytedance-seedance-v1-pro-fast': {
    ...textOrImage(
      'fal-ai/bytedance/seedance/v1/pro/fast/text-to-video',
      'fal-ai/bytedance/seedance/v1/pro/fast/image-to-video',
      { text: seedance, image: seedanceImage },
    ),
    refuses: withoutPrompt,
  },
  'bytedance-avatar-omni-human-1.5': {
    ...imageOnly('fal-ai/bytedance/omnihuman/v1.5', (input) => ({
      prompt: input.prompt,
      audio_url: input.audio,
    })),
    refuses: ({ audioDuration = 0 }) =>
      audioDuration < 30 ? undefined : 'FAL takes less than 30 s of audio in OmniHuman',
  },
  'bytedance-seedance-upscaler': {
    endpoints: { video: 'fal-ai/bytedance-upscaler/upscale/video' },
    translate: (input) => ({
      endpoint: 'video',
      body: { video_url: input.video, target_resolution: input.resolution },
    }),
  },

  'wan-wavespeed-25': textOrImage(
    'fal-ai/wan-25-preview/text-to-video',
    'fal-ai/wan-25-preview/image-to-video',
    { text: (input) => ({ ...wan25(input), aspect_ratio: frameOf(input).ratio }), image: wan25 },
  ),
  'wan-wavespeed-22-animate': {
    endpoints: {
      animate: 'fal-ai/wan/v2.2-14b/animate/move',
      replace: 'fal-ai/wan/v2.2-14b/animate/replace',
    },
    translate: (input) => ({
      endpoint: input.mode === 'replace' ? 'replace' : 'animate',
      body: {
        image_url: input.image,
        video_url: input.video,
        resolution: input.resolution,
        seed: input.seed,
      },
    }),
    refuses: ({ prompt }) => (prompt === undefined ? undefined : 'FAL takes no prompt for Wan 2.2 Animate'),
  },

  'veed-fabric-1.0': {
    endpoints: { image: 'veed/fabric-1.0' },
    translate: (input) => ({
      endpoint: 'image',
      body: { image_url: input.image, audio_url: input.audio, resolution: input.resolution },
    }),
  },
}

/** The picture decides the ratio of these endpoints; who named another one would get something else. */
function ratioOverPicture(input: Input): string | undefined {
  const named = input.aspect_ratio ?? input.size
  if (input.image === undefined || named === undefined) return undefined
  return `FAL gives the video the ratio of the image, not ${named}`
}

function withoutPrompt(input: Input): string | undefined {
  return input.prompt === undefined ? 'FAL renders this model only with a prompt' : undefined
}

function klingBetween(input: Input) {
  return { ...kling(input), tail_image_url: input.last_image }
}

function ltx(text: string, image: string): Offer {
  const body = (input: Input) => ({
    duration: input.duration,
    resolution: '1080p',
    fps: 25,
    generate_audio: input.generateAudio,
  })
  return textOrImage(text, image, { text: body, image: body })
}

function wan25(input: Input) {
  return {
    resolution: frameOf(input).resolution,
    duration: seconds(input),
    negative_prompt: input.negative_prompt,
    enable_prompt_expansion: input.enhancePrompt,
    audio_url: input.audio,
    seed: input.seed,
  }
}
