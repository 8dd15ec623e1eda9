import type { Input, JsonObject } from '../input.ts'
import { withoutUndefined } from '../models.ts'
import type { EndpointMapping } from '../provider.ts'
import { configNames, lengthOf, type Story, storyOf } from './story.ts'

/** The look of a model that no universe renders. */
type Preset = { aspectRatio: string; animated: boolean; imageConfig?: JsonObject }

/**
 * The older Short API takes everything in the request. The Universe API, where a style is created on the site beforehand, is called instead
 * once the setting that its path names holds a slug.
 */
export const longstoriesMappings: Readonly<Record<string, EndpointMapping>> = {
  'longstories-movie': {
    endpoints: { short: '/short', universe: '/universe/{LONGSTORIES_MOVIE_SLUG}/create' },
    toRequest: (input) => ({
      endpoint: 'short',
      body: shortBody(input, { aspectRatio: '16:9', animated: true }),
    }),
    note: 'The slug of a movie universe is not published: set LONGSTORIES_MOVIE_SLUG, or a preset of the Short API is used.',
  },
  'longstories-pixel-art': {
    endpoints: { short: '/short', universe: '/universe/{LONGSTORIES_PIXEL_ART_SLUG}/create' },
    toRequest: (input) => ({ endpoint: 'short', body: shortBody(input, pixelArt) }),
    note: 'The slug of a pixel-art universe is not published: set LONGSTORIES_PIXEL_ART_SLUG, or a preset of the Short API is used.',
  },
}

const pixelArt: Preset = {
  aspectRatio: '9:16',
  animated: false,
  imageConfig: { model: 'recraft', recraftStyle: 'digital_illustration/pixel_art' },
}

function shortBody(input: Input, preset: Preset): JsonObject {
  const story = storyOf(input)
  const { seconds, words } = lengthOf(input)
  // The service takes either a prompt or a script; without both, the visuals become the prompt.
  const text =
    story.script === undefined ? { prompt: story.prompt ?? story.visuals } : { script: story.script }
  const notes = [
    story.notes,
    text.prompt === story.visuals ? undefined : story.visuals,
    ...fieldNotes(input, story),
  ]
  return withoutUndefined({
    ...text,
    directorNotes: paragraphs(notes),
    shortRequestEnhancer: input.shortRequestEnhancer,
    ...Object.fromEntries(configNames.map((name) => [name, story.configs[name]])),
    scriptConfig: {
      ...(input.framework !== undefined && { style: input.framework }),
      ...withoutLength(story.configs.scriptConfig),
      ...(words === undefined
        ? { targetLengthInSeconds: Math.round(seconds) }
        : { targetLengthInWords: Math.max(Math.round(words), 1) }),
    },
    imageConfig: story.configs.imageConfig ?? preset.imageConfig,
    videoConfig: {
      enabled: input.motionConfig?.enabled ?? preset.animated,
      ...story.configs.videoConfig,
      ...(input.animation !== undefined && { enabled: input.animation }),
    },
    voiceoverConfig: voiceover(story),
    quality: story.quality,
    aspectRatio: input.aspect_ratio ?? preset.aspectRatio,
  })
}

/** The body for a universe, which decides look and voice. */
export function universeBody(input: Input): JsonObject {
  const { prompt, script, visuals, notes, characters } = storyOf(input)
  return withoutUndefined({
    prompt: paragraphs([prompt, visuals, notes]),
    userScript: script,
    duration: String(nearest(lengthOf(input).seconds)),
    animation: input.animation ?? input.motionConfig?.enabled,
    language: input.language?.toLowerCase(),
    characters,
  })
}

/** The lengths that a universe renders. */
const universeSeconds = [15, 30, 60, 180, 300, 600]

function nearest(seconds: number): number {
  return universeSeconds.reduce((best, one) =>
    Math.abs(one - seconds) < Math.abs(best - seconds) ? one : best,
  )
}

/** Notes in place of the fields that only universes have. */
function fieldNotes({ language }: Input, { characters }: Story): readonly string[] {
  return [
    ...(language === undefined ? [] : [`Language: ${language}`]),
    ...(characters === undefined ? [] : [`Characters: ${JSON.stringify(characters, withoutDataUrls)}`]),
  ]
}

/** A note may hold a link, but not megabytes of base64. */
function withoutDataUrls(_key: string, value: unknown): unknown {
  return typeof value === 'string' && /^data:/i.test(value) ? undefined : value
}

function voiceover({ configs, voiceId, narrated }: Story): JsonObject | undefined {
  const settings = {
    ...(narrated !== undefined && { enabled: narrated }),
    ...(voiceId !== undefined && { voiceId }),
    ...configs.voiceoverConfig,
  }
  return Object.keys(settings).length === 0 ? undefined : settings
}

/** The length in a script's settings must not exceed the duration that is paid for. */
function withoutLength(config: JsonObject = {}): JsonObject {
  const { targetLengthInSeconds: _seconds, targetLengthInWords: _words, ...others } = config
  return others
}

function paragraphs(texts: readonly (string | undefined)[]): string | undefined {
  return texts.filter((one) => one !== undefined).join('\n\n') || undefined
}
