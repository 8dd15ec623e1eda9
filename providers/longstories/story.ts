import type { Input, Json, JsonObject } from '../input.ts'
import { flag, list, text } from '../reader.ts'
import { configFields } from './schema.ts'

/** Settings that the service takes as objects, at the top of a request or inside `storyConfig`. */
export const configNames = [
  'scriptConfig',
  'imageConfig',
  'videoConfig',
  'voiceoverConfig',
  'captionsConfig',
  'effectsConfig',
  'musicConfig',
] as const

type ConfigName = (typeof configNames)[number]

/** The parts of a request: what is spoken, what is seen, who speaks. */
export type Story = {
  prompt: string | undefined
  /** A finished text; takes precedence over the prompt. */
  script: string | undefined
  /** How the scenes look. */
  visuals: string | undefined
  notes: string | undefined
  voiceId: string | undefined
  /** Whether a voice speaks at all. */
  narrated: boolean | undefined
  quality: string | undefined
  characters: readonly Json[] | undefined
  configs: Readonly<Partial<Record<ConfigName, JsonObject>>>
}

const narrationKeys = ['narration', 'script', 'text', 'voiceover', 'dialogue']
const visualKeys = ['visual', 'visuals', 'description', 'imagePrompt', 'image_prompt', 'image', 'prompt']

/** No schema of `storyConfig` is published, so each part is read under the names that it is likely to have. */
export function storyOf(input: Input): Story {
  const config = input.storyConfig
  const scenes = list(config, 'scenes')
  return {
    prompt: input.prompt ?? text(config, 'prompt'),
    script: input.script ?? text(config, 'script') ?? narrationOf(config, scenes),
    visuals: joined(scenes.map((scene) => textOf(scene, visualKeys))),
    notes: input.directorNotes ?? text(config, 'directorNotes'),
    voiceId:
      input.voice_id ??
      text(config, 'voice') ??
      text(config, 'voice', 'id') ??
      text(config, 'voice', 'voiceId'),
    narrated: flag(config, 'narration') ?? flag(config, 'narration', 'enabled'),
    quality: input.quality ?? text(config, 'quality'),
    characters: input.characters ?? (Array.isArray(config?.characters) ? config.characters : undefined),
    configs: Object.fromEntries(
      configNames
        .map((name) => [name, knownSettings(name, { ...objectOf(config?.[name]), ...input[name] })] as const)
        .filter(([, settings]) => Object.keys(settings).length > 0),
    ),
  }
}

/** Without the settings that the service does not list. */
function knownSettings(name: ConfigName, settings: JsonObject): JsonObject {
  const isKnown = ([key, value]: [string, unknown]) =>
    Object.hasOwn(configFields[name], key) && value !== null
  return Object.fromEntries(Object.entries(settings).filter(isKnown))
}

function narrationOf(config: JsonObject | undefined, scenes: readonly unknown[]): string | undefined {
  const spoken = joined(scenes.map((scene) => text(scene) ?? textOf(scene, narrationKeys)))
  return spoken ?? text(config, 'narration') ?? text(config, 'narration', 'text')
}

function textOf(scene: unknown, keys: readonly string[]): string | undefined {
  return keys.map((key) => text(scene, key)).find((value) => value !== undefined)
}

function joined(texts: readonly (string | undefined)[]): string | undefined {
  return texts.filter((one) => one !== undefined).join('\n\n') || undefined
}

function objectOf(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {}
}

const wordsPerSecond = 2.3

/** The length of a story: in seconds if given, else in words, which older clients send instead. */
export function lengthOf(input: Input): { seconds: number; words?: number } {
  const script = objectOf(input.storyConfig?.scriptConfig)
  const config = { ...script, ...input.scriptConfig }
  const seconds = input.duration ?? numeric(config.targetLengthInSeconds)
  if (seconds !== undefined) return { seconds }
  const words = input.targetLengthInWords ?? numeric(config.targetLengthInWords)
  return words === undefined ? { seconds: 60 } : { seconds: words / wordsPerSecond, words }
}

function numeric(value: unknown): number | undefined {
  const parsed = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof parsed === 'number' && Number.isFinite(parsed) && parsed > 0 ? parsed : undefined
}
