import { anyBoolean, anyString, type BodySchema, type FieldSchema, oneOf } from '../schema.ts'

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
  imageConfig: { model: anyString, recraftStyle: anyString, loraConfig: object({ loraSlug: anyString }) },
  videoConfig: { enabled: anyBoolean, model: anyString },
  voiceoverConfig: { enabled: anyBoolean, voiceId: anyString },
  captionsConfig: {
    captionsEnabled: anyBoolean,
    captionsStyle: oneOf(
      ...['tiktok', 'default', 'minimal', 'neon', 'cinematic', 'fancy', 'highlight', 'gradient', 'vida'],
      ...['manuscripts', 'subtitle', 'modern', 'bounce', 'popcorn', 'typewriter', 'handwritten'],
      ...['karaoke', 'retro', 'gaming', 'intellectual'],
    ),
    captionsPosition: oneOf('top', 'center', 'bottom'),
  },
  effectsConfig: {
    transition: oneOf('fade', 'random', 'slide', 'wipe', 'flip', 'none'),
    floating: anyBoolean,
  },
  musicConfig: {
    enabled: anyBoolean,
    musicSlug: anyString,
    volume: { type: 'number', min: 0, max: 1 },
    loop: anyBoolean,
  },
} as const satisfies Readonly<Record<string, BodySchema>>

export const longstoriesShortSchema: BodySchema = {
  prompt: anyString,
  script: anyString,
  directorNotes: anyString,
  shortRequestEnhancer: anyBoolean,
  ...Object.fromEntries(Object.entries(configFields).map(([name, fields]) => [name, object(fields)])),
  templateConfig: object({ templateId: anyString }),
  quality: oneOf('low', 'medium', 'high'),
  aspectRatio: oneOf('16:9', '9:16'),
}

export const longstoriesUniverseSchema: BodySchema = {
  prompt: anyString,
  duration: oneOf('15', '30', '60', '180', '300', '600'),
  userScript: anyString,
  animationPreset: oneOf('just_storyboard', 'static', 'fast', 'pro_animation', 'pro'),
  animation: anyBoolean,
  voiceoverKey: anyString,
  voiceoverDuration: { type: 'number' },
  audioKind: oneOf('voiceover', 'song'),
  language: { type: 'string', pattern: /^[a-z]{2}$/ },
  characters: { type: 'array', items: { type: ['string', 'object'] } },
  visualStyleId: anyString,
  preferAiStyle: anyBoolean,
  removeWatermark: anyBoolean,
}
