import type { EndpointMapping } from '../../provider.ts'
import { anyBoolean } from '../../schema.ts'
import { promptText } from '../fields.ts'
import { createRunwareMapper } from '../schema-mapping.ts'
import type { RunwareSchema } from '../task-schema.ts'

const sizesOfPro = { '1080p': { '16:9': '1920x1080', '1:1': '1440x1440', '9:16': '1080x1920' } }
const sizesOfStandard = { '720p': { '16:9': '1280x720', '1:1': '960x960', '9:16': '720x1280' } }

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
export const kling3Schemas: Readonly<Record<string, RunwareSchema>> = {
  'klingai:kling-video@3-pro': { ...kling3, sizeTable: sizesOfPro },
  'klingai:kling-video@3-standard': { ...kling3, sizeTable: sizesOfStandard },
}

const map = createRunwareMapper(kling3Schemas)

export const runwareKling3: Readonly<Record<string, EndpointMapping>> = {
  'kling-v30-pro': map({ text: 'klingai:kling-video@3-pro', image: 'klingai:kling-video@3-pro' }),
  'kling-v30-std': map({ text: 'klingai:kling-video@3-standard', image: 'klingai:kling-video@3-standard' }),
}
