import type { EndpointMapping } from '../../provider.ts'
import { anyBoolean, anyString, type BodySchema, oneOf, requiredPrompt } from '../../schema.ts'
import {
  between,
  createWavespeedMapper,
  fileUrl,
  fileUrls,
  integers,
  requiredFileUrl,
  wavespeedSeed,
} from '../fields.ts'

const ratio = { aspect_ratio: oneOf('16:9', '9:16') }
const veo = { prompt: requiredPrompt, negative_prompt: anyString, seed: wavespeedSeed } as const
const fast: BodySchema = {
  ...veo,
  ...ratio,
  duration: integers(4, 6, 8),
  resolution: oneOf('720p', '1080p', '4k'),
  generate_audio: anyBoolean,
}
const lite: BodySchema = {
  ...veo,
  ...ratio,
  duration: integers(4, 6, 8),
  resolution: oneOf('720p', '1080p'),
}
const extend: BodySchema = { ...veo, video: requiredFileUrl, resolution: oneOf('720p', '1080p') }
const omni: BodySchema = { prompt: requiredPrompt, ...ratio, duration: between(3, 10) }

/** WaveSpeed's list of August 2026. */
export const wavespeedGoogleSchemas: Readonly<Record<string, BodySchema>> = {
  'google/veo3.1-fast/text-to-video': fast,
  'google/veo3.1-fast/image-to-video': { ...fast, image: requiredFileUrl, last_image: fileUrl },
  'google/veo3.1-fast/reference-to-video': {
    ...veo,
    ...ratio,
    images: fileUrls(3),
    resolution: oneOf('720p', '1080p'),
    generate_audio: anyBoolean,
  },
  'google/veo3.1-fast/video-extend': extend,
  'google/veo3.1/video-extend': extend,
  'google/veo3.1-lite/text-to-video': lite,
  'google/veo3.1-lite/image-to-video': { ...lite, image: requiredFileUrl },
  'google/gemini-omni-flash/text-to-video': omni,
  'google/gemini-omni-flash/image-to-video': { ...omni, image: requiredFileUrl },
  'google/gemini-omni-flash/reference-to-video': { ...omni, images: fileUrls(4) },
  'google/gemini-omni-flash/video-edit': { prompt: requiredPrompt, video: requiredFileUrl },
}

const map = createWavespeedMapper(wavespeedGoogleSchemas)

/** Veo 3.1 and Gemini Omni. */
export const wavespeedGoogle: Readonly<Record<string, EndpointMapping>> = {
  'veo3-1-fast-video': map(
    {
      text: 'google/veo3.1-fast/text-to-video',
      image: 'google/veo3.1-fast/image-to-video',
      reference: 'google/veo3.1-fast/reference-to-video',
    },
    { optional: ['duration'] },
  ),
  'veo3-1-lite-video': map({
    text: 'google/veo3.1-lite/text-to-video',
    image: 'google/veo3.1-lite/image-to-video',
  }),
  'veo3-1-extend': map({ extend: 'google/veo3.1/video-extend' }),
  'veo3-1-fast-extend': map({ extend: 'google/veo3.1-fast/video-extend' }),
  'google/gemini-omni-flash': map({
    text: 'google/gemini-omni-flash/text-to-video',
    image: 'google/gemini-omni-flash/image-to-video',
    reference: 'google/gemini-omni-flash/reference-to-video',
    edit: 'google/gemini-omni-flash/video-edit',
  }),
}
