/** What the stand-in takes for one model: `sizes` are those of a task that tells width and height. */
export type ModelSchema = {
  /** Fields beyond those of every video task. */
  fields: readonly string[]
  durations: readonly number[]
  promptLength?: number
  sizes?: readonly string[]
  /** `frame`: the frame decides, so that sizes beside one are refused. `always`: they must be there. */
  sizing: 'always' | 'never' | 'frame'
  /** Works from a first frame only. */
  needsFrame?: true
  /** Provider setting -> the values that it takes; an empty list takes any text. */
  settings?: Readonly<Record<string, readonly (string | boolean)[]>>
  /** Settings that no task has together. */
  exclusive?: readonly string[]
  /** A setting that a task with a frame must not have. */
  withoutFrame?: string
  usdPerSecond: number
}

/** Fields of every video task. */
export const commonFields = [
  ...[
    'taskType',
    'taskUUID',
    'model',
    'deliveryMethod',
    'inputs',
    'duration',
    'numberResults',
    'includeCost',
  ],
  ...['outputType', 'outputFormat', 'outputQuality', 'ttl', 'webhookURL', 'uploadEndpoint', 'safety'],
]

const large = ['1920x1080', '1080x1080', '1080x1920']
const prompt = 'positivePrompt'
const negative = 'negativePrompt'

const kling: ModelSchema = {
  fields: [prompt, negative, 'width', 'height', 'CFGScale'],
  durations: [5, 10],
  promptLength: 2500,
  sizes: large,
  sizing: 'always',
  usdPerSecond: 0.1848,
}

const pixverse: ModelSchema = {
  fields: [prompt, negative, 'width', 'height', 'resolution', 'seed', 'providerSettings'],
  durations: [5, 8],
  promptLength: 2048,
  sizes: [
    ...['640x360', '480x360', '360x360', '360x480', '360x640'],
    ...['960x540', '720x540', '540x540', '540x720', '540x960'],
    ...['1280x720', '960x720', '720x720', '720x960', '720x1280'],
    ...['1920x1080', '1440x1080', '1080x1080', '1080x1440', '1080x1920'],
  ],
  sizing: 'frame',
  settings: {
    style: ['anime', '3d_animation', 'clay', 'comic', 'cyberpunk'],
    motionMode: ['normal', 'fast'],
    soundEffectSwitch: [true, false],
    soundEffectContent: [],
    effect: [
      ...['bikini up', 'the tigers touch', 'jiggle jiggle', 'hug your love', 'kiss me ai', 'subject 3 fever'],
      ...['fin-tastic mermaid', 'lets ymca', 'skeleton dance', 'kungfu club', 'boom drop'],
      ...['vroom vroom step', 'creepy devil smile', 'pubg winner hit', '360 microwave'],
      ...['eye zoom challenge', 'muscle surge', 'punch face', 'balloon belly', 'kiss kiss'],
    ],
    cameraMovement: [
      ...['horizontal_left', 'horizontal_right', 'vertical_up', 'vertical_down', 'zoom_in', 'zoom_out'],
      ...['auto_camera', 'crane_up', 'quickly_zoom_in', 'quickly_zoom_out', 'smooth_zoom_in'],
      ...['camera_rotation', 'robo_arm', 'super_dolly_out', 'whip_pan', 'hitchcock', 'left_follow'],
      ...['right_follow', 'pan_left', 'pan_right', 'fix_bg'],
    ],
  },
  exclusive: ['effect', 'cameraMovement'],
  usdPerSecond: 0.0598,
}

/** By AIR id. */
export const schema: Readonly<Record<string, ModelSchema>> = {
  'klingai:5@1': {
    ...kling,
    fields: [prompt, 'width', 'height', 'CFGScale'],
    sizes: ['1280x720', '720x720', '720x1280'],
    needsFrame: true,
    usdPerSecond: 0.037,
  },
  'klingai:5@2': { ...kling, needsFrame: true, usdPerSecond: 0.06468 },
  'klingai:5@3': kling,
  'klingai:6@0': {
    ...kling,
    fields: [prompt, negative, 'CFGScale'],
    sizing: 'never',
    needsFrame: true,
    usdPerSecond: 0.042,
  },
  'google:3@1': {
    fields: [prompt, 'width', 'height', 'seed', 'providerSettings'],
    durations: [4, 6, 8],
    promptLength: 3000,
    sizes: ['1280x720', '720x1280', '1920x1080', '1080x1920'],
    sizing: 'always',
    settings: { generateAudio: [true, false] },
    usdPerSecond: 0.1,
  },
  'vidu:1@1': {
    fields: [prompt, 'width', 'height', 'seed', 'providerSettings'],
    durations: [5],
    promptLength: 3000,
    sizes: large,
    sizing: 'always',
    settings: { style: ['general', 'anime'], movementAmplitude: ['auto', 'small', 'medium', 'large'] },
    withoutFrame: 'style',
    usdPerSecond: 0.044,
  },
  'pixverse:1@3': pixverse,
  'pixverse:1@5': pixverse,
}
