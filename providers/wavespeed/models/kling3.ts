import type { EndpointMapping } from '../../provider.ts'
import { anyBoolean, anyString, type BodySchema, oneOf } from '../../schema.ts'
import { between, createWavespeedMapper, fileUrl, objects, requiredFileUrl } from '../fields.ts'

const guidance = { cfg_scale: { type: 'number', min: 0, max: 1 } } as const
const turbo = { prompt: anyString, duration: between(3, 15), multi_prompt: objects(6), ...guidance }
const full: BodySchema = {
  ...turbo,
  negative_prompt: anyString,
  shot_type: oneOf('customize', 'intelligent'),
  sound: anyBoolean,
}
const ratio = { aspect_ratio: oneOf('16:9', '9:16', '1:1') }
const fullFromText: BodySchema = { ...full, ...ratio }
const fullFromImage: BodySchema = {
  ...full,
  image: requiredFileUrl,
  end_image: fileUrl,
  element_list: objects(3),
}
const turboFromText: BodySchema = { ...turbo, ...ratio }
const turboFromImage: BodySchema = { ...turbo, image: requiredFileUrl }

/** WaveSpeed's list of August 2026. */
export const wavespeedKling3Schemas: Readonly<Record<string, BodySchema>> = {
  'kwaivgi/kling-v3.0-pro/text-to-video': fullFromText,
  'kwaivgi/kling-v3.0-pro/image-to-video': fullFromImage,
  'kwaivgi/kling-v3.0-std/text-to-video': fullFromText,
  'kwaivgi/kling-v3.0-std/image-to-video': fullFromImage,
  'kwaivgi/kling-v3.0-4k/text-to-video': fullFromText,
  'kwaivgi/kling-v3.0-4k/image-to-video': fullFromImage,
  'kwaivgi/kling-v3-turbo-pro/text-to-video': turboFromText,
  'kwaivgi/kling-v3-turbo-pro/image-to-video': turboFromImage,
  'kwaivgi/kling-v3-turbo-std/text-to-video': turboFromText,
  'kwaivgi/kling-v3-turbo-std/image-to-video': turboFromImage,
}

const map = createWavespeedMapper(wavespeedKling3Schemas)

function textAndImage(path: string): EndpointMapping {
  return map({ text: `${path}/text-to-video`, image: `${path}/image-to-video` })
}

export const wavespeedKling3: Readonly<Record<string, EndpointMapping>> = {
  'kling-v30-pro': textAndImage('kwaivgi/kling-v3.0-pro'),
  'kling-v30-std': textAndImage('kwaivgi/kling-v3.0-std'),
  'kling-v3-4k': textAndImage('kwaivgi/kling-v3.0-4k'),
  'kling-v3-turbo-pro': textAndImage('kwaivgi/kling-v3-turbo-pro'),
  'kling-v3-turbo-standard': textAndImage('kwaivgi/kling-v3-turbo-std'),
}
