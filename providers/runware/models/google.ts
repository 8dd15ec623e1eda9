import type { EndpointMapping } from '../../provider.ts'
import { anyBoolean } from '../../schema.ts'
import { pixels, promptText, runwareSeed } from '../fields.ts'
import { createRunwareMapper } from '../schema-mapping.ts'
import type { RunwareSchema } from '../task-schema.ts'

const hd = {
  '720p': { '16:9': '1280x720', '9:16': '720x1280' },
  '1080p': { '16:9': '1920x1080', '9:16': '1080x1920' },
}
const veo: RunwareSchema = {
  fields: {
    positivePrompt: { ...promptText(3000), required: true },
    ...pixels,
    resolution: { type: 'string', enum: ['720p', '1080p', '4K'] },
    duration: { type: 'number', enum: [4, 6, 8] },
    seed: runwareSeed,
  },
  sizing: 'frame',
  takesFrames: true,
  settings: { generateAudio: anyBoolean },
  sizeTable: { ...hd, '4k': { '16:9': '3840x2160', '9:16': '2160x3840' } },
}
const omni: RunwareSchema = {
  fields: {
    positivePrompt: { ...promptText(3000), required: true },
    ...pixels,
    duration: { type: 'integer', min: 3, max: 10 },
  },
  sizing: 'frame',
  takesFrames: true,
  inputs: {
    referenceImages: { type: 'array', max: 7, items: { type: 'media' } },
    video: { type: 'url' },
  },
  sizeTable: { '720p': hd['720p'] },
}

/** Runware's model pages of October 2026. */
export const runwareGoogleSchemas: Readonly<Record<string, RunwareSchema>> = {
  'google:3@3': veo,
  'google:veo@3.1-lite': {
    ...veo,
    fields: { ...veo.fields, resolution: { type: 'string', enum: ['720p', '1080p'] } },
    sizeTable: hd,
  },
  'google:gemini@omni-flash': omni,
  'google:gemini@omni-flash-1.1': omni,
}

const map = createRunwareMapper(runwareGoogleSchemas)

function everyOperation(model: string, note?: string): EndpointMapping {
  const endpoints = { text: model, image: model, reference: model, edit: model }
  return map(endpoints, note === undefined ? {} : { note })
}

/** Veo 3.1 and Gemini Omni. */
export const runwareGoogle: Readonly<Record<string, EndpointMapping>> = {
  'veo3-1-fast-video': map({ text: 'google:3@3', image: 'google:3@3' }),
  'veo3-1-lite-video': map(
    { text: 'google:veo@3.1-lite', image: 'google:veo@3.1-lite' },
    { implied: { generateAudio: true } },
  ),
  'google/gemini-omni-flash': everyOperation('google:gemini@omni-flash'),
  'google/gemini-omni-flash/v1.1': everyOperation(
    'google:gemini@omni-flash-1.1',
    'It is asked for in 720p, the only resolution with a published price.',
  ),
}
