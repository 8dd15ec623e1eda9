/**
 * What a job asks for, after the catalogue has read it: canonical names (aliases folded), canonical types, only the
 * fields that the model takes, defaults filled in. Media fields hold an http(s) link or a data URL by the time a provider sees them.
 */
export type Input = Readonly<{
  prompt?: string
  negative_prompt?: string
  /** A finished text that is spoken or filmed as it stands; wins over `prompt`. */
  script?: string
  storyConfig?: JsonObject

  /** Whole seconds, or a fraction where the model takes one. */
  duration?: number
  aspect_ratio?: string
  resolution?: string
  /** A ratio (`16:9`) or pixels (`1280x720`), lower-case `x`. */
  size?: string
  seed?: number
  mode?: string
  /** The operation, where the caller named another one than the inputs imply. */
  operation?: Operation
  style?: string
  generateAudio?: boolean
  enhancePrompt?: boolean
  pro_mode?: boolean
  camera_fixed?: boolean
  /** Whether the upstream adds background music. */
  bgm?: boolean
  /** Whether the end of the video leads over to its beginning. */
  loop?: boolean
  /** Whether the upstream searches the web for what the prompt names. */
  enableWebSearch?: boolean
  /** One shot, or several. */
  shotType?: string
  /** The prompts of the shots of a video, each with its length. */
  multiPrompt?: readonly Json[]
  /** Persons and things that the prompt names, each with its images. */
  elements?: readonly Json[]
  /** Whether the upstream plans the video before it renders it. */
  thinkingMode?: string
  /** A make of the model, for example `turbo`. */
  variant?: string
  /** Whether the person is turned as in the image or as in the video. */
  characterOrientation?: string
  /** Whether the result keeps the sound of the source video. */
  keepOriginalSound?: boolean
  enable_safety_checker?: boolean

  image?: string
  last_image?: string
  referenceImages?: readonly string[]
  referenceVideos?: readonly string[]
  referenceAudios?: readonly string[]
  video?: string
  audio?: string
  swapImage?: string
  targetVideo?: string
  targetFaceIndex?: number

  voice_id?: string
  voice_language?: string
  voice_speed?: number
  /** Seconds of the source, as the caller states them; for billing and limits. */
  videoDuration?: number
  billedDuration?: number
  audioDuration?: number

  num_frames?: number
  frames_per_second?: number
  num_inference_steps?: number
  cfg_scale?: number
  shift?: number
  interpolator_model?: string
  num_interpolated_frames?: number
  adjust_fps_for_interpolation?: boolean
  acceleration?: boolean

  movementAmplitude?: string
  motion?: string
  effectType?: string
  effect?: string
  cameraMovement?: string
  motionMode?: string
  soundEffectSwitch?: boolean
  soundEffectPrompt?: string

  /** Midjourney: the upstream's id of the task to extend and which of its four clips. Set by the extend route only. */
  extendTask?: string
  extendIndex?: number

  animation?: boolean
  language?: string
  characters?: readonly Json[]
  framework?: string
  quality?: string
  directorNotes?: string
  shortRequestEnhancer?: boolean
  targetLengthInWords?: number
  scriptConfig?: JsonObject
  imageConfig?: JsonObject
  videoConfig?: JsonObject
  voiceoverConfig?: JsonObject
  captionsConfig?: JsonObject
  effectsConfig?: JsonObject
  musicConfig?: JsonObject
  motionConfig?: JsonObject
}>

/** What a job does with its inputs. `video`: any other change of a source video; `edit` changes it as a prompt says, `extend` goes on with it. */
export const operations = ['text', 'image', 'reference', 'video', 'edit', 'extend'] as const
export type Operation = (typeof operations)[number]

export type Field = keyof Input

export type Json = string | number | boolean | null | readonly Json[] | JsonObject
export type JsonObject = { readonly [key: string]: Json | undefined }

/** The fields that hold media, and of which kind. */
export const mediaFields = {
  image: 'image',
  last_image: 'image',
  referenceImages: 'image',
  referenceVideos: 'video',
  referenceAudios: 'audio',
  video: 'video',
  audio: 'audio',
  swapImage: 'image',
  targetVideo: 'video',
} as const satisfies Partial<Record<Field, MediaKind>>

export type MediaKind = 'image' | 'video' | 'audio'
