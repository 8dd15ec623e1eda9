import type { Input } from '../../../providers/input.ts'
import type { Model } from '../model.ts'

const shared = {
  ownedBy: 'pixverse',
  modes: ['text', 'image'],
  fields: {
    prompt: { required: true, maxLength: 2048 },
    negative_prompt: { maxLength: 2048 },
    image: {},
    size: {
      choices: [
        ...['16:9', '4:3', '1:1', '3:4', '9:16'],
        ...['640x360', '480x360', '360x360', '360x480', '360x640'],
        ...['960x540', '720x540', '540x540', '540x720', '540x960'],
        ...['1280x720', '960x720', '720x720', '720x960', '720x1280'],
        ...['1920x1080', '1440x1080', '1080x1080', '1080x1440', '1080x1920'],
      ],
    },
    resolution: { choices: ['360p', '540p', '720p', '1080p'] },
    duration: { choices: [5, 8], default: 5 },
    style: { choices: ['anime', '3d_animation', 'clay', 'comic', 'cyberpunk'] },
    effectType: {},
    effect: {
      choices: [
        ...['bikini up', 'the tigers touch', 'jiggle jiggle', 'hug your love', 'kiss me ai'],
        ...[
          'subject 3 fever',
          'fin-tastic mermaid',
          'lets ymca',
          'skeleton dance',
          'kungfu club',
          'boom drop',
        ],
        ...[
          'vroom vroom step',
          'creepy devil smile',
          'pubg winner hit',
          '360 microwave',
          'eye zoom challenge',
        ],
        ...['muscle surge', 'punch face', 'balloon belly', 'kiss kiss'],
      ],
    },
    cameraMovement: {
      choices: [
        ...['horizontal_left', 'horizontal_right', 'vertical_up', 'vertical_down', 'zoom_in', 'zoom_out'],
        ...['auto_camera', 'crane_up', 'quickly_zoom_in', 'quickly_zoom_out', 'smooth_zoom_in'],
        ...['camera_rotation', 'robo_arm', 'super_dolly_out', 'whip_pan', 'hitchcock', 'left_follow'],
        ...['right_follow', 'pan_left', 'pan_right', 'fix_bg'],
      ],
    },
    motionMode: { choices: ['normal', 'fast'] },
    soundEffectSwitch: { default: false },
    soundEffectPrompt: { maxLength: 2048 },
    seed: {},
  },
  price: {
    source:
      'Runware model page of PixVerse 5, USD 0.0598 a second in 1080p; it lists no lower resolutions, which are billed the same',
    asOf: '2026-08',
    per: 'second',
    rates: [{ usd: 0.0598 }],
  },
  typicalSeconds: 60,
  deadlineSeconds: 1800,
  providers: ['runware', 'fal'],
  check: checkContradictions,
} as const satisfies Partial<Model>

export const pixverseModels: readonly Model[] = [
  {
    ...shared,
    id: 'pixverse-v45',
    name: 'PixVerse 4.5',
    description: 'PixVerse 4.5: 5 or 8 s from words or an image, with effects, camera movements and sound.',
    released: '2025-05-13',
  },
  {
    ...shared,
    id: 'pixverse-v5',
    name: 'PixVerse 5',
    description: 'PixVerse 5: 5 or 8 s from words or an image, with effects, camera movements and sound.',
    released: '2025-08-27',
  },
]

function checkContradictions(input: Input): ReturnType<NonNullable<Model['check']>> {
  const { size = '', resolution, duration, effect, cameraMovement, effectType, motionMode } = input
  const shorterSide = size.includes('x') ? Math.min(...size.split('x').map(Number)) : undefined
  const isLarge = resolution === '1080p' || shorterSide === 1080
  if (motionMode === 'fast' && (duration === 8 || isLarge)) {
    const message = '`motionMode` fast is rendered in 5 s and at most 720p only'
    return { field: 'motionMode', message, instead: 'normal' }
  }
  if (effect !== undefined && cameraMovement !== undefined && effectType === undefined) {
    const message =
      '`cameraMovement` and `effect` exclude each other; `effectType` (effect, camera) can tell which is meant'
    return { field: 'cameraMovement', message, instead: null }
  }
  return undefined
}
