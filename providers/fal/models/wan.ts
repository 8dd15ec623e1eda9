import type { Input, JsonObject } from '../../input.ts'
import { textOrImage } from '../../models.ts'
import type { EndpointMapping } from '../../provider.ts'
import { frameOf, imageOnly, seconds, withPrompt } from './body.ts'

export const falWan: Readonly<Record<string, EndpointMapping>> = {
  'wan-video-22': textOrImage(
    'fal-ai/wan/v2.2-a14b/text-to-video',
    'fal-ai/wan/v2.2-a14b/image-to-video',
    withPrompt({
      text: (input) => ({ ...wan22Body(input), aspect_ratio: input.aspect_ratio }),
      image: (input) => ({ ...wan22Body(input), end_image_url: input.last_image, aspect_ratio: 'auto' }),
    }),
  ),
  'wan-video-22-5b': textOrImage(
    'fal-ai/wan/v2.2-5b/text-to-video',
    'fal-ai/wan/v2.2-5b/image-to-video',
    withPrompt({ text: wan22SmallBody, image: wan22SmallBody }),
  ),
  'wan-video-22-turbo': textOrImage(
    'fal-ai/wan/v2.2-a14b/text-to-video/turbo',
    'fal-ai/wan/v2.2-a14b/image-to-video/turbo',
    withPrompt({
      text: (input) => ({
        ...wan22TurboBody(input),
        aspect_ratio: input.aspect_ratio === 'auto' ? '16:9' : input.aspect_ratio,
      }),
      image: (input) => ({
        ...wan22TurboBody(input),
        end_image_url: input.last_image,
        aspect_ratio: input.aspect_ratio,
      }),
    }),
  ),
  'wan-video-image-to-video': imageOnly('fal-ai/wan-i2v', (input) => ({
    negative_prompt: input.negative_prompt,
    num_frames: input.num_frames,
    frames_per_second: input.frames_per_second,
    resolution: input.resolution,
    seed: input.seed,
  })),

  'wan-wavespeed-25': textOrImage(
    'fal-ai/wan-25-preview/text-to-video',
    'fal-ai/wan-25-preview/image-to-video',
    withPrompt({
      text: (input) => ({ ...wan25Body(input), aspect_ratio: frameOf(input).ratio }),
      image: wan25Body,
    }),
  ),
  'wan-wavespeed-22-animate': {
    endpoints: {
      animate: 'fal-ai/wan/v2.2-14b/animate/move',
      replace: 'fal-ai/wan/v2.2-14b/animate/replace',
    },
    toRequest: (input) => ({
      endpoint: input.mode === 'replace' ? 'replace' : 'animate',
      body: {
        image_url: input.image,
        video_url: input.video,
        resolution: input.resolution,
        seed: input.seed,
      },
    }),
    unsupported: ({ prompt }) =>
      prompt === undefined ? undefined : 'FAL takes no prompt for Wan 2.2 Animate',
  },
}

const framesPerSecond = 16

function wan22Body(input: Input): JsonObject {
  return {
    negative_prompt: input.negative_prompt,
    // Wan counts the first frame apart.
    num_frames: input.duration === undefined ? undefined : framesPerSecond * input.duration + 1,
    frames_per_second: framesPerSecond,
    num_inference_steps: input.num_inference_steps,
    resolution: input.resolution,
    enable_prompt_expansion: input.enhancePrompt,
    enable_safety_checker: input.enable_safety_checker,
    seed: input.seed,
  }
}

function wan22SmallBody(input: Input): JsonObject {
  return {
    negative_prompt: input.negative_prompt,
    num_frames: input.num_frames,
    frames_per_second: input.frames_per_second,
    resolution: input.resolution,
    aspect_ratio: input.aspect_ratio,
    num_inference_steps: input.num_inference_steps,
    enable_safety_checker: input.enable_safety_checker,
    enable_prompt_expansion: input.enhancePrompt,
    guidance_scale: input.cfg_scale,
    shift: input.shift,
    interpolator_model: input.interpolator_model,
    num_interpolated_frames: input.num_interpolated_frames,
    adjust_fps_for_interpolation: input.adjust_fps_for_interpolation,
    seed: input.seed,
  }
}

function wan22TurboBody(input: Input): JsonObject {
  return {
    resolution: input.resolution,
    enable_safety_checker: input.enable_safety_checker,
    enable_prompt_expansion: input.enhancePrompt,
    seed: input.seed,
  }
}

function wan25Body(input: Input): JsonObject {
  return {
    resolution: frameOf(input).resolution,
    duration: seconds(input),
    negative_prompt: input.negative_prompt,
    enable_prompt_expansion: input.enhancePrompt,
    audio_url: input.audio,
    seed: input.seed,
  }
}
