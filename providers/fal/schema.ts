import { anyBoolean, anyInteger, anyNumber, anyString, type BodySchema, oneOf } from '../schema.ts'
import { falAlibabaSchemas } from './models/alibaba.ts'
import { falGoogleSchemas } from './models/google.ts'
import { falGrokSchemas } from './models/grok.ts'
import { falH3Schemas } from './models/h3.ts'
import { falKlingOmniSchemas } from './models/kling-omni.ts'
import { falKling3Schemas } from './models/kling3.ts'
import { falKling26Schemas } from './models/kling26.ts'
import { falSeedance2Schemas } from './models/seedance2.ts'
import { falViduSchemas } from './models/vidu.ts'

/*
 * What each FAL endpoint takes, from the types of its client package (May 2026), which print whole numbers as text, and from
 * its model pages, which tell the two apart and name the limits. Limits without a source of FAL's own are left out:
 * no range of a seed is published but the one of Wan 2.5.
 */

const prompt = { type: 'string', required: true } as const
const image = { type: 'media', required: true } as const
const optionalImage = { type: 'media' } as const
const link = { type: 'media', required: true } as const
const ratios = ['16:9', '9:16', '1:1']
const seed = anyInteger

const veo: BodySchema = {
  prompt,
  aspect_ratio: oneOf('16:9', '9:16'),
  duration: oneOf('4s', '6s', '8s'),
  resolution: oneOf('720p', '1080p'),
  generate_audio: anyBoolean,
  negative_prompt: anyString,
  seed,
  auto_fix: anyBoolean,
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
  enable_safety_checker: anyBoolean,
  enable_output_safety_checker: anyBoolean,
  enable_prompt_expansion: anyBoolean,
  video_quality: oneOf('low', 'medium', 'high', 'maximum'),
  video_write_mode: oneOf('fast', 'balanced', 'small'),
}
const wanSmall: BodySchema = {
  prompt,
  negative_prompt: anyString,
  num_frames: { type: 'integer', min: 17, max: 161 },
  frames_per_second: { type: 'integer', min: 4, max: 60 },
  seed,
  resolution: oneOf('580p', '720p'),
  aspect_ratio: oneOf(...ratios),
  num_inference_steps: anyInteger,
  guidance_scale: anyNumber,
  shift: { type: 'number', min: 1, max: 10 },
  interpolator_model: oneOf('none', 'film', 'rife'),
  num_interpolated_frames: { type: 'integer', min: 0, max: 4 },
  adjust_fps_for_interpolation: anyBoolean,
  ...wanQuality,
}
const wanAcceleration = oneOf('none', 'regular')
const wanLarge: BodySchema = {
  ...wanSmall,
  resolution: oneOf('480p', '580p', '720p'),
  acceleration: wanAcceleration,
  guidance_scale_2: anyNumber,
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
  camera_fixed: anyBoolean,
  seed,
  enable_safety_checker: anyBoolean,
  num_frames: anyInteger,
  aspect_ratio: oneOf('21:9', '16:9', '4:3', '1:1', '3:4', '9:16'),
}
const seedanceTall = { aspect_ratio: oneOf('21:9', '16:9', '4:3', '1:1', '3:4', '9:16', '9:21') }
const seedanceImage: BodySchema = {
  ...seedance,
  image_url: image,
  aspect_ratio: oneOf('auto', '21:9', '16:9', '4:3', '1:1', '3:4', '9:16'),
}

const hailuo: BodySchema = { prompt, prompt_optimizer: anyBoolean }
const hailuoSeconds = { duration: oneOf('6', '10') }
const hailuoImage: BodySchema = { ...hailuo, image_url: image }

const sora: BodySchema = {
  prompt,
  duration: { type: 'integer', enum: [4, 8, 12, 16, 20] },
  aspect_ratio: oneOf('16:9', '9:16'),
  resolution: oneOf('720p'),
  delete_video: anyBoolean,
  detect_and_block_ip: anyBoolean,
  character_ids: { type: 'array', max: 2 },
}
const soraModel = { model: anyString }
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
  generate_audio: anyBoolean,
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
  negative_prompt: anyString,
  seed,
}
const pixverseText: BodySchema = { ...pixverse, aspect_ratio: oneOf('16:9', '4:3', '1:1', '3:4', '9:16') }
const pixverseCamera = oneOf(
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
  enable_prompt_expansion: anyBoolean,
  audio_url: { type: 'media' },
  enable_safety_checker: anyBoolean,
}

const hunyuan: BodySchema = { prompt, seed, aspect_ratio: oneOf('16:9', '9:16') }

const animate: BodySchema = {
  image_url: image,
  video_url: link,
  resolution: oneOf('480p', '580p', '720p'),
  seed,
  num_inference_steps: anyInteger,
  guidance_scale: anyNumber,
  shift: { type: 'number', min: 1, max: 10 },
  use_turbo: anyBoolean,
  return_frames_zip: anyBoolean,
  enable_safety_checker: anyBoolean,
  enable_output_safety_checker: anyBoolean,
  video_quality: wanQuality.video_quality,
  video_write_mode: wanQuality.video_write_mode,
}

const klingCommon: BodySchema = {
  // Longer prompts failed in a public live test; that it was a Kling endpoint is inferred.
  prompt: { ...prompt, maxLength: 2500 },
  duration: oneOf('5', '10'),
  negative_prompt: anyString,
  cfg_scale: { type: 'number', min: 0, max: 1 },
}

const kling: BodySchema = { ...klingCommon, aspect_ratio: oneOf('16:9', '9:16', '1:1') }
const klingImage: BodySchema = { ...klingCommon, image_url: image }

const lipsyncText: BodySchema = {
  text: { ...prompt, maxLength: 120 },
  video_url: link,
  voice_id: {
    ...oneOf(
      ...['genshin_vindi2', 'zhinen_xuesheng', 'AOT', 'ai_shatang', 'genshin_klee2', 'genshin_kirara'],
      ...['ai_kaiya', 'oversea_male1', 'ai_chenjiahao_712', 'girlfriend_4_speech02', 'chat1_female_new-3'],
      ...['chat_0407_5-1', 'cartoon-boy-07', 'uk_boy1', 'cartoon-girl-01', 'PeppaPig_platform'],
      ...['ai_huangzhong_712', 'ai_huangyaoshi_712', 'ai_laoguowang_712', 'chengshu_jiejie', 'you_pingjing'],
      ...['calm_story1', 'uk_man2', 'laopopo_speech02', 'heainainai_speech02', 'reader_en_m-v1'],
      ...['commercial_lady_en_f-v1', 'tiyuxi_xuedi', 'tiexin_nanyou', 'girlfriend_1_speech02'],
      ...['girlfriend_2_speech02', 'zhuxi_speech02', 'uk_oldman3', 'dongbeilaotie_speech02'],
      ...['chongqingxiaohuo_speech02', 'chuanmeizi_speech02', 'chaoshandashu_speech02'],
      ...['ai_taiwan_man2_speech02', 'xianzhanggui_speech02', 'tianjinjiejie_speech02'],
      ...['diyinnansang_DB_CN_M_04-v2', 'yizhipiannan-v1', 'guanxiaofang-v2', 'tianmeixuemei-v1'],
      ...['daopianyansang-v1', 'mengwa-v1'],
    ),
    required: true,
  },
  voice_language: oneOf('zh', 'en'),
  // The range is the one that NanoGPT publishes for this model.
  voice_speed: { type: 'number', min: 0.8, max: 2 },
}

/** Endpoint ID -> its input. */
export const falSchemas: Readonly<Record<string, BodySchema>> = {
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
    negative_prompt: anyString,
    enhance_prompt: anyBoolean,
    auto_fix: anyBoolean,
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
    negative_prompt: anyString,
    num_frames: { type: 'integer', min: 81, max: 100 },
    frames_per_second: { type: 'integer', min: 5, max: 24 },
    seed,
    resolution: oneOf('480p', '720p'),
    num_inference_steps: anyInteger,
    guide_scale: anyNumber,
    shift: anyNumber,
    enable_safety_checker: anyBoolean,
    enable_prompt_expansion: anyBoolean,
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
    prompt: anyString,
    resolution: oneOf('720p', '1080p'),
    turbo_mode: anyBoolean,
  },
  'fal-ai/bytedance-upscaler/upscale/video': {
    video_url: link,
    target_resolution: oneOf('1080p', '2k', '4k'),
    target_fps: oneOf('30fps', '60fps'),
    enhancement_preset: anyString,
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
    pro_mode: anyBoolean,
    resolution: oneOf('480p', '580p', '720p'),
    // The types say text, the page a number.
    num_frames: { type: ['string', 'integer'], enum: ['129', '85', 129, 85] },
    enable_safety_checker: anyBoolean,
    num_inference_steps: anyInteger,
  },
  'fal-ai/hunyuan-video-image-to-video': {
    ...hunyuan,
    image_url: image,
    resolution: oneOf('720p'),
    num_frames: { type: ['string', 'integer'], enum: ['129', 129] },
    i2v_stability: anyBoolean,
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

  ...falKling3Schemas,
  ...falSeedance2Schemas,
  ...falViduSchemas,
  ...falGoogleSchemas,
  ...falGrokSchemas,
  ...falKling26Schemas,
  ...falKlingOmniSchemas,
  ...falAlibabaSchemas,
  ...falH3Schemas,
}
