import type { Input, JsonObject } from '../../input.ts'
import { ratioOfPicture, seconds } from './body.ts'

/** Veo 3 rewrites prompts by itself and takes no switch for it. */
export function veo3(input: Input): JsonObject {
  return {
    aspect_ratio: input.aspect_ratio,
    duration: veoSeconds(input),
    resolution: input.resolution,
    generate_audio: input.generateAudio,
    negative_prompt: input.negative_prompt,
    seed: input.seed,
  }
}

export function veo3Image(input: Input): JsonObject {
  return { ...veo3(input), aspect_ratio: ratioOfPicture(input) }
}

export function veo2Image(input: Input): JsonObject {
  return { duration: veoSeconds(input), aspect_ratio: input.aspect_ratio }
}

export function veoSeconds({ duration }: Input): string | undefined {
  return duration === undefined ? undefined : `${duration}s`
}

const wanFramesPerSecond = 16

/** One frame more than the seconds hold, as Wan counts the first one apart. */
export function wan22(input: Input): JsonObject {
  return {
    negative_prompt: input.negative_prompt,
    num_frames: input.duration === undefined ? undefined : wanFramesPerSecond * input.duration + 1,
    frames_per_second: wanFramesPerSecond,
    num_inference_steps: input.num_inference_steps,
    resolution: input.resolution,
    enable_prompt_expansion: input.enhancePrompt,
    enable_safety_checker: input.enable_safety_checker,
    seed: input.seed,
  }
}

export function wan22Small(input: Input): JsonObject {
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

export function wan22Turbo(input: Input): JsonObject {
  return {
    resolution: input.resolution,
    enable_safety_checker: input.enable_safety_checker,
    enable_prompt_expansion: input.enhancePrompt,
    seed: input.seed,
  }
}

export function seedance(input: Input): JsonObject {
  return {
    aspect_ratio: input.aspect_ratio,
    resolution: input.resolution,
    duration: seconds(input),
    camera_fixed: input.camera_fixed,
    seed: input.seed,
  }
}

export function seedanceImage(input: Input): JsonObject {
  return { ...seedance(input), aspect_ratio: ratioOfPicture(input) }
}

/** What an image endpoint takes that also knows how the video ends. */
export function endImage({ last_image }: Input): JsonObject {
  return { end_image_url: last_image }
}

export function optimizer(input: Input): JsonObject {
  return { prompt_optimizer: input.enhancePrompt }
}

export function kling(input: Input): JsonObject {
  return {
    duration: seconds(input),
    negative_prompt: input.negative_prompt,
    cfg_scale: input.cfg_scale ?? 0.5,
  }
}

export function hunyuanFrames({ num_frames }: Input): string | undefined {
  return num_frames === undefined || num_frames === 129 ? undefined : String(num_frames)
}
