import type { Field } from '../../providers/input.ts'

export type FieldKind =
  | 'text'
  | 'word'
  | 'ratio'
  | 'resolution'
  | 'size'
  | 'number'
  | 'integer'
  | 'seed'
  | 'seconds'
  | 'switch'
  | 'media'
  | 'mediaList'
  | 'object'
  | 'list'

/** One request field. Names are compared without case and underscores, so `aliases` lists only true synonyms. */
type FieldSpec = {
  kind: FieldKind
  label: string
  description: string
  aliases?: readonly string[]
  /** Names with the opposite meaning: true there is false here. */
  opposites?: readonly string[]
  /** The field that receives an object sent under this name. */
  objectField?: Field
  min?: number
  max?: number
  /** The length of a source. It is never adjusted, because that would not change the source. */
  isSourceLength?: true
  /** Set by a route, never read from a request. */
  isInternal?: true
}

/** Every request field. */
export const fields: Readonly<Record<Field, FieldSpec>> = {
  prompt: {
    kind: 'text',
    label: 'Prompt',
    description: 'What the video shows, or what a lip-sync voice says.',
    aliases: ['text', 'positivePrompt'],
  },
  negative_prompt: { kind: 'text', label: 'Negative prompt', description: 'What the video must not show.' },
  script: {
    kind: 'text',
    label: 'Script',
    description: 'A finished text that is spoken as it stands; it wins over the prompt.',
  },
  storyConfig: {
    kind: 'object',
    label: 'Story',
    description: 'A structured story: scenes, narration, voice.',
  },

  duration: {
    kind: 'seconds',
    label: 'Duration',
    description: 'Length of the video in seconds.',
    aliases: ['seconds', 'targetLengthInSeconds', 'durationSeconds', 'n_seconds', 'video_length'],
    min: 1,
  },
  aspect_ratio: {
    kind: 'ratio',
    label: 'Aspect ratio',
    description: 'Width to height; landscape, portrait and square stand for 16:9, 9:16 and 1:1.',
    aliases: ['aspect', 'orientation', 'ratio'],
  },
  resolution: {
    kind: 'resolution',
    label: 'Resolution',
    description: 'How fine the picture is.',
    aliases: ['target_resolution', 'video_quality'],
  },
  size: { kind: 'size', label: 'Size', description: 'A ratio, or width and height in pixels.' },
  seed: {
    kind: 'seed',
    label: 'Seed',
    description: 'The same seed repeats a result where the model can; -1 or nothing is random.',
    min: 0,
  },
  mode: { kind: 'word', label: 'Mode', description: 'What is done with the inputs.' },
  operation: {
    kind: 'word',
    label: 'Operation',
    description: 'The operation that the caller named.',
    isInternal: true,
  },
  style: { kind: 'word', label: 'Style', description: 'A style preset.' },
  generateAudio: {
    kind: 'switch',
    label: 'Audio',
    description: 'Adds generated sound.',
    aliases: ['enable_audio', 'sound', 'audioEnabled', 'generate_audio_switch', 'with_audio'],
  },
  enhancePrompt: {
    kind: 'switch',
    label: 'Enhance prompt',
    description: 'Lets the upstream rewrite the prompt.',
    aliases: ['enable_prompt_expansion', 'prompt_optimizer', 'prompt_extend', 'prompt_upsampling'],
  },
  pro_mode: {
    kind: 'switch',
    label: 'Pro mode',
    description: 'Higher quality at a higher price.',
    aliases: ['pro'],
  },
  camera_fixed: {
    kind: 'switch',
    label: 'Fixed camera',
    description: 'Keeps the virtual camera still.',
    aliases: ['camera_fix'],
  },
  bgm: {
    kind: 'switch',
    label: 'Background music',
    description: 'Adds background music.',
    aliases: ['background_music'],
  },
  loop: {
    kind: 'switch',
    label: 'Loop',
    description: 'Lets the end of the video lead over to its beginning.',
  },
  enableWebSearch: {
    kind: 'switch',
    label: 'Web search',
    description: 'Lets the upstream search the web for what the prompt names.',
    aliases: ['web_search'],
  },
  shotType: {
    kind: 'word',
    label: 'Shots',
    description: 'One shot, or several.',
  },
  multiPrompt: {
    kind: 'list',
    label: 'Shot prompts',
    description: 'The shots of the video in their order, each an object with `prompt` and `duration`.',
  },
  elements: {
    kind: 'list',
    label: 'Elements',
    description: 'Persons and things that the prompt names, each an object with its images.',
    aliases: ['element_list'],
  },
  thinkingMode: {
    kind: 'word',
    label: 'Thinking mode',
    description: 'Whether the upstream plans the video before it renders it.',
    aliases: ['thinking_type', 'thinking'],
  },
  variant: { kind: 'word', label: 'Variant', description: 'A make of the model.' },
  characterOrientation: {
    kind: 'word',
    label: 'Character orientation',
    description: 'Whether the person is turned as in the image or as in the video.',
  },
  keepOriginalSound: {
    kind: 'switch',
    label: 'Keep original sound',
    description: 'Keeps the sound of the source video.',
  },
  enable_safety_checker: {
    kind: 'switch',
    label: 'Safety checker',
    description: 'Lets the upstream check the result for unsafe content.',
    opposites: ['showExplicitContent'],
  },

  image: {
    kind: 'media',
    label: 'Image',
    description: 'The source image: a link or a data URL.',
    aliases: [
      ...['imageDataUrl', 'imageUrl', 'input_reference', 'imageAttachmentId'],
      ...['input_image', 'input_image_url', 'image_input', 'init_image', 'source_image', 'source_image_url'],
      ...['start_image', 'start_image_url', 'start_frame', 'start_frame_url', 'start_frame_image'],
      ...['first_image', 'first_image_url', 'first_frame', 'first_frame_url', 'first_frame_image'],
      ...['images', 'image_urls', 'input_images'],
    ],
  },
  last_image: {
    kind: 'media',
    label: 'Last image',
    description: 'The image that the video ends with: a link or a data URL.',
    aliases: [
      ...['lastImageDataUrl', 'last_image_url', 'last_frame', 'last_frame_url', 'last_frame_image'],
      ...['end_image', 'endImageDataUrl', 'end_image_url', 'end_frame', 'end_frame_url', 'end_frame_image'],
      ...['image_tail', 'image_tail_url', 'tail_image', 'tail_image_url', 'tail_frame', 'tail_frame_url'],
      ...['final_image', 'final_image_url', 'final_frame', 'final_frame_url', 'lastImageAttachmentId'],
    ],
  },
  referenceImages: {
    kind: 'mediaList',
    label: 'Reference images',
    description: 'Images that guide the look: links or data URLs.',
    aliases: [
      ...['reference_image', 'reference_image_url', 'reference_image_urls', 'ref_image', 'ref_images'],
      ...['ref_image_url', 'ref_image_urls'],
    ],
  },
  referenceVideos: {
    kind: 'mediaList',
    label: 'Reference videos',
    description: 'Videos that guide the look: links or data URLs.',
    aliases: [
      ...['reference_video', 'reference_video_url', 'reference_video_urls', 'ref_video', 'ref_videos'],
      ...['ref_video_url', 'ref_video_urls'],
    ],
  },
  referenceAudios: {
    kind: 'mediaList',
    label: 'Reference audios',
    description: 'Voices and sounds that guide the sound: links or data URLs.',
    aliases: [
      ...['reference_audio', 'reference_audio_url', 'reference_audio_urls', 'ref_audio', 'ref_audios'],
      ...['ref_audio_url', 'ref_audio_urls'],
    ],
  },
  video: {
    kind: 'media',
    label: 'Video',
    description: 'The source video: a link or a data URL.',
    aliases: [
      ...['videoDataUrl', 'videoUrl', 'videoAttachmentId', 'input_video', 'input_video_url', 'init_video'],
      ...['source_video', 'source_video_url', 'driving_video', 'driving_video_url', 'videos', 'video_urls'],
    ],
  },
  audio: {
    kind: 'media',
    label: 'Audio',
    description: 'The speech or sound that drives the video: a link or a data URL.',
    aliases: [
      ...['audioDataUrl', 'audioUrl', 'audioAttachmentId', 'input_audio', 'input_audio_url', 'source_audio'],
      ...['driving_audio', 'driving_audio_url', 'audios', 'audio_urls'],
    ],
  },
  swapImage: {
    kind: 'media',
    label: 'Face image',
    description: 'The face that is put in: a link or a data URL.',
    aliases: ['swap_image_url', 'swap_url', 'face_image', 'face_image_url'],
  },
  targetVideo: {
    kind: 'media',
    label: 'Target video',
    description: 'The video whose face is replaced: a link or a data URL.',
    aliases: ['target_video_url', 'target_url'],
  },
  targetFaceIndex: {
    kind: 'integer',
    label: 'Face',
    description: 'Which face of the target video, from 0.',
    min: 0,
  },

  voice_id: { kind: 'word', label: 'Voice', description: 'The voice that speaks.', aliases: ['voice'] },
  voice_language: {
    kind: 'word',
    label: 'Voice language',
    description: 'The language that the voice speaks.',
  },
  voice_speed: {
    kind: 'number',
    label: 'Voice speed',
    description: 'How fast the voice speaks; 1 is natural.',
    min: 0.8,
    max: 2,
  },
  videoDuration: {
    kind: 'seconds',
    label: 'Source length',
    description: 'Length of the source video in seconds, for billing.',
    min: 0.1,
    isSourceLength: true,
  },
  billedDuration: {
    kind: 'seconds',
    label: 'Billed length',
    description: 'Seconds to bill, where they are known.',
    min: 0.1,
    isSourceLength: true,
  },
  audioDuration: {
    kind: 'seconds',
    label: 'Audio length',
    description: 'Length of the audio in seconds, for billing.',
    min: 0.1,
    isSourceLength: true,
  },

  num_frames: {
    kind: 'integer',
    label: 'Frames',
    description: 'How many frames are rendered.',
    aliases: ['frames'],
    min: 1,
  },
  frames_per_second: {
    kind: 'integer',
    label: 'Frames per second',
    description: 'Frames shown in a second.',
    aliases: ['fps', 'frame_rate'],
    min: 1,
  },
  num_inference_steps: {
    kind: 'integer',
    label: 'Inference steps',
    description: 'More steps are finer and slower.',
    aliases: ['steps', 'inference_steps'],
    min: 1,
  },
  cfg_scale: {
    kind: 'number',
    label: 'Guidance',
    description: 'How closely the video follows the prompt.',
    aliases: ['guidance_scale', 'guide_scale', 'cfg'],
    min: 0,
  },
  shift: { kind: 'number', label: 'Shift', description: 'The noise schedule shift.' },
  interpolator_model: {
    kind: 'word',
    label: 'Interpolator',
    description: 'What makes the frames in between.',
  },
  num_interpolated_frames: {
    kind: 'integer',
    label: 'Interpolated frames',
    description: 'Frames made between each two rendered ones.',
    min: 0,
  },
  adjust_fps_for_interpolation: {
    kind: 'switch',
    label: 'Adjust frame rate',
    description: 'Raises the frame rate with interpolated frames, so that the length stays.',
  },
  acceleration: {
    kind: 'switch',
    label: 'Acceleration',
    description: 'Renders faster at some loss of quality.',
  },

  movementAmplitude: { kind: 'word', label: 'Movement', description: 'How much moves.' },
  motion: {
    kind: 'word',
    label: 'Motion',
    description: 'How strong the motion is.',
    objectField: 'motionConfig',
  },
  effectType: { kind: 'word', label: 'Effect type', description: 'The family of the effect.' },
  effect: { kind: 'word', label: 'Effect', description: 'An effect preset.' },
  cameraMovement: { kind: 'word', label: 'Camera movement', description: 'A camera movement preset.' },
  motionMode: { kind: 'word', label: 'Motion mode', description: 'How the motion is rendered.' },
  soundEffectSwitch: { kind: 'switch', label: 'Sound effects', description: 'Adds sound effects.' },
  soundEffectPrompt: {
    kind: 'text',
    label: 'Sound prompt',
    description: 'What the sound effects are.',
    aliases: ['soundEffectContent'],
  },

  extendTask: {
    kind: 'word',
    label: 'Extended task',
    description: 'The task that is extended.',
    isInternal: true,
  },
  extendIndex: {
    kind: 'integer',
    label: 'Extended clip',
    description: 'Which clip is extended.',
    isInternal: true,
  },

  animation: { kind: 'switch', label: 'Animation', description: 'Animates the pictures of a story.' },
  language: { kind: 'word', label: 'Language', description: 'The language of a story.' },
  characters: { kind: 'list', label: 'Characters', description: 'Who appears in a story.' },
  framework: { kind: 'word', label: 'Framework', description: 'How a story is built.' },
  quality: { kind: 'word', label: 'Quality', description: 'A quality preset.' },
  directorNotes: { kind: 'text', label: 'Director notes', description: 'How a story is to be filmed.' },
  shortRequestEnhancer: {
    kind: 'switch',
    label: 'Enhance short requests',
    description: 'Makes a full story of a short prompt.',
  },
  targetLengthInWords: {
    kind: 'integer',
    label: 'Words',
    description: 'Length of a story in words.',
    min: 1,
  },
  scriptConfig: { kind: 'object', label: 'Script settings', description: 'Style and length of the script.' },
  imageConfig: { kind: 'object', label: 'Image settings', description: 'The model that draws the pictures.' },
  videoConfig: {
    kind: 'object',
    label: 'Video settings',
    description: 'Whether and by what pictures are animated.',
  },
  voiceoverConfig: {
    kind: 'object',
    label: 'Voice-over settings',
    description: 'Whether a story has a narrator, and which.',
  },
  captionsConfig: {
    kind: 'object',
    label: 'Caption settings',
    description: 'Whether and how captions are shown.',
  },
  effectsConfig: {
    kind: 'object',
    label: 'Effect settings',
    description: 'Transitions and floating pictures.',
  },
  musicConfig: {
    kind: 'object',
    label: 'Music settings',
    description: 'Whether, which and how loud music plays.',
  },
  motionConfig: {
    kind: 'object',
    label: 'Motion settings',
    description: 'Whether and how strongly pictures move.',
  },
}

/** Keys of a request that are no field of a video, and are not for this room. */
const metadataNames = [
  'model',
  'modelSlug',
  'conversationUUID',
  'projectId',
  'provider',
  'isApiRequest',
  'paymentSource',
  'cost',
  'webhookUrl',
  'callback_url',
  'user',
]

export const allFields = Object.keys(fields) as readonly Field[]

/** The names of a field, the canonical one first. */
export function acceptedNames(field: Field): readonly string[] {
  const { aliases = [], opposites = [], isInternal } = fields[field]
  return isInternal ? [] : [field, ...aliases, ...opposites]
}

/** A name without case and underscores: `imageDataUrl` and `image_data_url` are equal. */
export function normalizeName(name: string): string {
  return normalizedNames.get(name) ?? name.replaceAll('_', '').toLowerCase()
}

/** Caches the names that most requests use. */
const normalizedNames = new Map<string, string>()
for (const name of [...allFields.flatMap(acceptedNames), ...metadataNames])
  normalizedNames.set(name, normalizeName(name))

type FieldMatch = { field: Field; rank: number; isOpposite: boolean }

const fieldMatches = new Map<string, FieldMatch>(
  allFields.flatMap((field) =>
    acceptedNames(field).map((name, rank): [string, FieldMatch] => [
      normalizeName(name),
      { field, rank, isOpposite: fields[field].opposites?.includes(name) ?? false },
    ]),
  ),
)

const normalizedMetadataNames = new Set(metadataNames.map(normalizeName))

/** Finds the field of a name; `rank` 0 is the canonical name. */
export function matchFieldName(name: string): FieldMatch | 'metadata' | undefined {
  const normalizedName = normalizeName(name)
  return normalizedMetadataNames.has(normalizedName) ? 'metadata' : fieldMatches.get(normalizedName)
}
