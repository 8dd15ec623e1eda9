import type { EndpointMapping } from '../../provider.ts'
import { anyBoolean, anyString, type BodySchema, oneOf, requiredPrompt } from '../../schema.ts'
import { createWavespeedMapper, fileUrl, integers, objects, requiredFileUrl } from '../fields.ts'

const shared = { prompt: requiredPrompt, negative_prompt: anyString, duration: integers(5, 10) }
const pro: BodySchema = { ...shared, cfg_scale: { type: 'number', min: 0, max: 1 }, sound: anyBoolean }
const ratio = { aspect_ratio: oneOf('1:1', '9:16', '16:9') }
const motion: BodySchema = {
  image: requiredFileUrl,
  video: requiredFileUrl,
  prompt: anyString,
  negative_prompt: anyString,
  character_orientation: oneOf('image', 'video'),
  keep_original_sound: anyBoolean,
}
const avatar: BodySchema = { image: requiredFileUrl, audio: requiredFileUrl, prompt: anyString }

/** WaveSpeed's list of August 2026. */
export const wavespeedKling26Schemas: Readonly<Record<string, BodySchema>> = {
  'kwaivgi/kling-v2.6-pro/text-to-video': { ...pro, ...ratio },
  'kwaivgi/kling-v2.6-pro/image-to-video': { ...pro, image: requiredFileUrl, end_image: fileUrl },
  'kwaivgi/kling-v2.6-std/text-to-video': { ...shared, ...ratio },
  'kwaivgi/kling-v2.6-std/image-to-video': { ...shared, image: requiredFileUrl },
  'kwaivgi/kling-v2.6-std/motion-control': motion,
  'kwaivgi/kling-v3.0-std/motion-control': { ...motion, element_list: objects(3) },
  'kwaivgi/kling-v3.0-pro/motion-control': { ...motion, element_list: objects(3) },
  'kwaivgi/kling-v2-ai-avatar-standard': avatar,
  'kwaivgi/kling-v2-ai-avatar-pro': avatar,
}

const map = createWavespeedMapper(wavespeedKling26Schemas)

/** Kling 2.6, motion control and avatars. */
export const wavespeedKling26: Readonly<Record<string, EndpointMapping>> = {
  'kling-v26-pro': map({
    text: 'kwaivgi/kling-v2.6-pro/text-to-video',
    image: 'kwaivgi/kling-v2.6-pro/image-to-video',
  }),
  'kling-v26-std': map({
    text: 'kwaivgi/kling-v2.6-std/text-to-video',
    image: 'kwaivgi/kling-v2.6-std/image-to-video',
  }),
  'kling-v26-std-motion-control': map({ video: 'kwaivgi/kling-v2.6-std/motion-control' }),
  'kling-v30-std-motion-control': map({ video: 'kwaivgi/kling-v3.0-std/motion-control' }),
  'kling-v30-pro-motion-control': map({ video: 'kwaivgi/kling-v3.0-pro/motion-control' }),
  'kling-v2-avatar-standard': map({ image: 'kwaivgi/kling-v2-ai-avatar-standard' }),
  'kling-v2-avatar-pro': map({ image: 'kwaivgi/kling-v2-ai-avatar-pro' }),
}
