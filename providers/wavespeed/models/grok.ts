import type { EndpointMapping } from '../../provider.ts'
import { type BodySchema, oneOf, requiredPrompt } from '../../schema.ts'
import {
  between,
  createWavespeedMapper,
  fileUrls,
  integers,
  requiredFileUrl,
  wavespeedSeed,
} from '../fields.ts'

const resolution = oneOf('480p', '720p')
const grok: BodySchema = { prompt: requiredPrompt, duration: integers(6, 10), resolution }
const grok15 = { prompt: requiredPrompt, duration: between(1, 15) } as const
const ratios15 = { aspect_ratio: oneOf('16:9', '1:1', '9:16', '3:2', '2:3') }
const resolutions15 = { resolution: oneOf('480p', '720p', '1080p') }
const ltx25: BodySchema = {
  prompt: requiredPrompt,
  duration: between(5, 20),
  resolution: oneOf('720p', '1080p', '2k', '4k'),
  seed: wavespeedSeed,
}
const ltx23: BodySchema = { ...ltx25, resolution: oneOf('480p', '720p', '1080p') }
const ltxRatio = { aspect_ratio: oneOf('16:9', '9:16') }

/** WaveSpeed's list of August 2026. */
export const wavespeedGrokSchemas: Readonly<Record<string, BodySchema>> = {
  'x-ai/grok-imagine-video/text-to-video': { ...grok, aspect_ratio: oneOf('16:9', '1:1', '9:16') },
  'x-ai/grok-imagine-video/image-to-video': { ...grok, image: requiredFileUrl },
  'x-ai/grok-imagine-video/reference-to-video': { ...grok, images: fileUrls(7) },
  'x-ai/grok-imagine-video/edit-video': { prompt: requiredPrompt, video: requiredFileUrl, resolution },
  'x-ai/grok-imagine-video/video-extend': {
    prompt: requiredPrompt,
    video: requiredFileUrl,
    duration: integers(6, 10),
  },
  'x-ai/grok-imagine-video-v1.5/text-to-video': { ...grok15, ...ratios15, ...resolutions15 },
  'x-ai/grok-imagine-video-v1.5/image-to-video': { ...grok15, ...resolutions15, image: requiredFileUrl },
  'x-ai/grok-imagine-video-v1.5/reference-to-video': {
    ...grok15,
    ...ratios15,
    resolution,
    reference_images: { ...fileUrls(7), required: true },
  },
  'runwayml/aleph-2': { prompt: requiredPrompt, video: requiredFileUrl, seed: wavespeedSeed },
  'wavespeed-ai/ltx-2.5/text-to-video': { ...ltx25, ...ltxRatio },
  'wavespeed-ai/ltx-2.5/image-to-video': { ...ltx25, image: requiredFileUrl, last_image: { type: 'url' } },
  'wavespeed-ai/ltx-2.3/text-to-video': { ...ltx23, ...ltxRatio },
  'wavespeed-ai/ltx-2.3/image-to-video': { ...ltx23, image: requiredFileUrl },
}

const map = createWavespeedMapper(wavespeedGrokSchemas)

/** Grok Imagine, Runway Aleph and LTX. */
export const wavespeedGrok: Readonly<Record<string, EndpointMapping>> = {
  'grok-imagine-video': map({
    text: 'x-ai/grok-imagine-video/text-to-video',
    image: 'x-ai/grok-imagine-video/image-to-video',
  }),
  'grok-imagine-video-reference-to-video': map({ reference: 'x-ai/grok-imagine-video/reference-to-video' }),
  'grok-imagine-video-edit': map({ edit: 'x-ai/grok-imagine-video/edit-video' }),
  'grok-imagine-video-extend': map({ extend: 'x-ai/grok-imagine-video/video-extend' }),
  'xai/grok-imagine-video/v1.5/image-to-video': map({
    text: 'x-ai/grok-imagine-video-v1.5/text-to-video',
    image: 'x-ai/grok-imagine-video-v1.5/image-to-video',
    reference: 'x-ai/grok-imagine-video-v1.5/reference-to-video',
  }),
  'runwayml-aleph-2': map({ edit: 'runwayml/aleph-2' }),
  'lightricks/ltx-2.5/fast': map({
    text: 'wavespeed-ai/ltx-2.5/text-to-video',
    image: 'wavespeed-ai/ltx-2.5/image-to-video',
  }),
  'ltx-2.3-quality': map(
    { text: 'wavespeed-ai/ltx-2.3/text-to-video', image: 'wavespeed-ai/ltx-2.3/image-to-video' },
    { note: 'That WaveSpeed renders the same open model as FAL’s ltx-2.3-quality is inferred.' },
  ),
}
