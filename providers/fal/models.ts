import type { Input } from '../input.ts'
import { oneEndpoint, textOrImage } from '../models.ts'
import type { EndpointMapping } from '../provider.ts'
import { falAlibaba } from './models/alibaba.ts'
import { frameOf, imageOnly, ratioBesideImage, withPrompt } from './models/body.ts'
import { falBytedance } from './models/bytedance.ts'
import { falGoogle } from './models/google.ts'
import { falGrok } from './models/grok.ts'
import { falH3 } from './models/h3.ts'
import { falKling } from './models/kling.ts'
import { falKlingOmni } from './models/kling-omni.ts'
import { falKling3 } from './models/kling3.ts'
import { falKling26 } from './models/kling26.ts'
import { falMinimax } from './models/minimax.ts'
import { falPixverse } from './models/pixverse.ts'
import { falSeedance2 } from './models/seedance2.ts'
import { falVeo } from './models/veo.ts'
import { falVidu } from './models/vidu.ts'
import { falWan } from './models/wan.ts'

/**
 * Endpoint IDs and fields as FAL's client package and model pages listed them in May 2026. What our fields decide is always sent: FAL's
 * own defaults differ, and some cost more. Models that another upstream renders first refuse what FAL would render differently, so that
 * a failover does not change what was paid for.
 */
export const falMappings: Readonly<Record<string, EndpointMapping>> = {
  ...falVeo,
  ...falWan,
  ...falBytedance,
  ...falMinimax,
  ...falKling,
  ...falKling3,
  ...falSeedance2,
  ...falVidu,
  ...falGoogle,
  ...falGrok,
  ...falKling26,
  ...falKlingOmni,
  ...falPixverse,
  ...falAlibaba,
  ...falH3,

  'hunyuan-video': {
    ...oneEndpoint('text', 'fal-ai/hunyuan-video', (input) => ({
      prompt: input.prompt,
      pro_mode: input.pro_mode,
      aspect_ratio: input.aspect_ratio,
      resolution: input.resolution,
      num_frames: hunyuanFrames(input),
      num_inference_steps: input.num_inference_steps,
      seed: input.seed,
    })),
    note: 'Whether num_frames is text or a number is unsettled; it is sent only where it is not the default of 129.',
  },
  'hunyuan-video-image-to-video': imageOnly('fal-ai/hunyuan-video-image-to-video', (input) => ({
    aspect_ratio: input.aspect_ratio,
    resolution: input.resolution,
    seed: input.seed,
  })),

  'sora-2': {
    endpoints: {
      text: 'fal-ai/sora-2/text-to-video',
      image: 'fal-ai/sora-2/image-to-video',
      'text-pro': 'fal-ai/sora-2/text-to-video/pro',
      'image-pro': 'fal-ai/sora-2/image-to-video/pro',
    },
    toRequest(input) {
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
    unsupported: ({ resolution }) =>
      resolution === undefined || resolution === '720p' ? undefined : `FAL has no Sora 2 in ${resolution}`,
    note: 'OpenAI dated the end of Sora 2 to September 2026.',
  },

  'lightricks-ltx-2-fast': ltx('fal-ai/ltx-2/text-to-video/fast', 'fal-ai/ltx-2/image-to-video/fast'),
  'lightricks-ltx-2-pro': ltx('fal-ai/ltx-2/text-to-video', 'fal-ai/ltx-2/image-to-video'),

  'vidu-video': {
    ...textOrImage(
      'fal-ai/vidu/q1/text-to-video',
      'fal-ai/vidu/q1/image-to-video',
      withPrompt({
        text: (input) => ({
          aspect_ratio: frameOf(input).ratio,
          style: input.style,
          movement_amplitude: input.movementAmplitude,
          seed: input.seed,
        }),
        image: (input) => ({ movement_amplitude: input.movementAmplitude, seed: input.seed }),
      }),
    ),
    unsupported: ratioBesideImage,
  },

  'veed-fabric-1.0': oneEndpoint('image', 'veed/fabric-1.0', (input) => ({
    image_url: input.image,
    audio_url: input.audio,
    resolution: input.resolution,
  })),
}

function hunyuanFrames({ num_frames }: Input): string | undefined {
  return num_frames === undefined || num_frames === 129 ? undefined : String(num_frames)
}

function ltx(text: string, image: string): EndpointMapping {
  const toBody = (input: Input) => ({
    duration: input.duration,
    resolution: '1080p',
    fps: 25,
    generate_audio: input.generateAudio,
  })
  return textOrImage(text, image, withPrompt({ text: toBody, image: toBody }))
}
