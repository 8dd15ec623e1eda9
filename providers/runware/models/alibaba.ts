import type { Input } from '../../input.ts'
import type { EndpointMapping } from '../../provider.ts'
import { anyBoolean, type FieldSchema, oneOf } from '../../schema.ts'
import { adaptInput } from '../../schema-mapping.ts'
import { pixels, promptText, runwareSeed } from '../fields.ts'
import { createRunwareMapper } from '../schema-mapping.ts'
import type { RunwareSchema } from '../task-schema.ts'

const sizes = {
  '720p': { '16:9': '1280x720', '9:16': '720x1280', '1:1': '960x960', '4:3': '1088x832', '3:4': '832x1088' },
  '1080p': {
    ...{ '16:9': '1920x1080', '9:16': '1080x1920', '1:1': '1440x1440' },
    ...{ '4:3': '1632x1248', '3:4': '1248x1632' },
  },
}
const smallSizes = { '480p': { '16:9': '832x480', '9:16': '480x832', '1:1': '624x624' } }

function images(max: number): FieldSchema {
  return { type: 'array', max, items: { type: 'media' } }
}

function clips(max: number): FieldSchema {
  return { type: 'array', max, items: { type: 'url' } }
}

const common = {
  positivePrompt: promptText(5000),
  ...pixels,
  resolution: oneOf('720p', '1080p'),
  seed: runwareSeed,
} as const
const negativePrompt = promptText(500)
const requiredPrompt: FieldSchema = { ...promptText(5000), required: true }

const wan26: RunwareSchema = {
  fields: {
    ...common,
    positivePrompt: requiredPrompt,
    negativePrompt,
    duration: { type: 'integer', enum: [5, 10, 15] },
  },
  sizing: 'frame',
  takesFrames: true,
  inputs: { audio: { type: 'url' }, referenceVideos: clips(3) },
  settings: { audio: anyBoolean, promptExtend: anyBoolean, shotType: oneOf('single', 'multi') },
  sizeTable: sizes,
}
const wan3: RunwareSchema = {
  fields: {
    ...common,
    resolution: oneOf('480p', '720p', '1080p'),
    duration: { type: 'integer', min: 2, max: 30 },
  },
  sizing: 'frame',
  takesFrames: true,
  inputs: { referenceImages: images(10), referenceVideos: clips(5), referenceAudios: clips(5) },
  sizeTable: { ...sizes, ...smallSizes },
}
const happyhorse: RunwareSchema = {
  fields: {
    ...common,
    positivePrompt: promptText(2500),
    duration: { type: 'integer', min: 3, max: 15 },
  },
  sizing: 'frame',
  takesFrames: true,
  inputs: { referenceImages: images(9) },
  sizeTable: sizes,
}

/** Runware's model pages and schemas of October 2026. */
export const runwareAlibabaSchemas: Readonly<Record<string, RunwareSchema>> = {
  'alibaba:wan@2.6': wan26,
  'alibaba:wan@2.6-flash': {
    ...wan26,
    fields: { ...wan26.fields, duration: { type: 'integer', min: 2, max: 15 } },
    inputs: { ...wan26.inputs, referenceImages: images(5) },
  },
  'alibaba:wan@2.7': {
    fields: { ...common, negativePrompt, duration: { type: 'integer', min: 2, max: 15 } },
    sizing: 'frame',
    takesFrames: true,
    inputs: { audio: { type: 'url' }, referenceImages: images(5), referenceVideos: clips(5) },
    settings: { promptExtend: anyBoolean, shotType: oneOf('single', 'multi') },
    settingsBelow: null,
    sizeTable: sizes,
  },
  'alibaba:wan@3.0': wan3,
  'alibaba:wan@3.0-prime': wan3,
  'alibaba:happyhorse@1.0': happyhorse,
  'alibaba:happyhorse@1.1': happyhorse,
}

const map = createRunwareMapper(runwareAlibabaSchemas)

function everyOperation(model: string) {
  return { text: model, image: model, reference: model }
}

/**
 * Wan 2.6 at Runware takes no choice of shots without an expanded prompt, and no switch for sound beside an audio file. One shot is what
 * it renders without that choice.
 */
function withoutRejectedSettings(input: Input): Input {
  const { shotType, generateAudio, ...others } = input
  return {
    ...others,
    ...(shotType !== undefined && shotType !== 'single' && { shotType }),
    ...(generateAudio !== undefined && input.audio === undefined && { generateAudio }),
  }
}

const multiShotsNeedExpansion = {
  unsupported: ({ shotType, enhancePrompt }: Input) =>
    shotType !== undefined && enhancePrompt !== true
      ? 'Runware renders several shots of this model only from an expanded prompt'
      : undefined,
}

/** Wan 2.6 renders sound always, where Runware has a switch for it. */
function withSound(input: Input): Input {
  return withoutRejectedSettings({ ...input, generateAudio: true })
}

const soundIsImplied = {
  optional: ['generateAudio'],
  unsupported: ({ generateAudio }: Input) =>
    generateAudio === false ? 'The switch for the sound of Wan 3.0 at Runware is not known' : undefined,
  note: 'The sizes in 480p and the names of its references are inferred from Wan 2.5 and 2.7.',
} as const
const sizesAreInferred = { note: 'Its sizes are inferred from Wan 2.7.' }

/** Wan from 2.6 on and HappyHorse. */
export const runwareAlibaba: Readonly<Record<string, EndpointMapping>> = {
  'alibaba/wan-3.0/text-to-video': map({ text: 'alibaba:wan@3.0' }, soundIsImplied),
  'alibaba/wan-3.0/image-to-video': map({ image: 'alibaba:wan@3.0' }, soundIsImplied),
  'alibaba/wan-3.0/reference-to-video': map({ reference: 'alibaba:wan@3.0' }, soundIsImplied),
  'alibaba/wan-3.0-prime': map(everyOperation('alibaba:wan@3.0-prime'), soundIsImplied),
  'wan-2.7-video': map(everyOperation('alibaba:wan@2.7'), {
    unsupported: ({ image, referenceImages, referenceVideos }) =>
      image !== undefined && (referenceImages ?? referenceVideos) !== undefined
        ? 'Runware takes no first image beside references for this model'
        : undefined,
    note: 'The name of its setting promptExtend is inferred from Wan 2.6.',
  }),
  'wan-26': adaptInput(withSound, map(everyOperation('alibaba:wan@2.6'), multiShotsNeedExpansion)),
  'wan-26-flash': adaptInput(
    withoutRejectedSettings,
    map({ image: 'alibaba:wan@2.6-flash' }, multiShotsNeedExpansion),
  ),
  'wan-26-reference-to-video-flash': adaptInput(
    withoutRejectedSettings,
    map(
      { reference: 'alibaba:wan@2.6-flash' },
      { ...multiShotsNeedExpansion, note: 'That it takes reference images is inferred.' },
    ),
  ),
  'happyhorse-1.1': map(everyOperation('alibaba:happyhorse@1.1'), sizesAreInferred),
  'happyhorse-1.0': map(everyOperation('alibaba:happyhorse@1.0'), sizesAreInferred),
}
