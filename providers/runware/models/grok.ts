import type { EndpointMapping } from '../../provider.ts'
import { anyInteger, type FieldSchema, oneOf } from '../../schema.ts'
import { pixels, promptText, runwareSeed } from '../fields.ts'
import { createRunwareMapper } from '../schema-mapping.ts'
import type { RunwareSchema } from '../task-schema.ts'

const requiredPrompt: FieldSchema = { ...promptText(4096), required: true }
const seconds = (...values: readonly number[]): FieldSchema => ({ type: 'number', enum: values })

const sd = {
  ...{ '1:1': '480x480', '16:9': '848x480', '9:16': '480x848', '4:3': '640x480', '3:4': '480x640' },
  ...{ '3:2': '720x480', '2:3': '480x720' },
}
const hd = {
  ...{ '1:1': '720x720', '16:9': '1280x720', '9:16': '720x1280', '4:3': '960x720', '3:4': '720x960' },
  ...{ '3:2': '1080x720', '2:3': '720x1080' },
}
const grok: RunwareSchema = {
  fields: {
    positivePrompt: requiredPrompt,
    ...pixels,
    resolution: oneOf('480p', '720p'),
    duration: { type: 'integer', min: 1, max: 15 },
  },
  sizing: 'frame',
  takesFrames: true,
  sizeTable: { '480p': sd, '720p': hd },
}
const ltxSizes = {
  '1080p': { '16:9': '1920x1080', '9:16': '1080x1920' },
  '1440p': { '16:9': '2560x1440', '9:16': '1440x2560' },
  '2160p': { '16:9': '3840x2160', '9:16': '2160x3840' },
}
const ltx: RunwareSchema = {
  fields: { positivePrompt: requiredPrompt, ...pixels, duration: seconds(6, 8, 10), fps: anyInteger },
  sizing: 'always',
  takesFrames: true,
  sizeTable: ltxSizes,
}
const ltx25: RunwareSchema = {
  fields: {
    positivePrompt: requiredPrompt,
    ...pixels,
    duration: { type: 'integer', min: 5, max: 20 },
    fps: { type: 'integer', enum: [24, 25, 48, 50] },
  },
  sizing: 'always',
  takesFrames: true,
  sizeTable: { '720p': { '16:9': '1280x720', '9:16': '720x1280' }, ...ltxSizes },
}

/** Runware's model pages and schemas of October 2026. */
export const runwareGrokSchemas: Readonly<Record<string, RunwareSchema>> = {
  'xai:grok-imagine@video': grok,
  'xai:grok-imagine@video-1.5': {
    ...grok,
    fields: { ...grok.fields, resolution: oneOf('480p', '720p', '1080p') },
    sizeTable: { ...grok.sizeTable, '1080p': { '16:9': '1920x1080', '9:16': '1080x1920' } },
  },
  'runway:1@2': {
    fields: { positivePrompt: promptText(1000), ...pixels, duration: seconds(5, 8, 10), seed: runwareSeed },
    sizing: 'always',
    takesFrames: true,
    sizeTable: {
      '720p': {
        ...{ '16:9': '1280x720', '9:16': '720x1280', '4:3': '1104x832', '3:4': '832x1104' },
        ...{ '1:1': '960x960', '21:9': '1584x672' },
      },
    },
  },
  'runway:aleph@2.0': {
    fields: { positivePrompt: { ...promptText(1000), required: true } },
    sizing: 'never',
    inputs: { video: { type: 'url', required: true } },
  },
  'lightricks:ltx@2.3': ltx,
  'lightricks:ltx@2.3-fast': {
    ...ltx,
    fields: { ...ltx.fields, duration: seconds(6, 8, 10, 12, 14, 16, 18, 20) },
  },
  'lightricks:ltx@2.5-fast': ltx25,
  'lightricks:ltx@2.5-pro': {
    ...ltx25,
    fields: { ...ltx25.fields, fps: { type: 'integer', enum: [24, 25, 50] } },
  },
}

const map = createRunwareMapper(runwareGrokSchemas)

function textAndImage(model: string, note?: string): EndpointMapping {
  return map({ text: model, image: model }, note === undefined ? {} : { note })
}

/** Grok Imagine, Runway and LTX. */
export const runwareGrok: Readonly<Record<string, EndpointMapping>> = {
  'grok-imagine-video': textAndImage('xai:grok-imagine@video'),
  'xai/grok-imagine-video/v1.5/image-to-video': textAndImage(
    'xai:grok-imagine@video-1.5',
    'The sizes in 1080p are inferred.',
  ),
  'runway-gen-45': textAndImage(
    'runway:1@2',
    'The sizes other than 16:9 are inferred from Runway’s own API.',
  ),
  'runwayml-aleph-2': map({ edit: 'runway:aleph@2.0' }, { note: 'The name `inputs.video` is inferred.' }),
  'ltx-2.3-pro': map(
    { text: 'lightricks:ltx@2.3', image: 'lightricks:ltx@2.3' },
    { unsupported: silent, optional: ['generateAudio'] },
  ),
  'ltx-2.3-fast': map(
    { text: 'lightricks:ltx@2.3-fast', image: 'lightricks:ltx@2.3-fast' },
    { unsupported: silent, optional: ['generateAudio'] },
  ),
  'lightricks/ltx-2.5/fast': textAndImage('lightricks:ltx@2.5-fast', 'The sizes are inferred from LTX 2.3.'),
  'lightricks/ltx-2.5/pro': textAndImage('lightricks:ltx@2.5-pro', 'The sizes are inferred from LTX 2.3.'),
}

/** Which setting turns the sound of LTX off is not published. */
function silent({ generateAudio }: { generateAudio?: boolean }): string | undefined {
  return generateAudio === false ? 'Runware renders this model with sound only' : undefined
}
