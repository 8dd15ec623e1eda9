import type { EndpointMapping } from '../../provider.ts'
import { anyBoolean, anyString, type BodySchema, oneOf, requiredPrompt } from '../../schema.ts'
import {
  between,
  createWavespeedMapper,
  fileUrl,
  fileUrls,
  requiredFileUrl,
  wavespeedSeed,
} from '../fields.ts'

const motion = { movement_amplitude: oneOf('auto', 'small', 'medium', 'large'), bgm: anyBoolean }
const style = { style: oneOf('general', 'anime') }
const ratio = { aspect_ratio: oneOf('16:9', '9:16', '4:3', '3:4', '1:1') }
const hd = { resolution: oneOf('540p', '720p', '1080p') }
const q3: BodySchema = {
  prompt: requiredPrompt,
  ...motion,
  ...hd,
  duration: between(1, 16),
  generate_audio: anyBoolean,
  seed: wavespeedSeed,
}
const q2: BodySchema = {
  prompt: requiredPrompt,
  ...motion,
  ...hd,
  duration: between(1, 10),
  seed: wavespeedSeed,
}

const pixverse = {
  prompt: requiredPrompt,
  duration: between(1, 15),
  resolution: oneOf('360p', '540p', '720p', '1080p'),
  generate_audio_switch: anyBoolean,
} as const
const wideRatio = { aspect_ratio: oneOf('16:9', '4:3', '1:1', '3:4', '9:16', '2:3', '3:2', '21:9') }
const thinking = { thinking_type: oneOf('enabled', 'disabled', 'auto') }
const pixverseStyle = oneOf('anime', '3d_animation', 'clay', 'comic', 'cyberpunk')
const pixverse5: BodySchema = {
  ...pixverse,
  ...thinking,
  duration: { type: 'integer', enum: [5, 8, 10] },
  negative_prompt: anyString,
  seed: wavespeedSeed,
}
const pixverse5Ratio = { resolution_ratio: oneOf('16:9', '4:3', '1:1', '3:4', '9:16') }

/** WaveSpeed's list of August 2026. */
export const wavespeedViduSchemas: Readonly<Record<string, BodySchema>> = {
  'vidu/q3/text-to-video': { ...q3, ...ratio, ...style },
  'vidu/q3/image-to-video': { ...q3, image: requiredFileUrl },
  'vidu/q3/start-end-to-video': { ...q3, image: requiredFileUrl, last_image: requiredFileUrl },
  'vidu/q3/reference-to-video': {
    prompt: requiredPrompt,
    images: fileUrls(4),
    ...ratio,
    duration: between(1, 16),
    generate_audio: anyBoolean,
    resolution: oneOf('360p', '540p', '720p', '1080p'),
    seed: wavespeedSeed,
  },
  'vidu/q3-pro/text-to-video': { ...q3, ...style },
  'vidu/q3-pro/image-to-video': { ...q3, image: requiredFileUrl },
  'vidu/q3-pro/start-end-to-video': { ...q3, image: requiredFileUrl, last_image: requiredFileUrl },
  'vidu/text-to-video-q2': { ...q2, ...style, aspect_ratio: oneOf('3:4', '4:3') },
  'vidu/image-to-video-q2-pro': { ...q2, image: requiredFileUrl },
  'vidu/start-end-to-video-q2-pro': {
    ...q2,
    duration: between(1, 8),
    image: requiredFileUrl,
    last_image: requiredFileUrl,
  },
  'vidu/reference-to-video-q2': {
    prompt: requiredPrompt,
    images: fileUrls(7),
    ...ratio,
    ...hd,
    duration: between(1, 10),
    movement_amplitude: motion.movement_amplitude,
    seed: wavespeedSeed,
  },
  'pixverse/pixverse-v6/text-to-video': { ...pixverse, ...wideRatio, ...thinking },
  'pixverse/pixverse-v6/image-to-video': { ...pixverse, ...thinking, image: requiredFileUrl },
  'pixverse/pixverse-v6/transition': {
    ...pixverse,
    ...wideRatio,
    image: requiredFileUrl,
    end_image: fileUrl,
    negative_prompt: anyString,
    seed: wavespeedSeed,
    style: pixverseStyle,
  },
  'pixverse/pixverse-v6/extend': {
    ...pixverse,
    video: requiredFileUrl,
    negative_prompt: anyString,
    seed: wavespeedSeed,
    style: pixverseStyle,
  },
  'pixverse/pixverse-c1/text-to-video': { ...pixverse, ...wideRatio },
  'pixverse/pixverse-c1/image-to-video': { ...pixverse, image: requiredFileUrl },
  'pixverse/pixverse-c1/transition': {
    ...pixverse,
    ...wideRatio,
    image: requiredFileUrl,
    end_image: requiredFileUrl,
  },
  'pixverse/pixverse-v5.6/text-to-video': { ...pixverse5, ...pixverse5Ratio },
  'pixverse/pixverse-v5.6/image-to-video': { ...pixverse5, image: requiredFileUrl },
  'pixverse/pixverse-v5.5/text-to-video': { ...pixverse5, ...pixverse5Ratio },
  'pixverse/pixverse-v5.5/image-to-video': { ...pixverse5, image: requiredFileUrl },
}

const map = createWavespeedMapper(wavespeedViduSchemas)

function textAndImage(path: string): EndpointMapping {
  return map({ text: `${path}/text-to-video`, image: `${path}/image-to-video` })
}

/** Vidu Q2 and Q3, PixVerse from 5.5. */
export const wavespeedVidu: Readonly<Record<string, EndpointMapping>> = {
  'vidu-q3': map({
    text: 'vidu/q3/text-to-video',
    image: 'vidu/q3/image-to-video',
    frames: 'vidu/q3/start-end-to-video',
    reference: 'vidu/q3/reference-to-video',
  }),
  'vidu-q3-pro': map(
    {
      text: 'vidu/q3-pro/text-to-video',
      image: 'vidu/q3-pro/image-to-video',
      frames: 'vidu/q3-pro/start-end-to-video',
    },
    { note: 'WaveSpeed lists no ratio for Q3 Pro from words: it renders 16:9.' },
  ),
  'vidu-q2': map({
    text: 'vidu/text-to-video-q2',
    image: 'vidu/image-to-video-q2-pro',
    frames: 'vidu/start-end-to-video-q2-pro',
    reference: 'vidu/reference-to-video-q2',
  }),
  'pixverse-v6': map({
    text: 'pixverse/pixverse-v6/text-to-video',
    image: 'pixverse/pixverse-v6/image-to-video',
    frames: 'pixverse/pixverse-v6/transition',
    extend: 'pixverse/pixverse-v6/extend',
  }),
  'pixverse-c1': map({
    text: 'pixverse/pixverse-c1/text-to-video',
    image: 'pixverse/pixverse-c1/image-to-video',
    frames: 'pixverse/pixverse-c1/transition',
  }),
  'pixverse-v56': textAndImage('pixverse/pixverse-v5.6'),
  'pixverse-v55': textAndImage('pixverse/pixverse-v5.5'),
}
