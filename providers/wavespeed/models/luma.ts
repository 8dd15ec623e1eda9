import type { EndpointMapping } from '../../provider.ts'
import { anyBoolean, anyString, type BodySchema, oneOf, requiredPrompt } from '../../schema.ts'
import { selectMapping } from '../../schema-mapping.ts'
import {
  between,
  createWavespeedMapper,
  fileUrl,
  fileUrls,
  integers,
  requiredFileUrl,
  wavespeedSeed,
} from '../fields.ts'

const ray = { prompt: requiredPrompt, resolution: oneOf('540p', '720p', '1080p') } as const
const raySize = { size: oneOf('16:9', '9:16', '1:1', '4:3', '3:4'), reference: fileUrls(4) }
const flux = {
  prompt: requiredPrompt,
  aspect_ratio: oneOf('21:9', '2:1', '16:9', '4:3', '1:1', '3:4', '9:16'),
  duration: between(5, 20),
  generate_audio: anyBoolean,
} as const
const fluxFull: BodySchema = { ...flux, resolution: oneOf('720p', '1080p') }
const skyreels: BodySchema = {
  prompt: requiredPrompt,
  duration: between(3, 15),
  mode: oneOf('std', 'fast'),
  resolution: oneOf('480p', '720p', '1080p'),
  sound: anyBoolean,
}
const skyreelsRatio = { aspect_ratio: oneOf('16:9', '9:16', '1:1') }
const talkingHead: BodySchema = {
  image: requiredFileUrl,
  audio: requiredFileUrl,
  prompt: anyString,
  resolution: oneOf('480p', '720p'),
  seed: wavespeedSeed,
}

/** WaveSpeed's list of August 2026. */
export const lumaSchemas: Readonly<Record<string, BodySchema>> = {
  'luma/ray-3.2/text-to-video': { ...ray, ...raySize, duration: integers(5, 10) },
  'luma/ray-3.2/image-to-video': {
    ...ray,
    ...raySize,
    duration: integers(5),
    image: requiredFileUrl,
    last_image: fileUrl,
  },
  'luma/ray-3.2/video-edit': { ...ray, duration: integers(5, 10), video: requiredFileUrl },
  'black-forest-labs/flux-3/text-to-video': fluxFull,
  'black-forest-labs/flux-3/image-to-video': { ...fluxFull, image: requiredFileUrl },
  'black-forest-labs/flux-3/start-end-to-video': {
    ...fluxFull,
    start_image: requiredFileUrl,
    end_image: requiredFileUrl,
  },
  'black-forest-labs/flux-3/video-extend': { ...fluxFull, video: requiredFileUrl },
  'black-forest-labs/flux-3/text-to-video-draft': flux,
  'black-forest-labs/flux-3/image-to-video-draft': { ...flux, image: requiredFileUrl },
  'black-forest-labs/flux-3/start-end-to-video-draft': {
    ...fluxFull,
    start_image: requiredFileUrl,
    end_image: requiredFileUrl,
  },
  'black-forest-labs/flux-3/video-extend-draft': { ...flux, video: requiredFileUrl },
  'skywork-ai/skyreels-v4/text-to-video': { ...skyreels, ...skyreelsRatio },
  'skywork-ai/skyreels-v4/image-to-video': {
    ...skyreels,
    first_frame_image: requiredFileUrl,
    end_frame_image: fileUrl,
  },
  'skywork-ai/skyreels-v4/reference-to-video': {
    ...skyreels,
    ...skyreelsRatio,
    images: fileUrls(3),
    ref_videos: fileUrls(1),
  },
  'wavespeed-ai/infinitetalk': talkingHead,
  'wavespeed-ai/longcat-avatar-1.5': talkingHead,
}

const map = createWavespeedMapper(lumaSchemas)
const size = { size: 'aspect_ratio', reference: 'referenceImages' } as const

function flux3(suffix: '' | '-draft'): EndpointMapping {
  const path = 'black-forest-labs/flux-3'
  return map(
    {
      text: `${path}/text-to-video${suffix}`,
      image: `${path}/image-to-video${suffix}`,
      frames: `${path}/start-end-to-video${suffix}`,
      extend: `${path}/video-extend${suffix}`,
    },
    {
      names: { frames: { start_image: 'image' } },
      optional: ['variant', ...(suffix === '' ? [] : (['resolution'] as const))],
    },
  )
}

/** Luma Ray, FLUX 3, SkyReels and talking heads. */
export const wavespeedLuma: Readonly<Record<string, EndpointMapping>> = {
  'luma/agent/ray/v3.2': map(
    {
      text: 'luma/ray-3.2/text-to-video',
      image: 'luma/ray-3.2/image-to-video',
      edit: 'luma/ray-3.2/video-edit',
    },
    { names: { text: size, image: size } },
  ),
  'flux-3': selectMapping(({ variant }) => (variant === 'draft' ? 'draft' : 'full'), {
    full: flux3(''),
    draft: flux3('-draft'),
  }),
  'skywork-ai/skyreels-v4': map(
    {
      text: 'skywork-ai/skyreels-v4/text-to-video',
      image: 'skywork-ai/skyreels-v4/image-to-video',
      reference: 'skywork-ai/skyreels-v4/reference-to-video',
    },
    {
      names: {
        image: { first_frame_image: 'image', end_frame_image: 'last_image' },
        reference: { ref_videos: 'referenceVideos' },
      },
    },
  ),
  infinitetalk: map({ image: 'wavespeed-ai/infinitetalk' }),
  'longcat-avatar-1.5': map({ image: 'wavespeed-ai/longcat-avatar-1.5' }),
}
