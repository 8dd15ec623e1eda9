import type { EndpointMapping } from '../../provider.ts'
import { anyBoolean, anyInteger, anyString, type BodySchema, oneOf, requiredPrompt } from '../../schema.ts'
import { createFalMapper, mediaFiles, requiredMediaFile } from '../fields.ts'

const veo = {
  prompt: requiredPrompt,
  negative_prompt: anyString,
  generate_audio: anyBoolean,
  seed: anyInteger,
} as const satisfies BodySchema
const clip = { ...veo, duration: oneOf('4s', '6s', '8s') }
const fromText: BodySchema = {
  ...clip,
  aspect_ratio: oneOf('16:9', '9:16'),
  resolution: oneOf('720p', '1080p'),
}
const imageRatio = { aspect_ratio: oneOf('auto', '16:9', '9:16') }
const fromImage: BodySchema = {
  ...clip,
  ...imageRatio,
  image_url: requiredMediaFile,
  resolution: oneOf('720p', '1080p'),
}
const fromFrames: BodySchema = {
  ...clip,
  ...imageRatio,
  first_frame_url: requiredMediaFile,
  last_frame_url: requiredMediaFile,
  resolution: oneOf('720p', '1080p', '4k'),
}
// The types name no choices; its default is 720p.
const extend: BodySchema = { ...veo, video_url: requiredMediaFile, resolution: oneOf('720p') }
const omni: BodySchema = {
  prompt: requiredPrompt,
  aspect_ratio: oneOf('16:9', '9:16'),
  duration: { type: 'integer', min: 3, max: 10 },
}

/** FAL's client package of May 2026; Gemini Omni by its model pages of October 2026. */
export const falGoogleSchemas: Readonly<Record<string, BodySchema>> = {
  'fal-ai/veo3.1/fast': fromText,
  'fal-ai/veo3.1/fast/image-to-video': fromImage,
  'fal-ai/veo3.1/fast/first-last-frame-to-video': fromFrames,
  'fal-ai/veo3.1/lite': fromText,
  'fal-ai/veo3.1/lite/image-to-video': fromImage,
  'fal-ai/veo3.1/lite/first-last-frame-to-video': {
    ...fromFrames,
    duration: oneOf('8s'),
    resolution: oneOf('720p', '1080p'),
  },
  'fal-ai/veo3.1/extend-video': extend,
  'fal-ai/veo3.1/fast/extend-video': extend,
  'google/gemini-omni-flash': omni,
  'google/gemini-omni-flash/image-to-video': { ...omni, image_url: requiredMediaFile },
  'google/gemini-omni-flash/reference-to-video': {
    ...omni,
    image_urls: { ...mediaFiles(4), required: true },
  },
  'google/gemini-omni-flash/edit': { prompt: requiredPrompt, video_url: requiredMediaFile },
}

const map = createFalMapper(falGoogleSchemas)
/** These always have sound; FAL has to be told. */
const withAudio = { implied: { generateAudio: true } }

/** Veo 3.1 and Gemini Omni. */
export const falGoogle: Readonly<Record<string, EndpointMapping>> = {
  'veo3-1-fast-video': map({
    text: 'fal-ai/veo3.1/fast',
    image: 'fal-ai/veo3.1/fast/image-to-video',
    frames: 'fal-ai/veo3.1/fast/first-last-frame-to-video',
  }),
  'veo3-1-lite-video': map(
    {
      text: 'fal-ai/veo3.1/lite',
      image: 'fal-ai/veo3.1/lite/image-to-video',
      frames: 'fal-ai/veo3.1/lite/first-last-frame-to-video',
    },
    withAudio,
  ),
  'veo3-1-extend': map({ extend: 'fal-ai/veo3.1/extend-video' }, withAudio),
  'veo3-1-fast-extend': map({ extend: 'fal-ai/veo3.1/fast/extend-video' }, withAudio),
  'google/gemini-omni-flash': map({
    text: 'google/gemini-omni-flash',
    image: 'google/gemini-omni-flash/image-to-video',
    reference: 'google/gemini-omni-flash/reference-to-video',
    edit: 'google/gemini-omni-flash/edit',
  }),
}
