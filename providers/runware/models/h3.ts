import type { Input } from '../../input.ts'
import type { EndpointMapping } from '../../provider.ts'
import { anyBoolean, type FieldSchema, oneOf } from '../../schema.ts'
import { pixels, promptText, runwareSeed } from '../fields.ts'
import { createRunwareMapper } from '../schema-mapping.ts'
import type { RunwareSchema } from '../task-schema.ts'

const requiredPrompt: FieldSchema = { ...promptText(7000), required: true }
const clips: FieldSchema = { type: 'array', max: 3, items: { type: 'url' } }
const references = {
  referenceImages: { type: 'array', max: 9, items: { type: 'media' } },
  referenceVideos: clips,
  referenceAudios: clips,
} as const

function h3(resolutions: readonly string[], minSeconds: number): RunwareSchema {
  return {
    fields: {
      positivePrompt: requiredPrompt,
      resolution: oneOf(...resolutions),
      duration: { type: 'integer', min: minSeconds, max: 15 },
      seed: runwareSeed,
    },
    sizing: 'never',
    takesFrames: true,
    inputs: references,
  }
}

/** Runware's model pages and schemas of October 2026. */
export const runwareH3Schemas: Readonly<Record<string, RunwareSchema>> = {
  'minimax:h3@0': h3(['768p', '1440p'], 5),
  'minimax:h3@max': h3(['480p', '768p'], 5),
  'minimax:h3@max-turbo': h3(['480p', '768p'], 5),
  'minimax:4@2': {
    fields: {
      positivePrompt: promptText(2000),
      ...pixels,
      duration: { type: 'integer', enum: [6, 10] },
    },
    sizing: 'always',
    needsFrame: true,
    takesFrames: true,
    settings: { promptOptimizer: anyBoolean },
    sizeTable: { '768p': { '16:9': '1366x768' }, '1080p': { '16:9': '1920x1080' } },
  },
}

const map = createRunwareMapper(runwareH3Schemas)

/** Its sizes by ratio are not documented; a resolution alone is rendered in 16:9. */
const onlyLandscape = {
  optional: ['aspect_ratio', 'enhancePrompt'],
  unsupported: ({ aspect_ratio }: Input) =>
    aspect_ratio === undefined || aspect_ratio === '16:9'
      ? undefined
      : 'The sizes of this model at Runware are known in 16:9 only',
  note: 'It renders in 16:9 from words and references, as its other sizes are not known.',
} as const

function hailuoFast(resolution: string): EndpointMapping {
  return map(
    { image: 'minimax:4@2' },
    { implied: { resolution }, note: 'The size in 768p is inferred from MiniMax 01.' },
  )
}

/** MiniMax H3 and Hailuo 2.3 Fast. */
export const runwareH3: Readonly<Record<string, EndpointMapping>> = {
  'minimax-h3': map(
    { text: 'minimax:h3@0', image: 'minimax:h3@0', reference: 'minimax:h3@0' },
    onlyLandscape,
  ),
  'minimax/h3-max': map(
    { text: 'minimax:h3@max', image: 'minimax:h3@max', reference: 'minimax:h3@max' },
    onlyLandscape,
  ),
  'minimax/h3-max-turbo': map({ text: 'minimax:h3@max-turbo', image: 'minimax:h3@max-turbo' }, onlyLandscape),
  'minimax-hailuo-23-fast': hailuoFast('768p'),
  'minimax-hailuo-23-fast-pro': hailuoFast('1080p'),
}
