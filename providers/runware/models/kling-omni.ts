import type { EndpointMapping } from '../../provider.ts'
import { anyBoolean } from '../../schema.ts'
import { promptText } from '../fields.ts'
import { createRunwareMapper } from '../schema-mapping.ts'
import type { RunwareSchema } from '../task-schema.ts'

const pixels = { width: { type: 'integer' }, height: { type: 'integer' } } as const
const sizesOfPro = { '1080p': { '16:9': '1920x1080', '1:1': '1440x1440', '9:16': '1080x1920' } }
const sizesOfStandard = { '720p': { '16:9': '1280x720', '1:1': '960x960', '9:16': '720x1280' } }

const o1: RunwareSchema = {
  fields: {
    positivePrompt: { ...promptText(2500), required: true },
    ...pixels,
    duration: { type: 'integer', min: 3, max: 10 },
  },
  sizing: 'frame',
  isSizedByReferences: true,
  takesFrames: true,
  inputs: {
    referenceImages: { type: 'array', max: 7, items: { type: 'media' } },
    referenceVideos: { type: 'array', max: 1, items: { type: 'url' } },
    video: { type: 'url' },
  },
  settings: { keepOriginalSound: anyBoolean },
}
const o3: RunwareSchema = {
  fields: {
    positivePrompt: promptText(2500),
    ...pixels,
    duration: { type: 'integer', min: 3, max: 15 },
  },
  sizing: 'frame',
  takesFrames: true,
  settings: { sound: anyBoolean },
}
const kling26: RunwareSchema = {
  fields: {
    positivePrompt: { ...promptText(2500), required: true },
    negativePrompt: promptText(2500),
    ...pixels,
    duration: { type: 'number', enum: [5, 10] },
    CFGScale: { type: 'number', min: 0, max: 1 },
  },
  sizing: 'frame',
  takesFrames: true,
  settings: { sound: anyBoolean },
  sizeTable: sizesOfPro,
}
const avatar: RunwareSchema = {
  fields: { positivePrompt: promptText(2500) },
  sizing: 'never',
  inputs: { image: { type: 'media', required: true }, audio: { type: 'media', required: true } },
}

/** Runware's model pages of October 2026. */
export const runwareKlingOmniSchemas: Readonly<Record<string, RunwareSchema>> = {
  'klingai:kling@o1': { ...o1, sizeTable: sizesOfPro },
  'klingai:kling@o1-standard': { ...o1, sizeTable: sizesOfStandard },
  'klingai:kling-video@o3-pro': { ...o3, sizeTable: sizesOfPro },
  'klingai:kling-video@o3-standard': { ...o3, sizeTable: sizesOfStandard },
  'klingai:kling-video@2.6-pro': kling26,
  'klingai:avatar@2.0-standard': avatar,
  'klingai:avatar@2.0-pro': avatar,
}

const map = createRunwareMapper(runwareKlingOmniSchemas)
const inferredSettings = {
  note: 'The name of the setting for audio, `sound`, is inferred from the price list.',
}
const inferredInputs = { note: 'The names of the files, `inputs.image` and `inputs.audio`, are inferred.' }

function everyOperation(model: string): EndpointMapping {
  return map({ text: model, image: model, reference: model, edit: model })
}

/** Kling O1, O3, 2.6 and avatars. */
export const runwareKlingOmni: Readonly<Record<string, EndpointMapping>> = {
  'kling-video-o1': everyOperation('klingai:kling@o1'),
  'kling-video-o1-standard': everyOperation('klingai:kling@o1-standard'),
  'kling-o3-pro': map(
    { text: 'klingai:kling-video@o3-pro', image: 'klingai:kling-video@o3-pro' },
    inferredSettings,
  ),
  'kling-o3-std': map(
    { text: 'klingai:kling-video@o3-standard', image: 'klingai:kling-video@o3-standard' },
    inferredSettings,
  ),
  'kling-v26-pro': map(
    { text: 'klingai:kling-video@2.6-pro', image: 'klingai:kling-video@2.6-pro' },
    inferredSettings,
  ),
  'kling-v2-avatar-standard': map({ image: 'klingai:avatar@2.0-standard' }, inferredInputs),
  'kling-v2-avatar-pro': map({ image: 'klingai:avatar@2.0-pro' }, inferredInputs),
}
