import type { EndpointMapping } from '../../provider.ts'
import { anyBoolean, type FieldSchema, oneOf } from '../../schema.ts'
import { pixels, promptText, runwareSeed } from '../fields.ts'
import { createRunwareMapper } from '../schema-mapping.ts'
import type { RunwareSchema } from '../task-schema.ts'

const requiredPrompt: FieldSchema = { ...promptText(3000), required: true }
const images: FieldSchema = { type: 'array', max: 7, items: { type: 'media' } }

const viduSizes = {
  '360p': { '16:9': '640x352', '4:3': '544x400', '1:1': '480x480', '3:4': '400x544', '9:16': '352x640' },
  '540p': { '16:9': '960x528', '4:3': '816x608', '1:1': '720x720', '3:4': '608x816', '9:16': '528x960' },
  '720p': { '16:9': '1280x720', '4:3': '1104x816', '1:1': '960x960', '3:4': '816x1104', '9:16': '720x1280' },
  '1080p': {
    ...{ '16:9': '1920x1080', '4:3': '1674x1238', '1:1': '1440x1440' },
    ...{ '3:4': '1238x1674', '9:16': '1080x1920' },
  },
}
const pixverseSizes = {
  '360p': { '16:9': '640x360', '4:3': '480x360', '1:1': '360x360', '3:4': '360x480', '9:16': '360x640' },
  '540p': { '16:9': '960x540', '4:3': '720x540', '1:1': '540x540', '3:4': '540x720', '9:16': '540x960' },
  '720p': { '16:9': '1280x720', '4:3': '960x720', '1:1': '720x720', '3:4': '720x960', '9:16': '720x1280' },
  '1080p': {
    ...{ '16:9': '1920x1080', '4:3': '1440x1080', '1:1': '1080x1080' },
    ...{ '3:4': '1080x1440', '9:16': '1080x1920' },
  },
}
const pixverse: RunwareSchema = {
  fields: {
    positivePrompt: { ...promptText(2048), required: true },
    negativePrompt: promptText(2048),
    ...pixels,
    resolution: oneOf('360p', '540p', '720p', '1080p'),
    duration: { type: 'number', enum: [5, 8, 10] },
    seed: runwareSeed,
  },
  sizing: 'frame',
  takesFrames: true,
  settings: { style: oneOf('anime', '3d_animation', 'clay', 'comic', 'cyberpunk') },
  sizeTable: pixverseSizes,
}

/** Runware's model pages and schemas of October 2026. */
export const runwareViduSchemas: Readonly<Record<string, RunwareSchema>> = {
  'vidu:4@1': {
    fields: {
      positivePrompt: requiredPrompt,
      ...pixels,
      resolution: oneOf('360p', '540p', '720p', '1080p'),
      duration: { type: 'integer', min: 1, max: 16 },
      seed: runwareSeed,
    },
    sizing: 'frame',
    takesFrames: true,
    sizeTable: viduSizes,
  },
  'vidu:3@1': {
    fields: {
      positivePrompt: requiredPrompt,
      ...pixels,
      duration: { type: 'integer', min: 1, max: 10 },
      seed: runwareSeed,
    },
    sizing: 'always',
    takesFrames: true,
    inputs: { referenceImages: images },
    settings: { movementAmplitude: oneOf('auto', 'small', 'medium', 'large') },
    sizeTable: viduSizes,
  },
  'pixverse:1@6': pixverse,
  'pixverse:1@7': pixverse,
  'pixverse:1@8': {
    ...pixverse,
    fields: { ...pixverse.fields, duration: { type: 'integer', min: 1, max: 15 } },
    settings: {
      audio: anyBoolean,
      thinking: oneOf('enabled', 'disabled', 'auto'),
      style: oneOf('anime', '3d_animation', 'clay', 'comic', 'cyberpunk'),
    },
    settingsBelow: null,
  },
  'luma:ray@3.2': {
    fields: {
      positivePrompt: requiredPrompt,
      ...pixels,
      resolution: oneOf('360p', '540p', '720p', '1080p'),
      duration: { type: 'number', enum: [5, 10] },
    },
    sizing: 'frame',
    takesFrames: true,
    inputs: { video: { type: 'url' } },
    settings: { loop: anyBoolean },
    settingsBelow: null,
    sizeTable: {
      '540p': { '16:9': '960x540', '9:16': '540x960' },
      '720p': { '16:9': '1280x720', '9:16': '720x1280' },
      '1080p': { '16:9': '1920x1080', '9:16': '1080x1920' },
    },
  },
  'bfl:flux@3-video': {
    fields: {
      positivePrompt: promptText(3000),
      ...pixels,
      resolution: oneOf('720p', '1080p'),
      duration: { type: 'integer', min: 5, max: 20 },
    },
    sizing: 'frame',
    takesFrames: true,
    settings: { audio: anyBoolean },
    settingsBelow: null,
    sizeTable: {
      '720p': { '16:9': '1280x720', '9:16': '720x1280', '1:1': '960x960' },
      '1080p': { '16:9': '1920x1080', '9:16': '1080x1920', '1:1': '1440x1440' },
    },
  },
}

const map = createRunwareMapper(runwareViduSchemas)
const inferredSettings = 'The names of its settings are inferred.'

function textAndImage(model: string, note?: string): EndpointMapping {
  return map({ text: model, image: model }, note === undefined ? {} : { note })
}

/** Vidu Q2 and Q3, PixVerse from 5.5, Luma Ray 3.2 and FLUX 3. */
export const runwareVidu: Readonly<Record<string, EndpointMapping>> = {
  'vidu-q3': map(
    { text: 'vidu:4@1', image: 'vidu:4@1' },
    {
      optional: ['generateAudio'],
      unsupported: ({ generateAudio }) =>
        generateAudio === false ? 'Runware renders Vidu Q3 with sound only' : undefined,
    },
  ),
  'vidu-q2': map({ image: 'vidu:3@1', reference: 'vidu:3@1' }),
  'pixverse-v6': textAndImage('pixverse:1@8', inferredSettings),
  'pixverse-v56': textAndImage('pixverse:1@7'),
  'pixverse-v55': textAndImage('pixverse:1@6'),
  'luma/agent/ray/v3.2': map(
    { text: 'luma:ray@3.2', image: 'luma:ray@3.2', edit: 'luma:ray@3.2' },
    { note: 'The sizes are inferred from its resolutions.' },
  ),
  'flux-3': map(
    { text: 'bfl:flux@3-video', image: 'bfl:flux@3-video' },
    {
      note: inferredSettings,
      optional: ['variant'],
      unsupported: ({ variant }) => (variant === 'draft' ? 'Runware has no drafts of FLUX 3' : undefined),
    },
  ),
}
