import type { EndpointMapping } from '../../provider.ts'
import { anyBoolean, anyInteger, anyString, type BodySchema, oneOf, requiredPrompt } from '../../schema.ts'
import { createFalMapper, mediaFile, mediaFiles, requiredMediaFile, secondsAsText } from '../fields.ts'

const q3: BodySchema = {
  prompt: requiredPrompt,
  audio: anyBoolean,
  duration: { type: 'integer', min: 1, max: 16 },
  resolution: oneOf('360p', '540p', '720p', '1080p'),
  seed: anyInteger,
}
const q2 = {
  prompt: requiredPrompt,
  bgm: anyBoolean,
  duration: secondsAsText(2, 8),
  movement_amplitude: oneOf('auto', 'small', 'medium', 'large'),
  seed: anyInteger,
} as const
const ratio = { aspect_ratio: oneOf('16:9', '9:16', '4:3', '3:4', '1:1') }
const pixverse = {
  prompt: requiredPrompt,
  negative_prompt: anyString,
  resolution: oneOf('360p', '540p', '720p', '1080p'),
  style: oneOf('anime', '3d_animation', 'clay', 'comic', 'cyberpunk'),
  generate_audio_switch: anyBoolean,
  seed: anyInteger,
} as const satisfies BodySchema
const thinking = { thinking_type: oneOf('enabled', 'disabled', 'auto') }
const pixverse6: BodySchema = { ...pixverse, ...thinking, duration: { type: 'integer', min: 1, max: 15 } }
const pixverse5: BodySchema = { ...pixverse, ...thinking, duration: oneOf('5', '8', '10') }
const ratio6 = { aspect_ratio: oneOf('16:9', '4:3', '1:1', '3:4', '9:16', '2:3', '3:2', '21:9') }
const ratio5 = { aspect_ratio: oneOf('16:9', '4:3', '1:1', '3:4', '9:16') }
const frames = { first_image_url: requiredMediaFile, end_image_url: mediaFile }
const ray = {
  prompt: requiredPrompt,
  resolution: oneOf('540p', '720p', '1080p'),
  duration: oneOf('5s', '10s'),
} as const
const rayFrame = {
  aspect_ratio: oneOf('3:1', '2:1', '21:9', '16:9', '4:3', '3:2', '1:1', '3:4', '2:3', '9:16', '1:2', '1:3'),
  loop: anyBoolean,
}

/** FAL's client package of May 2026; Luma Ray 3.2 by its model pages of October 2026. */
export const falViduSchemas: Readonly<Record<string, BodySchema>> = {
  'fal-ai/vidu/q3/text-to-video': { ...q3, ...ratio },
  'fal-ai/vidu/q3/image-to-video': { ...q3, image_url: requiredMediaFile, end_image_url: mediaFile },
  'fal-ai/vidu/q2/text-to-video': {
    ...q2,
    aspect_ratio: oneOf('16:9', '9:16', '1:1'),
    resolution: oneOf('720p', '1080p'),
  },
  'fal-ai/vidu/q2/image-to-video/pro': {
    ...q2,
    image_url: requiredMediaFile,
    end_image_url: mediaFile,
    resolution: oneOf('720p', '1080p'),
  },
  'fal-ai/vidu/q2/reference-to-video/pro': {
    ...q2,
    ...ratio,
    duration: { type: 'integer', min: 1, max: 8 },
    reference_image_urls: mediaFiles(7),
    resolution: oneOf('540p', '720p', '1080p'),
  },
  'fal-ai/pixverse/v6/text-to-video': { ...pixverse6, ...ratio6 },
  'fal-ai/pixverse/v6/image-to-video': { ...pixverse6, image_url: requiredMediaFile },
  'fal-ai/pixverse/v6/transition': { ...pixverse6, ...ratio6, ...frames },
  'fal-ai/pixverse/v6/extend': {
    ...pixverse,
    duration: { type: 'integer', min: 1, max: 15 },
    video_url: requiredMediaFile,
  },
  'fal-ai/pixverse/v5.6/text-to-video': { ...pixverse5, ...ratio5 },
  'fal-ai/pixverse/v5.6/image-to-video': { ...pixverse5, image_url: requiredMediaFile },
  'fal-ai/pixverse/v5.6/transition': { ...pixverse5, ...ratio5, ...frames },
  'fal-ai/pixverse/v5.5/text-to-video': { ...pixverse5, ...ratio5 },
  'fal-ai/pixverse/v5.5/image-to-video': { ...pixverse5, image_url: requiredMediaFile },
  'fal-ai/pixverse/v5.5/transition': { ...pixverse5, ...ratio5, ...frames },
  'luma/agent/ray/v3.2/text-to-video': { ...ray, ...rayFrame },
  'luma/agent/ray/v3.2/image-to-video': { ...ray, ...rayFrame, image_url: requiredMediaFile },
  'luma/agent/ray/v3.2/video-to-video': { ...ray, video_url: requiredMediaFile },
}

const map = createFalMapper(falViduSchemas)
const sound = { audio: 'generateAudio' } as const

function pixverseEndpoints(path: string) {
  return {
    text: `${path}/text-to-video`,
    image: `${path}/image-to-video`,
    frames: `${path}/transition`,
  }
}

const frameNames = { names: { frames: { first_image_url: 'image' } } } as const

/** Vidu Q2 and Q3, PixVerse from 5.5, Luma Ray 3.2. */
export const falVidu: Readonly<Record<string, EndpointMapping>> = {
  'vidu-q3': map(
    { text: 'fal-ai/vidu/q3/text-to-video', image: 'fal-ai/vidu/q3/image-to-video' },
    { names: { text: sound, image: sound } },
  ),
  'vidu-q2': map({
    text: 'fal-ai/vidu/q2/text-to-video',
    image: 'fal-ai/vidu/q2/image-to-video/pro',
    reference: 'fal-ai/vidu/q2/reference-to-video/pro',
  }),
  'pixverse-v6': map(
    { ...pixverseEndpoints('fal-ai/pixverse/v6'), extend: 'fal-ai/pixverse/v6/extend' },
    frameNames,
  ),
  'pixverse-v56': map(pixverseEndpoints('fal-ai/pixverse/v5.6'), frameNames),
  'pixverse-v55': map(pixverseEndpoints('fal-ai/pixverse/v5.5'), frameNames),
  'luma/agent/ray/v3.2': map({
    text: 'luma/agent/ray/v3.2/text-to-video',
    image: 'luma/agent/ray/v3.2/image-to-video',
    edit: 'luma/agent/ray/v3.2/video-to-video',
  }),
}
