import type { EndpointMapping } from '../../provider.ts'
import { anyBoolean, anyString, type BodySchema, oneOf } from '../../schema.ts'
import { createFalMapper, mediaFile, requiredMediaFile, secondsAsText } from '../fields.ts'

const shared = {
  prompt: anyString,
  negative_prompt: anyString,
  cfg_scale: { type: 'number', min: 0, max: 1 },
  duration: secondsAsText(3, 15),
  generate_audio: anyBoolean,
  multi_prompt: { type: 'array', items: { type: 'object' } },
  shot_type: oneOf('customize', 'intelligent'),
} as const satisfies BodySchema
const fromText: BodySchema = { ...shared, aspect_ratio: oneOf('16:9', '9:16', '1:1') }
const fromImage: BodySchema = { ...shared, start_image_url: requiredMediaFile, end_image_url: mediaFile }

/** FAL's client package of May 2026; the image endpoint of Standard by that of Pro. */
export const falKling3Schemas: Readonly<Record<string, BodySchema>> = {
  'fal-ai/kling-video/v3/pro/text-to-video': fromText,
  'fal-ai/kling-video/v3/pro/image-to-video': fromImage,
  'fal-ai/kling-video/v3/standard/text-to-video': fromText,
  'fal-ai/kling-video/v3/standard/image-to-video': fromImage,
}

const map = createFalMapper(falKling3Schemas)

export const falKling3: Readonly<Record<string, EndpointMapping>> = {
  'kling-v30-pro': map({
    text: 'fal-ai/kling-video/v3/pro/text-to-video',
    image: 'fal-ai/kling-video/v3/pro/image-to-video',
  }),
  'kling-v30-std': map({
    text: 'fal-ai/kling-video/v3/standard/text-to-video',
    image: 'fal-ai/kling-video/v3/standard/image-to-video',
  }),
}
