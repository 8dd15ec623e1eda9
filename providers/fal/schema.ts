import type { BodySchema, FieldSchema } from '../schema.ts'
import {
  boolean,
  image,
  integer,
  link,
  number,
  oneOf,
  optionalImage,
  prompt,
  string,
} from './schema-fields.ts'
import { kling, klingImage, lipsyncText } from './schema-kling.ts'

/*
 * What each FAL endpoint takes, from the types of its client package (May 2026), which print whole numbers as text, and from
 * its model pages, which tell the two apart and name the limits. Limits without a source of FAL's own are left out:
 * no range of a seed is published but the one of Wan 2.5.
 */

const ratios = ['16:9', '9:16', '1:1']
const seed = integer

const veo: BodySchema = {
  prompt,
  aspect_ratio: oneOf('16:9', '9:16'),
  duration: oneOf('4s', '6s', '8s'),
  resolution: oneOf('720p', '1080p'),
  generate_audio: boolean,
  negative_prompt: string,
  seed,
  auto_fix: boolean,
  safety_tolerance: oneOf('1', '2', '3', '4', '5', '6'),
}
const veoImage: BodySchema = { ...veo, image_url: image, aspect_ratio: oneOf('auto', '16:9', '9:16') }

const veoFrames: BodySchema = {
  ...veo,
  aspect_ratio: oneOf('auto', '16:9', '9:16'),
  first_frame_url: image,
  last_frame_url: image,
}

const wanQuality = {
  enable_safety_checker: boolean,
  enable_output_safety_checker: boolean,
  enable_prompt_expansion: boolean,
  video_quality: oneOf('low', 'medium', 'high', 'maximum'),
  video_write_mode: oneOf('fast', 'balanced', 'small'),
}
const wanSmall: BodySchema = {
  prompt,
  negative_prompt: string,
  num_frames: { type: 'integer', min: 17, max: 161 },
  frames_per_second: { type: 'integer', min: 4, max: 60 },
  seed,
  resolution: oneOf('580p', '720p'),
  aspect_ratio: oneOf(...ratios),
  num_inference_steps: integer,
  guidance_scale: number,
  shift: { type: 'number', min: 1, max: 10 },
  interpolator_model: oneOf('none', 'film', 'rife'),
  num_interpolated_frames: { type: 'integer', min: 0, max: 4 },
  adjust_fps_for_interpolation: boolean,
  ...wanQuality,
}
const wanAcceleration = oneOf('none', 'regular')
const wanLarge: BodySchema = {
  ...wanSmall,
  resolution: oneOf('480p', '580p', '720p'),
  acceleration: wanAcceleration,
  guidance_scale_2: number,
}
const wanTurbo: BodySchema = {
  prompt,
  seed,
  resolution: oneOf('480p', '580p', '720p'),
  aspect_ratio: oneOf(...ratios),
  acceleration: wanAcceleration,
  ...wanQuality,
}
const wanImage = { image_url: image, aspect_ratio: oneOf('auto', ...ratios) }

const seedance: BodySchema = {
  prompt,
  resolution: oneOf('480p', '720p', '1080p'),
  duration: oneOf('2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12'),
  camera_fixed: boolean,
  seed,
  enable_safety_checker: boolean,
  num_frames: integer,
  aspect_ratio: oneOf('21:9', '16:9', '4:3', '1:1', '3:4', '9:16'),
}
const seedanceTall = { aspect_ratio: oneOf('21:9', '16:9', '4:3', '1:1', '3:4', '9:16', '9:21') }
const seedanceImage: BodySchema = {
  ...seedance,
  image_url: image,
  aspect_ratio: oneOf('auto', '21:9', '16:9', '4:3', '1:1', '3:4', '9:16'),
}

const hailuo: BodySchema = { prompt, prompt_optimizer: boolean }
const hailuoSeconds = { duration: oneOf('6', '10') }
const hailuoImage: BodySchema = { ...hailuo, image_url: image }

const sora: BodySchema = {
  prompt,
  duration: { type: 'integer', enum: [4, 8, 12, 16, 20] },
  aspect_ratio: oneOf('16:9', '9:16'),
  resolution: oneOf('720p'),
  delete_video: boolean,
  detect_and_block_ip: boolean,
  character_ids: { type: 'array', max: 2 },
}
const soraModel = { model: string }
const soraImage: BodySchema = {
  ...sora,
  image_url: image,
  aspect_ratio: oneOf('auto', '16:9', '9:16'),
  resolution: oneOf('auto', '720p'),
}

const ltxPro: BodySchema = {
  prompt,
  duration: { type: 'integer', enum: [6, 8, 10] },
  fps: { type: 'integer', enum: [25, 50] },
  resolution: oneOf('1080p', '1440p', '2160p'),
  generate_audio: boolean,
}
const ltxFast: BodySchema = {
  ...ltxPro,
  duration: { type: 'integer', enum: [6, 8, 10, 12, 14, 16, 18, 20] },
}

const pixverse: BodySchema = {
  // The page of version 4.5 counts bytes; that its siblings do so too is inferred.
  prompt: { ...prompt, maxBytes: 2048 },
  resolution: oneOf('360p', '540p', '720p', '1080p'),
  duration: oneOf('5', '8'),
  style: oneOf('anime', '3d_animation', 'clay', 'comic', 'cyberpunk'),
  negative_prompt: string,
  seed,
}
const pixverseText: BodySchema = { ...pixverse, aspect_ratio: oneOf('16:9', '4:3', '1:1', '3:4', '9:16') }
const pixverseCamera: FieldSchema = oneOf(
  ...['horizontal_left', 'horizontal_right', 'vertical_up', 'vertical_down', 'zoom_in', 'zoom_out'],
  ...['crane_up', 'quickly_zoom_in', 'quickly_zoom_out', 'smooth_zoom_in', 'camera_rotation', 'robo_arm'],
  ...['super_dolly_out', 'whip_pan', 'hitchcock', 'left_follow', 'right_follow', 'pan_left', 'pan_right'],
  'fix_bg',
)

const viduAmplitude = oneOf('auto', 'small', 'medium', 'large')
const vidu: BodySchema = {
  prompt: { ...prompt, maxLength: 1500 },
  movement_amplitude: viduAmplitude,
  seed,
}

/** The range of the seed stands in the types of the text endpoint only. */
const wan25: BodySchema = {
  prompt: { ...prompt, maxLength: 800 },
  resolution: oneOf('480p', '720p', '1080p'),
  duration: oneOf('5', '10'),
  negative_prompt: { type: 'string', maxLength: 500 },
  seed: { type: 'integer', min: 0, max: 2147483647 },
  enable_prompt_expansion: boolean,
  audio_url: { type: 'media' },
  enable_safety_checker: boolean,
}

const hunyuan: BodySchema = { prompt, seed, aspect_ratio: oneOf('16:9', '9:16') }

const animate: BodySchema = {
  image_url: image,
  video_url: link,
  resolution: oneOf('480p', '580p', '720p'),
  seed,
  num_inference_steps: integer,
  guidance_scale: number,
  shift: { type: 'number', min: 1, max: 10 },
  use_turbo: boolean,
  return_frames_zip: boolean,
  enable_safety_checker: boolean,
  enable_output_safety_checker: boolean,
  video_quality: wanQuality.video_quality,
  video_write_mode: wanQuality.video_write_mode,
}

/** Endpoint id -> its input. */
export const schemas: Readonly<Record<string, BodySchema>> = {
  'fal-ai/veo3': veo,
  'fal-ai/veo3/fast': veo,
  'fal-ai/veo3/image-to-video': veoImage,
  'fal-ai/veo3/fast/image-to-video': veoImage,
  'fal-ai/veo3.1': veo,
  'fal-ai/veo3.1/fast': veo,
  'fal-ai/veo3.1/image-to-video': veoImage,
  'fal-ai/veo3.1/fast/image-to-video': veoImage,
  // From the page of its fast sibling.
  'fal-ai/veo3.1/first-last-frame-to-video': veoFrames,
  'fal-ai/veo3.1/fast/first-last-frame-to-video': veoFrames,
  'fal-ai/veo2': {
    prompt,
    aspect_ratio: oneOf(...ratios),
    duration: oneOf('5s', '6s', '7s', '8s'),
    negative_prompt: string,
    enhance_prompt: boolean,
    auto_fix: boolean,
    seed,
  },
  'fal-ai/veo2/image-to-video': {
    prompt,
    image_url: image,
    duration: oneOf('5s', '6s', '7s', '8s'),
    aspect_ratio: oneOf('auto', 'auto_prefer_portrait', '16:9', '9:16'),
  },

  'fal-ai/wan/v2.2-a14b/text-to-video': wanLarge,
  'fal-ai/wan/v2.2-a14b/image-to-video': { ...wanLarge, ...wanImage, end_image_url: optionalImage },
  'fal-ai/wan/v2.2-a14b/text-to-video/turbo': wanTurbo,
  'fal-ai/wan/v2.2-a14b/image-to-video/turbo': { ...wanTurbo, ...wanImage, end_image_url: optionalImage },
  'fal-ai/wan/v2.2-5b/text-to-video': wanSmall,
  'fal-ai/wan/v2.2-5b/image-to-video': { ...wanSmall, ...wanImage },
  'fal-ai/wan-i2v': {
    prompt,
    ...wanImage,
    negative_prompt: string,
    num_frames: { type: 'integer', min: 81, max: 100 },
    frames_per_second: { type: 'integer', min: 5, max: 24 },
    seed,
    resolution: oneOf('480p', '720p'),
    num_inference_steps: integer,
    guide_scale: number,
    shift: number,
    enable_safety_checker: boolean,
    enable_prompt_expansion: boolean,
    acceleration: wanAcceleration,
  },
  'fal-ai/wan-25-preview/text-to-video': { ...wan25, aspect_ratio: oneOf(...ratios) },
  'fal-ai/wan-25-preview/image-to-video': { ...wan25, image_url: image },
  'fal-ai/wan/v2.2-14b/animate/move': animate,
  'fal-ai/wan/v2.2-14b/animate/replace': animate,

  'fal-ai/bytedance/seedance/v1/pro/text-to-video': seedance,
  'fal-ai/bytedance/seedance/v1/pro/image-to-video': { ...seedanceImage, end_image_url: optionalImage },
  'fal-ai/bytedance/seedance/v1/lite/text-to-video': { ...seedance, ...seedanceTall },
  'fal-ai/bytedance/seedance/v1/lite/image-to-video': { ...seedanceImage, end_image_url: optionalImage },
  'fal-ai/bytedance/seedance/v1/pro/fast/text-to-video': seedance,
  'fal-ai/bytedance/seedance/v1/pro/fast/image-to-video': seedanceImage,
  'fal-ai/bytedance/omnihuman/v1.5': {
    image_url: image,
    audio_url: { type: 'media', required: true },
    prompt: string,
    resolution: oneOf('720p', '1080p'),
    turbo_mode: boolean,
  },
  'fal-ai/bytedance-upscaler/upscale/video': {
    video_url: link,
    target_resolution: oneOf('1080p', '2k', '4k'),
    target_fps: oneOf('30fps', '60fps'),
    enhancement_preset: string,
    enhancement_tier: oneOf('fast', 'standard', 'pro'),
    fidelity: oneOf('high', 'medium'),
    scale_ratio: { type: 'number', min: 1.1, max: 10 },
  },

  'fal-ai/minimax/hailuo-02/standard/text-to-video': { ...hailuo, ...hailuoSeconds },
  'fal-ai/minimax/hailuo-02/standard/image-to-video': {
    ...hailuoImage,
    ...hailuoSeconds,
    resolution: oneOf('512P', '768P'),
    end_image_url: optionalImage,
  },
  'fal-ai/minimax/hailuo-02/pro/text-to-video': hailuo,
  'fal-ai/minimax/hailuo-02/pro/image-to-video': { ...hailuoImage, end_image_url: optionalImage },
  'fal-ai/minimax/video-01': hailuo,
  'fal-ai/minimax/video-01/image-to-video': hailuoImage,
  'fal-ai/minimax/hailuo-2.3/standard/text-to-video': { ...hailuo, ...hailuoSeconds },
  'fal-ai/minimax/hailuo-2.3/standard/image-to-video': { ...hailuoImage, ...hailuoSeconds },
  'fal-ai/minimax/hailuo-2.3/pro/text-to-video': hailuo,
  'fal-ai/minimax/hailuo-2.3/pro/image-to-video': hailuoImage,

  'fal-ai/kling-video/v1/standard/text-to-video': kling,
  'fal-ai/kling-video/v1.5/pro/text-to-video': kling,
  'fal-ai/kling-video/v1.6/standard/text-to-video': kling,
  'fal-ai/kling-video/v1.6/pro/text-to-video': kling,
  'fal-ai/kling-video/v2/master/text-to-video': kling,
  'fal-ai/kling-video/v2/master/image-to-video': klingImage,
  'fal-ai/kling-video/v2.1/standard/image-to-video': klingImage,
  'fal-ai/kling-video/v2.1/pro/image-to-video': { ...klingImage, tail_image_url: optionalImage },
  'fal-ai/kling-video/v2.1/master/text-to-video': kling,
  'fal-ai/kling-video/v2.1/master/image-to-video': klingImage,
  'fal-ai/kling-video/v2.5-turbo/pro/text-to-video': kling,
  'fal-ai/kling-video/v2.5-turbo/pro/image-to-video': { ...klingImage, tail_image_url: optionalImage },
  'fal-ai/kling-video/v2.5-turbo/standard/image-to-video': klingImage,
  'fal-ai/kling-video/lipsync/audio-to-video': {
    video_url: link,
    audio_url: { type: 'media', required: true },
  },
  'fal-ai/kling-video/lipsync/text-to-video': lipsyncText,

  'fal-ai/hunyuan-video': {
    ...hunyuan,
    pro_mode: boolean,
    resolution: oneOf('480p', '580p', '720p'),
    // The types say text, the page a number.
    num_frames: { type: ['string', 'integer'], enum: ['129', '85', 129, 85] },
    enable_safety_checker: boolean,
    num_inference_steps: integer,
  },
  'fal-ai/hunyuan-video-image-to-video': {
    ...hunyuan,
    image_url: image,
    resolution: oneOf('720p'),
    num_frames: { type: ['string', 'integer'], enum: ['129', 129] },
    i2v_stability: boolean,
  },

  'fal-ai/sora-2/text-to-video': { ...sora, ...soraModel },
  'fal-ai/sora-2/text-to-video/pro': { ...sora, resolution: oneOf('720p', '1080p', 'true_1080p') },
  'fal-ai/sora-2/image-to-video': { ...soraImage, ...soraModel },
  'fal-ai/sora-2/image-to-video/pro': {
    ...soraImage,
    resolution: oneOf('auto', '720p', '1080p', 'true_1080p'),
  },

  'fal-ai/ltx-2/text-to-video/fast': ltxFast,
  'fal-ai/ltx-2/image-to-video/fast': { ...ltxFast, image_url: image },
  'fal-ai/ltx-2/text-to-video': ltxPro,
  'fal-ai/ltx-2/image-to-video': { ...ltxPro, image_url: image },

  'fal-ai/pixverse/v4.5/text-to-video': pixverseText,
  'fal-ai/pixverse/v4.5/image-to-video': {
    ...pixverse,
    image_url: image,
    camera_movement: pixverseCamera,
  },
  'fal-ai/pixverse/v5/text-to-video': pixverseText,
  'fal-ai/pixverse/v5/image-to-video': { ...pixverse, image_url: image },

  'fal-ai/vidu/q1/text-to-video': {
    ...vidu,
    aspect_ratio: oneOf(...ratios),
    style: oneOf('general', 'anime'),
  },
  'fal-ai/vidu/q1/image-to-video': { ...vidu, image_url: image },

  'veed/fabric-1.0': {
    image_url: image,
    audio_url: { type: 'media', required: true },
    resolution: { ...oneOf('480p', '720p'), required: true },
  },
}
