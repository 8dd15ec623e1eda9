import type { EndpointMapping } from '../../provider.ts'
import { anyBoolean, type BodySchema, oneOf, requiredPrompt } from '../../schema.ts'
import { createFalMapper, mediaFile, mediaFiles, requiredMediaFile } from '../fields.ts'

const ratios = ['16:9', '4:3', '3:2', '1:1', '2:3', '3:4', '9:16']
const resolution = oneOf('480p', '720p')
const duration = { type: 'integer', min: 1, max: 15 } as const
const grok: BodySchema = { prompt: requiredPrompt, duration, resolution }
const ltx: BodySchema = {
  prompt: requiredPrompt,
  resolution: oneOf('1080p', '1440p', '2160p'),
  duration: { type: 'integer', enum: [6, 8, 10] },
  fps: { type: 'integer', enum: [24, 25, 48, 50] },
  generate_audio: anyBoolean,
}
const ltxFast: BodySchema = {
  ...ltx,
  duration: { type: 'integer', enum: [6, 8, 10, 12, 14, 16, 18, 20] },
}
const ltxText = { aspect_ratio: oneOf('16:9', '9:16') }
const ltxImage = {
  aspect_ratio: oneOf('auto', '16:9', '9:16'),
  image_url: requiredMediaFile,
  end_image_url: mediaFile,
}

/** FAL's client package of May 2026 and its model pages; the pages show whole numbers where the package prints text. */
export const falGrokSchemas: Readonly<Record<string, BodySchema>> = {
  'xai/grok-imagine-video/text-to-video': { ...grok, aspect_ratio: oneOf(...ratios) },
  'xai/grok-imagine-video/image-to-video': {
    ...grok,
    image_url: requiredMediaFile,
    aspect_ratio: oneOf('auto', ...ratios),
  },
  'xai/grok-imagine-video/reference-to-video': {
    ...grok,
    duration: { type: 'integer', min: 1, max: 10 },
    reference_image_urls: { ...mediaFiles(7), required: true },
    aspect_ratio: oneOf(...ratios),
  },
  'xai/grok-imagine-video/edit-video': {
    prompt: requiredPrompt,
    video_url: requiredMediaFile,
    resolution: oneOf('auto', '480p', '720p'),
  },
  'xai/grok-imagine-video/extend-video': {
    prompt: requiredPrompt,
    video_url: requiredMediaFile,
    duration: { type: 'integer', min: 2, max: 10 },
  },
  'xai/grok-imagine-video/v1.5/image-to-video': { ...grok, image_url: requiredMediaFile },
  'fal-ai/ltx-2.3/text-to-video': { ...ltx, ...ltxText },
  'fal-ai/ltx-2.3/image-to-video': { ...ltx, ...ltxImage },
  'fal-ai/ltx-2.3/text-to-video/fast': { ...ltxFast, ...ltxText },
  'fal-ai/ltx-2.3/image-to-video/fast': { ...ltxFast, ...ltxImage },
}

const map = createFalMapper(falGrokSchemas)

/** Grok Imagine and LTX 2.3. */
export const falGrok: Readonly<Record<string, EndpointMapping>> = {
  'grok-imagine-video': map({
    text: 'xai/grok-imagine-video/text-to-video',
    image: 'xai/grok-imagine-video/image-to-video',
  }),
  'grok-imagine-video-reference-to-video': map({ reference: 'xai/grok-imagine-video/reference-to-video' }),
  'grok-imagine-video-edit': map({ edit: 'xai/grok-imagine-video/edit-video' }),
  'grok-imagine-video-extend': map({ extend: 'xai/grok-imagine-video/extend-video' }),
  'xai/grok-imagine-video/v1.5/image-to-video': map({ image: 'xai/grok-imagine-video/v1.5/image-to-video' }),
  'ltx-2.3-pro': map({ text: 'fal-ai/ltx-2.3/text-to-video', image: 'fal-ai/ltx-2.3/image-to-video' }),
  'ltx-2.3-fast': map({
    text: 'fal-ai/ltx-2.3/text-to-video/fast',
    image: 'fal-ai/ltx-2.3/image-to-video/fast',
  }),
}
