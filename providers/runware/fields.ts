import type { Field } from '../input.ts'
import type { FieldSchema } from '../schema.ts'

/** Runware's name of a field -> ours, where they differ. */
export const runwareFieldNames: Readonly<Record<string, Field>> = {
  positivePrompt: 'prompt',
  negativePrompt: 'negative_prompt',
  CFGScale: 'cfg_scale',
  fps: 'frames_per_second',
  steps: 'num_inference_steps',
  soundEffectContent: 'soundEffectPrompt',
}

/** The same below `inputs`. */
export const inputNames: Readonly<Record<string, Field>> = {}

/** The same below `settings` or `providerSettings`. */
export const settingNames: Readonly<Record<string, Field>> = {
  audio: 'generateAudio',
  sound: 'generateAudio',
  promptExtend: 'enhancePrompt',
  promptOptimizer: 'enhancePrompt',
  promptUpsampling: 'enhancePrompt',
  webSearch: 'enableWebSearch',
  cameraFixed: 'camera_fixed',
  keepOriginalSound: 'keepOriginalSound',
  thinking: 'thinkingMode',
}

/** Every prompt has at least two characters; the longest one differs by model. */
export function promptText(maxLength: number): FieldSchema {
  return { type: 'string', minLength: 2, maxLength }
}

export const pixels = { width: { type: 'integer' }, height: { type: 'integer' } } as const

/** The pages of 2025 name the smallest seed and no largest one. */
export const runwareSeed = { type: 'integer', min: 1 } as const satisfies FieldSchema
