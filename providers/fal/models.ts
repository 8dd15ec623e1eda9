import type { Input } from '../input.ts'
import type { Offer } from '../provider.ts'
import { imageOnly, seconds, textOrImage } from './models/body.ts'
import {
  endImage,
  hunyuanFrames,
  kling,
  optimizer,
  seedance,
  seedanceImage,
  veo2Image,
  veo3,
  veo3Image,
  veoSeconds,
  wan22,
  wan22Small,
  wan22Turbo,
} from './models/families.ts'

const seedanceBetween = (input: Input) => ({ ...seedanceImage(input), ...endImage(input) })

const seedancePro = textOrImage(
  'fal-ai/bytedance/seedance/v1/pro/text-to-video',
  'fal-ai/bytedance/seedance/v1/pro/image-to-video',
  { text: seedance, image: seedanceBetween },
)

/**
 * The models that FAL serves first. Endpoint ids and fields as its client package and model pages listed them in
 * May 2026. What our fields decide is always sent: FAL's own defaults differ, and some cost more.
 */
export const offers: Readonly<Record<string, Offer>> = {
  'veo3-video': {
    ...textOrImage('fal-ai/veo3', 'fal-ai/veo3/image-to-video', { text: veo3, image: veo3Image }),
    note: 'Google dated the end of Veo 3.0 to June 2026; fal-ai/veo3.1 takes the same fields.',
  },
  'veo3-fast-video': {
    ...textOrImage('fal-ai/veo3/fast', 'fal-ai/veo3/fast/image-to-video', { text: veo3, image: veo3Image }),
    note: 'Google dated the end of Veo 3.0 Fast to June 2026; fal-ai/veo3.1/fast takes the same fields.',
  },
  'veo2-video': {
    ...textOrImage('fal-ai/veo2', 'fal-ai/veo2/image-to-video', {
      text: (input) => ({
        aspect_ratio: input.aspect_ratio,
        duration: veoSeconds(input),
        negative_prompt: input.negative_prompt,
        enhance_prompt: input.enhancePrompt,
        seed: input.seed,
      }),
      image: veo2Image,
    }),
    note: 'Google dated the end of Veo 2 to June 2026.',
  },
  'veo2-video-image-to-video': {
    ...imageOnly('fal-ai/veo2/image-to-video', veo2Image),
    note: 'Google dated the end of Veo 2 to June 2026.',
  },

  'wan-video-22': textOrImage('fal-ai/wan/v2.2-a14b/text-to-video', 'fal-ai/wan/v2.2-a14b/image-to-video', {
    text: (input) => ({ ...wan22(input), aspect_ratio: input.aspect_ratio }),
    image: (input) => ({ ...wan22(input), ...endImage(input), aspect_ratio: 'auto' }),
  }),
  'wan-video-22-5b': textOrImage('fal-ai/wan/v2.2-5b/text-to-video', 'fal-ai/wan/v2.2-5b/image-to-video', {
    text: wan22Small,
    image: wan22Small,
  }),
  'wan-video-22-turbo': textOrImage(
    'fal-ai/wan/v2.2-a14b/text-to-video/turbo',
    'fal-ai/wan/v2.2-a14b/image-to-video/turbo',
    {
      text: (input) => ({
        ...wan22Turbo(input),
        aspect_ratio: input.aspect_ratio === 'auto' ? '16:9' : input.aspect_ratio,
      }),
      image: (input) => ({ ...wan22Turbo(input), ...endImage(input), aspect_ratio: input.aspect_ratio }),
    },
  ),
  'wan-video-image-to-video': imageOnly('fal-ai/wan-i2v', (input) => ({
    negative_prompt: input.negative_prompt,
    num_frames: input.num_frames,
    frames_per_second: input.frames_per_second,
    resolution: input.resolution,
    seed: input.seed,
  })),

  'seedance-video': {
    endpoints: {
      ...seedancePro.endpoints,
      'text-9:21': 'fal-ai/bytedance/seedance/v1/lite/text-to-video',
    },
    translate(input) {
      const family = seedancePro.translate(input)
      const tall = family.endpoint === 'text' && input.aspect_ratio === '9:21'
      return tall ? { ...family, endpoint: 'text-9:21' } : family
    },
    note: 'Only the lite endpoint of the family renders 9:21, so that ratio goes there.',
  },
  'seedance-lite-video': textOrImage(
    'fal-ai/bytedance/seedance/v1/lite/text-to-video',
    'fal-ai/bytedance/seedance/v1/lite/image-to-video',
    { text: seedance, image: seedanceBetween },
  ),

  'minimax-hailuo-02': textOrImage(
    'fal-ai/minimax/hailuo-02/standard/text-to-video',
    'fal-ai/minimax/hailuo-02/standard/image-to-video',
    {
      text: (input) => ({ duration: seconds(input), ...optimizer(input) }),
      image: (input) => ({
        duration: seconds(input),
        resolution: '768P',
        ...optimizer(input),
        ...endImage(input),
      }),
    },
  ),
  'minimax-hailuo-02-pro': textOrImage(
    'fal-ai/minimax/hailuo-02/pro/text-to-video',
    'fal-ai/minimax/hailuo-02/pro/image-to-video',
    { text: optimizer, image: (input) => ({ ...optimizer(input), ...endImage(input) }) },
  ),
  'minimax-video': textOrImage('fal-ai/minimax/video-01', 'fal-ai/minimax/video-01/image-to-video', {
    text: optimizer,
    image: optimizer,
  }),

  'kling-video': {
    endpoints: { text: 'fal-ai/kling-video/v1.6/standard/text-to-video' },
    translate: (input) => ({
      endpoint: 'text',
      body: { prompt: input.prompt, aspect_ratio: input.aspect_ratio, ...kling(input) },
    }),
    note: 'Which Kling 1.x the name stands for is inferred; v1.6/pro and v1/standard take the same fields.',
  },
  'kling-video-v2': textOrImage(
    'fal-ai/kling-video/v2/master/text-to-video',
    'fal-ai/kling-video/v2/master/image-to-video',
    { text: (input) => ({ aspect_ratio: input.aspect_ratio, ...kling(input) }), image: kling },
  ),

  'hunyuan-video': {
    endpoints: { text: 'fal-ai/hunyuan-video' },
    translate: (input) => ({
      endpoint: 'text',
      body: {
        prompt: input.prompt,
        pro_mode: input.pro_mode,
        aspect_ratio: input.aspect_ratio,
        resolution: input.resolution,
        num_frames: hunyuanFrames(input),
        num_inference_steps: input.num_inference_steps,
        seed: input.seed,
      },
    }),
    note: 'Whether num_frames is text or a number is unsettled; it is sent only where it is not the default of 129.',
  },
  'hunyuan-video-image-to-video': imageOnly('fal-ai/hunyuan-video-image-to-video', (input) => ({
    aspect_ratio: input.aspect_ratio,
    resolution: input.resolution,
    seed: input.seed,
  })),
}
