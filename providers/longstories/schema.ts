import type { BodySchema, FieldSchema } from '../schema.ts'

const string = { type: 'string' } as const
const boolean = { type: 'boolean' } as const

function oneOf(...values: readonly string[]): FieldSchema {
  return { type: 'string', enum: values }
}

function object(fields: BodySchema): FieldSchema {
  return { type: 'object', fields }
}

/** The settings of the Short API, as its pages list them. Models and voices are many and change: any text. */
export const configFields = {
  scriptConfig: {
    style: oneOf(
      ...['default', 'no_style', 'engaging_conversational', 'dixit_biography', 'kind_biography'],
      ...['hero_journey', 'emotional_story', 'dramatic_reveal', 'heartwarming_stories'],
      ...['educational_history', 'news_brief'],
    ),
    targetLengthInWords: { type: 'integer', min: 1 },
    targetLengthInSeconds: { type: 'integer', min: 5, max: 600 },
  },
  imageConfig: { model: string, recraftStyle: string, loraConfig: object({ loraSlug: string }) },
  videoConfig: { enabled: boolean, model: string },
  voiceoverConfig: { enabled: boolean, voiceId: string },
  captionsConfig: {
    captionsEnabled: boolean,
    captionsStyle: oneOf(
      ...['tiktok', 'default', 'minimal', 'neon', 'cinematic', 'fancy', 'highlight', 'gradient', 'vida'],
      ...['manuscripts', 'subtitle', 'modern', 'bounce', 'popcorn', 'typewriter', 'handwritten'],
      ...['karaoke', 'retro', 'gaming', 'intellectual'],
    ),
    captionsPosition: oneOf('top', 'center', 'bottom'),
  },
  effectsConfig: { transition: oneOf('fade', 'random', 'slide', 'wipe', 'flip', 'none'), floating: boolean },
  musicConfig: {
    enabled: boolean,
    musicSlug: string,
    volume: { type: 'number', min: 0, max: 1 },
    loop: boolean,
  },
} as const satisfies Readonly<Record<string, BodySchema>>

export const shortSchema: BodySchema = {
  prompt: string,
  script: string,
  directorNotes: string,
  shortRequestEnhancer: boolean,
  ...Object.fromEntries(Object.entries(configFields).map(([name, fields]) => [name, object(fields)])),
  templateConfig: object({ templateId: string }),
  quality: oneOf('low', 'medium', 'high'),
  aspectRatio: oneOf('16:9', '9:16'),
}

export const universeSchema: BodySchema = {
  prompt: string,
  duration: oneOf('15', '30', '60', '180', '300', '600'),
  userScript: string,
  animationPreset: oneOf('just_storyboard', 'static', 'fast', 'pro_animation', 'pro'),
  animation: boolean,
  voiceoverKey: string,
  voiceoverDuration: { type: 'number' },
  audioKind: oneOf('voiceover', 'song'),
  language: { type: 'string', pattern: /^[a-z]{2}$/ },
  characters: { type: 'array', items: { type: ['string', 'object'] } },
  visualStyleId: string,
  preferAiStyle: boolean,
  removeWatermark: boolean,
}
