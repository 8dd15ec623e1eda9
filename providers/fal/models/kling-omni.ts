import type { EndpointMapping } from '../../provider.ts'
import { anyBoolean, anyString, type BodySchema, oneOf, requiredPrompt } from '../../schema.ts'
import { createFalMapper, mediaFile, mediaFiles, requiredMediaFile, secondsAsText } from '../fields.ts'

const ratio = { aspect_ratio: oneOf('16:9', '9:16', '1:1') }
const o1 = { prompt: requiredPrompt, duration: secondsAsText(3, 10) } as const
const edit: BodySchema = {
  prompt: requiredPrompt,
  video_url: requiredMediaFile,
  image_urls: mediaFiles(4),
  keep_audio: anyBoolean,
}
const o1FromImage: BodySchema = { ...o1, start_image_url: requiredMediaFile, end_image_url: mediaFile }
const o1FromReferences: BodySchema = { ...o1, ...ratio, image_urls: mediaFiles(7) }
const o3 = {
  prompt: anyString,
  duration: secondsAsText(3, 15),
  generate_audio: anyBoolean,
  multi_prompt: { type: 'array', items: { type: 'object' } },
  shot_type: oneOf('customize', 'intelligent'),
} as const satisfies BodySchema
const o3FromImage: BodySchema = { ...o3, image_url: requiredMediaFile, end_image_url: mediaFile }
const o3FromReferences: BodySchema = { ...o3, ...ratio, image_urls: mediaFiles(7) }
const o3Edit: BodySchema = { ...edit, shot_type: oneOf('customize', 'intelligent') }

/** FAL's client package of May 2026. How many images an endpoint takes is in its model pages. */
export const falKlingOmniSchemas: Readonly<Record<string, BodySchema>> = {
  'fal-ai/kling-video/o1/image-to-video': o1FromImage,
  'fal-ai/kling-video/o1/reference-to-video': o1FromReferences,
  'fal-ai/kling-video/o1/video-to-video/edit': edit,
  'fal-ai/kling-video/o1/standard/image-to-video': o1FromImage,
  'fal-ai/kling-video/o1/standard/reference-to-video': o1FromReferences,
  'fal-ai/kling-video/o1/standard/video-to-video/edit': edit,
  'fal-ai/kling-video/o3/pro/text-to-video': { ...o3, ...ratio },
  'fal-ai/kling-video/o3/pro/image-to-video': o3FromImage,
  'fal-ai/kling-video/o3/pro/reference-to-video': o3FromReferences,
  'fal-ai/kling-video/o3/pro/video-to-video/edit': o3Edit,
  'fal-ai/kling-video/o3/standard/text-to-video': { ...o3, ...ratio },
  'fal-ai/kling-video/o3/standard/image-to-video': o3FromImage,
  'fal-ai/kling-video/o3/standard/reference-to-video': o3FromReferences,
  'fal-ai/kling-video/o3/standard/video-to-video/edit': o3Edit,
}

const map = createFalMapper(falKlingOmniSchemas)

/** FAL has no text endpoint of O1. */
function o1Endpoints(path: string) {
  return {
    image: `${path}/image-to-video`,
    reference: `${path}/reference-to-video`,
    edit: `${path}/video-to-video/edit`,
  }
}

/** Kling O1 and O3. */
export const falKlingOmni: Readonly<Record<string, EndpointMapping>> = {
  'kling-video-o1': map(o1Endpoints('fal-ai/kling-video/o1')),
  'kling-video-o1-standard': map(o1Endpoints('fal-ai/kling-video/o1/standard')),
  'kling-o3-pro': map({
    text: 'fal-ai/kling-video/o3/pro/text-to-video',
    ...o1Endpoints('fal-ai/kling-video/o3/pro'),
  }),
  'kling-o3-std': map({
    text: 'fal-ai/kling-video/o3/standard/text-to-video',
    ...o1Endpoints('fal-ai/kling-video/o3/standard'),
  }),
}
