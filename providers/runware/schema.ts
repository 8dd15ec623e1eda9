import { anyBoolean, anyString, type BodySchema, type FieldSchema, oneOf } from '../schema.ts'
import { promptText } from './fields.ts'
import { runwareAlibabaSchemas } from './models/alibaba.ts'
import { runwareGoogleSchemas } from './models/google.ts'
import { runwareGrokSchemas } from './models/grok.ts'
import { runwareH3Schemas } from './models/h3.ts'
import { runwareKlingOmniSchemas } from './models/kling-omni.ts'
import { runwareKling3Schemas } from './models/kling3.ts'
import { runwareSeedance2Schemas } from './models/seedance2.ts'
import { runwareViduSchemas } from './models/vidu.ts'
import type { RunwareSchema } from './task-schema.ts'

/** Fields of every video task. */
export const runwareCommonFields: BodySchema = {
  taskType: anyString,
  taskUUID: anyString,
  model: anyString,
  deliveryMethod: oneOf('async'),
  inputs: { type: 'object' },
  numberResults: { type: 'integer', min: 1, max: 4 },
  includeCost: anyBoolean,
  outputType: oneOf('URL'),
  outputFormat: oneOf('MP4', 'WEBM', 'MOV'),
  outputQuality: { type: 'integer', min: 20, max: 99 },
  ttl: { type: 'integer', min: 60 },
  webhookURL: { type: 'url' },
  uploadEndpoint: { type: 'url' },
  safety: { type: 'object', fields: { checkContent: anyBoolean, mode: oneOf('none', 'fast', 'full') } },
  providerSettings: { type: 'object' },
  settings: { type: 'object' },
}

const large = ['1920x1080', '1080x1080', '1080x1920']
const pixels = { width: { type: 'integer' }, height: { type: 'integer' } } as const
/** The 2025 pages name the smallest seed and no largest one. */
const seed = { type: 'integer', min: 1 } as const
const guidance = { CFGScale: { type: 'number', min: 0, max: 1 } } as const

function seconds(...values: readonly number[]): FieldSchema {
  return { type: 'number', enum: values }
}

function prompt(maxLength: number): BodySchema {
  return { positivePrompt: { ...promptText(maxLength), required: true } }
}

const klingPrompts: BodySchema = { ...prompt(2500), negativePrompt: promptText(2500) }

const kling: RunwareSchema = {
  fields: { ...klingPrompts, ...pixels, ...guidance, duration: seconds(5, 10) },
  sizes: large,
  sizing: 'always',
}

const pixverse: RunwareSchema = {
  fields: {
    ...prompt(2048),
    negativePrompt: promptText(2048),
    ...pixels,
    resolution: oneOf('360p', '540p', '720p', '1080p'),
    seed,
    duration: seconds(5, 8),
  },
  sizes: [
    ...['640x360', '480x360', '360x360', '360x480', '360x640'],
    ...['960x540', '720x540', '540x540', '540x720', '540x960'],
    ...['1280x720', '960x720', '720x720', '720x960', '720x1280'],
    ...['1920x1080', '1440x1080', '1080x1080', '1080x1440', '1080x1920'],
  ],
  sizing: 'frame',
  settings: {
    style: oneOf('anime', '3d_animation', 'clay', 'comic', 'cyberpunk'),
    motionMode: oneOf('normal', 'fast'),
    soundEffectSwitch: anyBoolean,
    soundEffectContent: promptText(2048),
    effect: oneOf(
      ...['bikini up', 'the tigers touch', 'jiggle jiggle', 'hug your love', 'kiss me ai', 'subject 3 fever'],
      ...['fin-tastic mermaid', 'lets ymca', 'skeleton dance', 'kungfu club', 'boom drop'],
      ...['vroom vroom step', 'creepy devil smile', 'pubg winner hit', '360 microwave'],
      ...['eye zoom challenge', 'muscle surge', 'punch face', 'balloon belly', 'kiss kiss'],
    ),
    cameraMovement: oneOf(
      ...['horizontal_left', 'horizontal_right', 'vertical_up', 'vertical_down', 'zoom_in', 'zoom_out'],
      ...['auto_camera', 'crane_up', 'quickly_zoom_in', 'quickly_zoom_out', 'smooth_zoom_in'],
      ...['camera_rotation', 'robo_arm', 'super_dolly_out', 'whip_pan', 'hitchcock', 'left_follow'],
      ...['right_follow', 'pan_left', 'pan_right', 'fix_bg'],
    ),
  },
  exclusive: ['effect', 'cameraMovement'],
}

/** AIR ID -> what the model takes. */
export const runwareSchemas: Readonly<Record<string, RunwareSchema>> = {
  'klingai:5@1': {
    // Its page and schema list no prompt; public programs send one. The limits are those of its siblings.
    fields: { ...prompt(2500), ...pixels, ...guidance, duration: seconds(5, 10) },
    sizes: ['1280x720', '720x720', '720x1280'],
    sizing: 'always',
    needsFrame: true,
  },
  'klingai:5@2': { ...kling, needsFrame: true },
  'klingai:5@3': kling,
  'klingai:6@0': {
    fields: { ...klingPrompts, ...guidance, duration: seconds(5, 10) },
    sizing: 'never',
    needsFrame: true,
  },
  'google:3@1': {
    fields: { ...prompt(3000), ...pixels, seed, duration: seconds(4, 6, 8) },
    sizes: ['1280x720', '720x1280', '1920x1080', '1080x1920'],
    sizing: 'always',
    settings: { generateAudio: anyBoolean },
  },
  'vidu:1@1': {
    fields: { ...prompt(3000), ...pixels, seed, duration: seconds(5) },
    sizes: large,
    sizing: 'always',
    settings: {
      style: oneOf('general', 'anime'),
      movementAmplitude: oneOf('auto', 'small', 'medium', 'large'),
    },
    withoutFrame: 'style',
  },
  'pixverse:1@3': pixverse,
  'pixverse:1@5': pixverse,
  ...runwareKling3Schemas,
  ...runwareSeedance2Schemas,
  ...runwareViduSchemas,
  ...runwareGoogleSchemas,
  ...runwareGrokSchemas,
  ...runwareKlingOmniSchemas,
  ...runwareAlibabaSchemas,
  ...runwareH3Schemas,
}
