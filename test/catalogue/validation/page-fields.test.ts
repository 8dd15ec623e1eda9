import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matchFieldName } from '../../../src/catalogue/fields.ts'
import { models } from '../../../src/catalogue/models/index.ts'

/** Every request field of the public page's three tables, as it spells them. */
const page = [
  ...[
    'prompt',
    'negative_prompt',
    'script',
    'storyConfig',
    'duration',
    'seconds',
    'aspect_ratio',
    'orientation',
    'resolution',
    'size',
  ],
  ...[
    'generateAudio',
    'enhancePrompt',
    'pro_mode',
    'pro',
    'enable_prompt_expansion',
    'enable_safety_checker',
    'camera_fix',
    'camera_fixed',
  ],
  ...[
    'cameraFixed',
    'seed',
    'voice_id',
    'voice_language',
    'voice_speed',
    'videoDuration',
    'billedDuration',
    'adjust_fps_for_interpolation',
  ],
  ...[
    'imageDataUrl',
    'imageUrl',
    'image',
    'reference_image',
    'audioDataUrl',
    'audioUrl',
    'audio',
    'video',
    'videoUrl',
    'swapImage',
    'targetVideo',
  ],
  ...[
    'targetFaceIndex',
    'num_frames',
    'frames_per_second',
    'num_inference_steps',
    'guidance_scale',
    'shift',
    'interpolator_model',
  ],
  ...[
    'num_interpolated_frames',
    'movementAmplitude',
    'motion',
    'style',
    'effectType',
    'effect',
    'cameraMovement',
    'motionMode',
  ],
  ...['soundEffectSwitch', 'soundEffectPrompt', 'mode', 'prompt_optimizer'],
]

for (const name of page) {
  test(`${name} is taken by at least one model`, () => {
    const meaning = matchFieldName(name)
    if (meaning === undefined || meaning === 'metadata') assert.fail(`${name} is not in the vocabulary`)
    const { field } = meaning
    assert.ok(
      models.some(({ fields }) => fields[field] !== undefined),
      `no model takes ${field}`,
    )
  })
}
