import type { Field } from '../input.ts'
import type { BodySchema, FieldSchema } from '../schema.ts'
import { createSchemaMapper } from '../schema-mapping.ts'

/** WaveSpeed's name of a field -> ours, where they differ. */
export const wavespeedFieldNames: Readonly<Record<string, Field>> = {
  text: 'prompt',
  end_image: 'last_image',
  images: 'referenceImages',
  reference_image: 'referenceImages',
  reference_images: 'referenceImages',
  videos: 'referenceVideos',
  reference_videos: 'referenceVideos',
  reference_audios: 'referenceAudios',
  generate_audio: 'generateAudio',
  generate_audio_switch: 'generateAudio',
  sound: 'generateAudio',
  enable_audio: 'generateAudio',
  enable_prompt_expansion: 'enhancePrompt',
  enable_web_search: 'enableWebSearch',
  guidance_scale: 'cfg_scale',
  target_resolution: 'resolution',
  resolution_ratio: 'aspect_ratio',
  movement_amplitude: 'movementAmplitude',
  shot_type: 'shotType',
  multi_prompt: 'multiPrompt',
  element_list: 'elements',
  thinking_type: 'thinkingMode',
  thinking_mode: 'thinkingMode',
  character_orientation: 'characterOrientation',
  keep_original_sound: 'keepOriginalSound',
  audio_setting: 'keepOriginalSound',
}

/** Maps models to endpoints whose fields are known. */
export function createWavespeedMapper(schemas: Readonly<Record<string, BodySchema>>) {
  return createSchemaMapper({ title: 'WaveSpeed', schemas, fieldNames: wavespeedFieldNames })
}

export const requiredFileUrl = { type: 'url', required: true } as const satisfies FieldSchema
export const fileUrl = { type: 'url' } as const satisfies FieldSchema
export const wavespeedSeed = { type: 'integer', min: -1, max: 2147483647 } as const satisfies FieldSchema

export function fileUrls(max: number): FieldSchema {
  return { type: 'array', max, items: { type: 'url' } }
}

export function objects(max: number): FieldSchema {
  return { type: 'array', max, items: { type: 'object' } }
}

export function integers(...values: number[]): FieldSchema {
  return { type: 'integer', enum: values }
}

export function between(min: number, max: number): FieldSchema {
  return { type: 'integer', min, max }
}
