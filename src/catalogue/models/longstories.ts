import type { Input } from '../../../providers/input.ts'
import { lengthOf, storyOf } from '../../../providers/longstories/story.ts'
import type { Model } from '../model.ts'

/** The billed seconds of a film without a given duration. */
const defaultSeconds = 60

const shared = {
  ownedBy: 'longstories',
  modes: ['text'],
  price: {
    source: 'Inferred: LongStories publishes no prices, only that length decides',
    asOf: '2026-09',
    per: 'second',
    rates: [{ usd: 0.02 }],
    defaultSeconds,
  },
  deadlineSeconds: 3600,
  providers: ['longstories'],
} as const satisfies Partial<Model>

const fields = {
  prompt: { required: { unless: ['script', 'storyConfig'] } },
  script: {},
  storyConfig: {},
  animation: {},
  language: {},
  characters: {},
  voice_id: {},
  framework: {},
  quality: { choices: ['low', 'medium', 'high'] },
  directorNotes: {},
  shortRequestEnhancer: {},
  targetLengthInWords: {},
  scriptConfig: {},
  imageConfig: {},
  videoConfig: {},
  voiceoverConfig: {},
  captionsConfig: {},
  effectsConfig: {},
  musicConfig: {},
  motionConfig: {},
} as const satisfies Model['fields']

const ratios = ['16:9', '9:16'] as const

export const longstoriesModels: readonly Model[] = [
  withFilmRules([30, 60, 180, 300, 600], {
    ...shared,
    id: 'longstories-movie',
    name: 'LongStories Movie',
    description:
      'LongStories: a narrated film of up to ten minutes from a prompt, a script or a structured story.',
    released: '2025-10-01',
    fields: { ...fields, aspect_ratio: { choices: ratios, default: '16:9' } },
    typicalSeconds: 600,
  }),
  withFilmRules([15, 30, 60, 180, 300, 600], {
    ...shared,
    id: 'longstories-pixel-art',
    name: 'LongStories Pixel Art',
    description:
      'LongStories: a narrated pixel-art film of up to ten minutes from a prompt, a script or a structured story.',
    released: '2025-10-01',
    fields: { ...fields, aspect_ratio: { choices: ratios, default: '9:16' } },
    typicalSeconds: 480,
  }),
]

function withFilmRules(durations: readonly number[], model: Model): Model {
  return {
    ...model,
    fields: { ...model.fields, duration: { choices: durations } },
    check: (input) => checkStoryContent(input) ?? checkStoryLength(input, durations),
  }
}

function checkStoryContent(input: Input): ReturnType<NonNullable<Model['check']>> {
  const { prompt, script, visuals } = storyOf(input)
  if (prompt !== undefined || script !== undefined || visuals !== undefined) return undefined
  return {
    field: 'storyConfig',
    message: '`storyConfig` has nothing to film: no scenes, no narration, no script',
  }
}

/** Only `duration` is billed, so a longer film must set it. */
function checkStoryLength(
  input: Input,
  durations: readonly number[],
): ReturnType<NonNullable<Model['check']>> {
  const { seconds } = lengthOf(input)
  if (input.duration !== undefined || seconds <= defaultSeconds) return undefined
  const neededDuration = durations.find((duration) => duration >= seconds) ?? durations.at(-1)
  return {
    field: 'duration',
    message: `a story of about ${Math.round(seconds)} s needs \`duration\` ${neededDuration}`,
    instead: neededDuration ?? null,
  }
}
