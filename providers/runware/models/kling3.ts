import type { EndpointMapping } from '../../provider.ts'
import { anyBoolean, oneOf } from '../../schema.ts'
import { promptText } from '../fields.ts'
import { createRunwareMapper } from '../schema-mapping.ts'
import type { RunwareSchema } from '../task-schema.ts'

const sizesOfPro = { '1080p': { '16:9': '1920x1080', '1:1': '1440x1440', '9:16': '1080x1920' } }
const sizesOfStandard = { '720p': { '16:9': '1280x720', '1:1': '960x960', '9:16': '720x1280' } }

const sizesOf4k = { '4k': { '16:9': '3840x2160', '1:1': '2880x2880', '9:16': '2160x3840' } }

const kling3: RunwareSchema = {
  fields: {
    positivePrompt: promptText(2500),
    negativePrompt: promptText(2500),
    width: { type: 'integer' },
    height: { type: 'integer' },
    duration: { type: 'integer', min: 3, max: 15 },
  },
  sizing: 'frame',
  takesFrames: true,
  settings: { sound: anyBoolean },
}

/** Runware's model pages of October 2026. */
export const runwareKling3Schemas: Readonly<Record<string, RunwareSchema>> = {
  'klingai:kling-video@3-pro': { ...kling3, sizeTable: sizesOfPro },
  'klingai:kling-video@3-standard': { ...kling3, sizeTable: sizesOfStandard },
  'klingai:kling-video@3-4k': { ...kling3, sizeTable: sizesOf4k },
  'klingai:kling-video@3.0-turbo': {
    fields: { ...kling3.fields, resolution: oneOf('720p', '1080p') },
    sizing: 'frame',
    takesFrames: true,
    sizeTable: { ...sizesOfPro, ...sizesOfStandard },
  },
}

const map = createRunwareMapper(runwareKling3Schemas)

const sizesAreInferred = { note: 'The sizes in 4K are inferred from those in 1080p.' }

/** One model, whose resolution selects what others call Pro and Standard. */
function turbo(resolution: string): EndpointMapping {
  const model = 'klingai:kling-video@3.0-turbo'
  return map({ text: model, image: model }, { implied: { resolution } })
}

export const runwareKling3: Readonly<Record<string, EndpointMapping>> = {
  'kling-v30-pro': map({ text: 'klingai:kling-video@3-pro', image: 'klingai:kling-video@3-pro' }),
  'kling-v30-std': map({ text: 'klingai:kling-video@3-standard', image: 'klingai:kling-video@3-standard' }),
  'kling-v3-4k': map(
    { text: 'klingai:kling-video@3-4k', image: 'klingai:kling-video@3-4k' },
    sizesAreInferred,
  ),
  'kling-v3-turbo-pro': turbo('1080p'),
  'kling-v3-turbo-standard': turbo('720p'),
}
