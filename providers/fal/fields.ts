import type { Field } from '../input.ts'
import type { BodySchema, FieldSchema } from '../schema.ts'
import { createSchemaMapper } from '../schema-mapping.ts'

/** FAL's name of a field -> ours, where they differ. */
export const falFieldNames: Readonly<Record<string, Field>> = {
  text: 'prompt',
  image_url: 'image',
  start_image_url: 'image',
  first_frame_url: 'image',
  last_frame_url: 'last_image',
  tail_image_url: 'last_image',
  end_image_url: 'last_image',
  image_urls: 'referenceImages',
  reference_image_urls: 'referenceImages',
  video_url: 'video',
  video_urls: 'referenceVideos',
  reference_video_urls: 'referenceVideos',
  audio_url: 'audio',
  audio_urls: 'referenceAudios',
  reference_audio_urls: 'referenceAudios',
  generate_audio: 'generateAudio',
  generate_audio_switch: 'generateAudio',
  enable_audio: 'generateAudio',
  enhance_prompt: 'enhancePrompt',
  prompt_optimizer: 'enhancePrompt',
  enable_prompt_expansion: 'enhancePrompt',
  prompt_expansion_mode: 'enhancePrompt',
  enable_web_search: 'enableWebSearch',
  guidance_scale: 'cfg_scale',
  fps: 'frames_per_second',
  camera_movement: 'cameraMovement',
  movement_amplitude: 'movementAmplitude',
  target_resolution: 'resolution',
  shot_type: 'shotType',
  multi_shots: 'shotType',
  multi_prompt: 'multiPrompt',
  thinking_type: 'thinkingMode',
  character_orientation: 'characterOrientation',
  keep_audio: 'keepOriginalSound',
  keep_original_sound: 'keepOriginalSound',
  audio_setting: 'keepOriginalSound',
}

/** Maps models to endpoints whose fields are known. */
export function createFalMapper(schemas: Readonly<Record<string, BodySchema>>) {
  return createSchemaMapper({ title: 'FAL', schemas, fieldNames: falFieldNames })
}

export const requiredMediaFile = { type: 'media', required: true } as const satisfies FieldSchema
export const mediaFile = { type: 'media' } as const satisfies FieldSchema

export function mediaFiles(max: number): FieldSchema {
  return { type: 'array', max, items: { type: 'media' } }
}

/** Most families take whole seconds as text. */
export function secondsAsText(min: number, max: number): FieldSchema {
  return { type: 'string', enum: Array.from({ length: max - min + 1 }, (_, offset) => String(min + offset)) }
}
