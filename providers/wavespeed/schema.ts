import { anyBoolean, anyString, type BodySchema, oneOf } from '../schema.ts'
import { wavespeedAlibabaSchemas } from './models/alibaba.ts'
import { wavespeedGoogleSchemas } from './models/google.ts'
import { wavespeedGrokSchemas } from './models/grok.ts'
import { wavespeedH3Schemas } from './models/h3.ts'
import { wavespeedKlingOmniSchemas } from './models/kling-omni.ts'
import { wavespeedKling3Schemas } from './models/kling3.ts'
import { wavespeedKling26Schemas } from './models/kling26.ts'
import { lumaSchemas } from './models/luma.ts'
import { wavespeedSeedance2Schemas } from './models/seedance2.ts'
import { wavespeedViduSchemas } from './models/vidu.ts'

const url = { type: 'url', required: true } as const
const media = { type: 'media', required: true } as const
const seed = { type: 'integer', min: -1, max: 2147483647 } as const
const prompt = { type: 'string', required: true } as const
const integers = (...values: number[]) => ({ type: 'integer', enum: values }) as const

const tiers = oneOf('480p', '720p')
const ratios = oneOf('16:9', '4:3', '1:1', '3:4', '9:16')
const soraSeconds = integers(4, 8, 12, 16, 20)
const soraPro = oneOf('720*1280', '1280*720', '1024*1792', '1792*1024', '1920*1080', '1080*1920')
const voices = oneOf(
  ...[
    'genshin_vindi2',
    'zhinen_xuesheng',
    'AOT',
    'ai_shatang',
    'genshin_klee2',
    'genshin_kirara',
    'ai_kaiya',
  ],
  ...['oversea_male1', 'ai_chenjiahao_712', 'girlfriend_4_speech02', 'chat1_female_new-3', 'chat_0407_5-1'],
  ...['cartoon-boy-07', 'uk_boy1', 'cartoon-girl-01', 'PeppaPig_platform', 'ai_huangzhong_712'],
  ...['ai_huangyaoshi_712', 'ai_laoguowang_712', 'chengshu_jiejie', 'you_pingjing', 'calm_story1', 'uk_man2'],
  ...['laopopo_speech02', 'heainainai_speech02'],
)

const veo = {
  prompt,
  aspect_ratio: oneOf('16:9', '9:16'),
  duration: integers(8, 4, 6),
  resolution: oneOf('720p', '1080p', '4k'),
  generate_audio: anyBoolean,
  negative_prompt: anyString,
  seed,
}
const plus = { duration: integers(5), enable_prompt_expansion: anyBoolean, negative_prompt: anyString, seed }
const wan22 = { prompt, negative_prompt: anyString, duration: integers(5, 8), seed }
const wan25 = {
  prompt,
  negative_prompt: anyString,
  audio: { type: 'media' },
  enable_prompt_expansion: anyBoolean,
  seed,
} as const
const ltxPrompt = { ...prompt, maxLength: 5000 }
const ltxFast = {
  prompt: ltxPrompt,
  duration: integers(6, 8, 10, 12, 14, 16, 18, 20),
  generate_audio: anyBoolean,
}
const ltxPro = { prompt: ltxPrompt, duration: integers(6, 8, 10), generate_audio: anyBoolean }
const seedance = {
  prompt,
  resolution: oneOf('480p', '720p', '1080p'),
  duration: { type: 'integer', min: 2, max: 12 },
  aspect_ratio: oneOf('21:9', '16:9', '4:3', '1:1', '3:4', '9:16'),
  camera_fixed: anyBoolean,
  seed,
} as const
const kling = {
  prompt: { ...prompt, maxLength: 2500 },
  negative_prompt: anyString,
  duration: integers(5, 10),
  guidance_scale: { type: 'number', min: 0, max: 1 },
} as const
const hailuo = { prompt: { type: 'string', maxLength: 2000 }, enable_prompt_expansion: anyBoolean } as const
const hailuoText = { ...hailuo, prompt: { ...hailuo.prompt, required: true } } as const

/** Path -> the fields it takes, as WaveSpeed's list showed them in August 2026 (pages of 2025 for the retired ones). */
export const wavespeedSchemas: Readonly<Record<string, BodySchema>> = {
  'openai/sora-2/text-to-video': { prompt, size: oneOf('720*1280', '1280*720'), duration: soraSeconds },
  'openai/sora-2/text-to-video-pro': { prompt, size: soraPro, duration: soraSeconds },
  'openai/sora-2/image-to-video': { prompt, image: url, duration: soraSeconds },
  'openai/sora-2/image-to-video-pro': {
    prompt,
    image: url,
    duration: soraSeconds,
    resolution: oneOf('720p', '1080p'),
  },
  'google/veo3.1/text-to-video': veo,
  'google/veo3.1/image-to-video': { ...veo, image: url, last_image: { type: 'url' } },
  'wavespeed-ai/wan-2.2/speech-to-video': {
    image: url,
    audio: url,
    prompt: anyString,
    resolution: tiers,
    seed,
  },
  'veed/fabric-1.0': { image: url, audio: url, resolution: tiers },
  'bytedance/avatar-omni-human-1.5': { image: media, audio: media, enable_base64_output: anyBoolean },
  'kwaivgi/kling-lipsync/text-to-video': {
    video: url,
    text: { type: 'string', required: true, maxLength: 120 },
    voice_id: { ...voices, required: true },
    voice_language: oneOf('zh', 'en'),
    voice_speed: { type: 'number', min: 0.8, max: 2 },
  },
  'kwaivgi/kling-lipsync/audio-to-video': { audio: url, video: url },
  'wavespeed-ai/wan-2.2/video-edit': { prompt, video: url, resolution: tiers, seed },
  'wavespeed-ai/wan-2.2-spicy/video-extend': {
    prompt,
    video: media,
    resolution: tiers,
    duration: integers(5, 8),
    seed,
  },
  'alibaba/wan-2.2/t2v-plus-480p': { ...plus, prompt, size: oneOf('832*480', '480*832') },
  'alibaba/wan-2.2/t2v-plus-1080p': { ...plus, prompt, size: oneOf('1920*1080', '1080*1920') },
  'alibaba/wan-2.2/i2v-plus-480p': { ...plus, prompt: anyString, image: url },
  'alibaba/wan-2.2/i2v-plus-1080p': { ...plus, prompt, image: url },
  'wavespeed-ai/wan-2.2/t2v-720p': { ...wan22, size: oneOf('1280*720', '720*1280') },
  'wavespeed-ai/wan-2.2/i2v-720p': { ...wan22, image: url, last_image: { type: 'url' } },
  'wavespeed-ai/wan-2.2/animate': {
    image: url,
    video: url,
    prompt: anyString,
    mode: oneOf('animate', 'replace'),
    resolution: tiers,
    seed,
  },
  'alibaba/wan-2.5/text-to-video': {
    ...wan25,
    size: oneOf('832*480', '480*832', '1280*720', '720*1280', '1920*1080', '1080*1920'),
    duration: integers(5, 10),
  },
  'alibaba/wan-2.5/image-to-video': {
    ...wan25,
    image: url,
    resolution: oneOf('480p', '720p', '1080p'),
    duration: { type: 'integer', min: 3, max: 10 },
  },
  'lightricks/ltx-2-fast/text-to-video': ltxFast,
  'lightricks/ltx-2-fast/image-to-video': { ...ltxFast, image: url },
  'lightricks/ltx-2-pro/text-to-video': ltxPro,
  'lightricks/ltx-2-pro/image-to-video': { ...ltxPro, image: url },
  'runwayml/gen4-aleph': { prompt, video: url, aspect_ratio: ratios, reference_image: { type: 'url' } },
  'wavespeed-ai/video-upscaler': {
    video: url,
    target_resolution: oneOf('720p', '1080p', '2k', '4k'),
    copy_audio: anyBoolean,
  },
  'bytedance/video-upscaler': { video: url, target_resolution: oneOf('1080p', '2k', '4k') },
  'bytedance/waver-1.0': { prompt, image: url, seed },
  'bytedance/seedance-v1-pro-fast/text-to-video': seedance,
  'bytedance/seedance-v1-pro-fast/image-to-video': {
    ...seedance,
    prompt: { ...prompt, maxLength: 2000 },
    image: url,
  },
  'kwaivgi/kling-v2.5-turbo-pro/text-to-video': { ...kling, aspect_ratio: oneOf('1:1', '9:16', '16:9') },
  'kwaivgi/kling-v2.5-turbo-pro/image-to-video': { ...kling, image: url, last_image: { type: 'url' } },
  'kwaivgi/kling-v2.5-turbo-std/image-to-video': { ...kling, image: media },
  'minimax/hailuo-2.3/t2v-standard': { ...hailuoText, duration: integers(6, 10) },
  'minimax/hailuo-2.3/i2v-standard': { ...hailuo, image: media, duration: integers(6, 10) },
  'minimax/hailuo-2.3/t2v-pro': hailuoText,
  'minimax/hailuo-2.3/i2v-pro': { ...hailuo, image: media },
  ...wavespeedKling3Schemas,
  ...wavespeedSeedance2Schemas,
  ...lumaSchemas,
  ...wavespeedViduSchemas,
  ...wavespeedGoogleSchemas,
  ...wavespeedGrokSchemas,
  ...wavespeedKling26Schemas,
  ...wavespeedKlingOmniSchemas,
  ...wavespeedAlibabaSchemas,
  ...wavespeedH3Schemas,
}
