import type { EndpointMapping } from '../../provider.ts'
import { anyBoolean, type FieldSchema, oneOf } from '../../schema.ts'
import { pixels, promptText, runwareSeed } from '../fields.ts'
import { createRunwareMapper } from '../schema-mapping.ts'
import type { RunwareSchema } from '../task-schema.ts'

const sizes = {
  '480p': {
    ...{ '16:9': '864x496', '4:3': '752x560', '1:1': '640x640' },
    ...{ '3:4': '560x752', '9:16': '496x864', '21:9': '992x432' },
  },
  '720p': {
    ...{ '16:9': '1280x720', '4:3': '1112x834', '1:1': '960x960' },
    ...{ '3:4': '834x1112', '9:16': '720x1280', '21:9': '1470x630' },
  },
  '1080p': {
    ...{ '16:9': '1920x1080', '4:3': '1664x1248', '1:1': '1440x1440' },
    ...{ '3:4': '1248x1664', '9:16': '1080x1920', '21:9': '2206x946' },
  },
}

function clips(max: number): FieldSchema {
  return { type: 'array', max, items: { type: 'url' } }
}

function seedance2(resolutions: readonly string[], seconds: number, images: number, files: number) {
  return {
    fields: {
      positivePrompt: { ...promptText(5000), required: true },
      ...pixels,
      resolution: oneOf(...resolutions),
      duration: { type: 'integer', min: 4, max: seconds },
      seed: runwareSeed,
    },
    sizing: 'frame',
    takesFrames: true,
    inputs: {
      referenceImages: { type: 'array', max: images, items: { type: 'media' } },
      referenceVideos: clips(files),
      referenceAudios: clips(files),
    },
    settings: { audio: anyBoolean },
    settingsBelow: null,
    sizeTable: Object.fromEntries(
      Object.entries(sizes).filter(([resolution]) => resolutions.includes(resolution)),
    ),
  } as const satisfies RunwareSchema
}

/** Runware's schemas of October 2026; the sizes by its page of Seedance 1.5. */
export const runwareSeedance2Schemas: Readonly<Record<string, RunwareSchema>> = {
  'bytedance:seedance@2.5': seedance2(['480p', '720p', '1080p'], 30, 30, 10),
  'bytedance:seedance@2.0': seedance2(['480p', '720p', '1080p'], 15, 9, 3),
  'bytedance:seedance@2.0-fast': seedance2(['480p', '720p'], 15, 9, 3),
  'bytedance:seedance@2.0-mini': seedance2(['480p', '720p'], 15, 9, 3),
  'bytedance:seedance@1.5-pro': {
    fields: {
      positivePrompt: { ...promptText(5000), required: true },
      ...pixels,
      resolution: oneOf('480p', '720p', '1080p'),
      duration: { type: 'integer', min: 4, max: 12 },
      seed: runwareSeed,
    },
    sizing: 'frame',
    takesFrames: true,
    settings: { audio: anyBoolean, cameraFixed: anyBoolean },
    sizeTable: sizes,
  },
}

const map = createRunwareMapper(runwareSeedance2Schemas)
const inferred = { note: 'Its sizes and the names of its settings and references are inferred.' }

function everyOperation(model: string): EndpointMapping {
  return map({ text: model, image: model, reference: model }, inferred)
}

/** Seedance 1.5 to 2.5. */
export const runwareSeedance2: Readonly<Record<string, EndpointMapping>> = {
  'bytedance/seedance-2.5': everyOperation('bytedance:seedance@2.5'),
  'doubao-seedance-2-0': everyOperation('bytedance:seedance@2.0'),
  'doubao-seedance-2-0-fast': everyOperation('bytedance:seedance@2.0-fast'),
  'bytedance-seedance-2-0-mini': map(
    {
      text: 'bytedance:seedance@2.0-mini',
      image: 'bytedance:seedance@2.0-mini',
      reference: 'bytedance:seedance@2.0-mini',
    },
    {
      ...inferred,
      optional: ['variant'],
      unsupported: ({ variant }) =>
        variant === 'turbo' ? 'Runware has no turbo make of this model' : undefined,
    },
  ),
  'bytedance-seedance-v1.5-pro': map(
    { text: 'bytedance:seedance@1.5-pro', image: 'bytedance:seedance@1.5-pro' },
    inferred,
  ),
}
