import type { EndpointMapping } from '../../provider.ts'
import { anyBoolean, anyString, type BodySchema, oneOf, requiredPrompt } from '../../schema.ts'
import { createFalMapper, mediaFile, requiredMediaFile } from '../fields.ts'

const shared = {
  prompt: requiredPrompt,
  negative_prompt: anyString,
  duration: oneOf('5', '10'),
  generate_audio: anyBoolean,
} as const
const motion: BodySchema = {
  image_url: requiredMediaFile,
  video_url: requiredMediaFile,
  prompt: anyString,
  character_orientation: { ...oneOf('image', 'video'), required: true },
  keep_original_sound: anyBoolean,
}
const avatar: BodySchema = { image_url: requiredMediaFile, audio_url: requiredMediaFile, prompt: anyString }

/** FAL's client package of May 2026. */
export const falKling26Schemas: Readonly<Record<string, BodySchema>> = {
  'fal-ai/kling-video/v2.6/pro/text-to-video': {
    ...shared,
    aspect_ratio: oneOf('16:9', '9:16', '1:1'),
    cfg_scale: { type: 'number', min: 0, max: 1 },
  },
  'fal-ai/kling-video/v2.6/pro/image-to-video': {
    ...shared,
    start_image_url: requiredMediaFile,
    end_image_url: mediaFile,
  },
  'fal-ai/kling-video/v2.6/standard/motion-control': motion,
  'fal-ai/kling-video/v3/standard/motion-control': motion,
  'fal-ai/kling-video/v3/pro/motion-control': motion,
  'fal-ai/kling-video/ai-avatar/v2/standard': avatar,
  'fal-ai/kling-video/ai-avatar/v2/pro': avatar,
}

const map = createFalMapper(falKling26Schemas)

/** Kling 2.6, motion control and avatars. */
export const falKling26: Readonly<Record<string, EndpointMapping>> = {
  'kling-v26-pro': map({
    text: 'fal-ai/kling-video/v2.6/pro/text-to-video',
    image: 'fal-ai/kling-video/v2.6/pro/image-to-video',
  }),
  'kling-v26-std-motion-control': map({ video: 'fal-ai/kling-video/v2.6/standard/motion-control' }),
  'kling-v30-std-motion-control': map({ video: 'fal-ai/kling-video/v3/standard/motion-control' }),
  'kling-v30-pro-motion-control': map({ video: 'fal-ai/kling-video/v3/pro/motion-control' }),
  'kling-v2-avatar-standard': map({ image: 'fal-ai/kling-video/ai-avatar/v2/standard' }),
  'kling-v2-avatar-pro': map({ image: 'fal-ai/kling-video/ai-avatar/v2/pro' }),
}
