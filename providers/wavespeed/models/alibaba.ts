import type { Input } from '../../input.ts'
import type { EndpointMapping } from '../../provider.ts'
import { anyBoolean, anyString, type BodySchema, oneOf, requiredPrompt } from '../../schema.ts'
import { adaptInput } from '../../schema-mapping.ts'
import {
  between,
  createWavespeedMapper,
  fileUrl,
  fileUrls,
  integers,
  requiredFileUrl,
  wavespeedSeed,
} from '../fields.ts'

const seed = wavespeedSeed
const ratio = { aspect_ratio: oneOf('16:9', '9:16', '1:1', '4:3', '3:4') }
const hd = { resolution: oneOf('720p', '1080p') }
const pixels = { size: oneOf('1280*720', '720*1280', '1920*1080', '1080*1920') }
const tens = { duration: integers(5, 10, 15) }
const image = { image: requiredFileUrl }
const video = { video: requiredFileUrl }

const wan3: BodySchema = {
  prompt: requiredPrompt,
  duration: between(2, 30),
  enable_audio: anyBoolean,
  resolution: oneOf('480p', '720p', '1080p'),
  seed,
  thinking_mode: anyBoolean,
  ...ratio,
}
const wan3Image: BodySchema = { ...wan3, ...image, last_image: fileUrl }
const wan3References: BodySchema = {
  ...wan3,
  reference_audios: fileUrls(5),
  reference_images: fileUrls(10),
  reference_videos: fileUrls(5),
}
const wan2 = {
  prompt: requiredPrompt,
  negative_prompt: anyString,
  enable_prompt_expansion: anyBoolean,
  seed,
} as const
const wan27: BodySchema = { ...wan2, ...hd }
const wan26: BodySchema = { ...wan2, audio: fileUrl, shot_type: oneOf('single', 'multi') }
const wan25: BodySchema = { ...wan2, audio: fileUrl }
const happyhorse: BodySchema = { prompt: requiredPrompt, ...hd, seed }
const happyhorseSeconds = { duration: between(3, 15) }

function happyhorseAt(path: string): Readonly<Record<string, BodySchema>> {
  return {
    [`${path}/text-to-video`]: { ...happyhorse, ...happyhorseSeconds, ...ratio },
    [`${path}/image-to-video`]: { ...happyhorse, ...happyhorseSeconds, ...image },
    [`${path}/reference-to-video`]: { ...happyhorse, ...happyhorseSeconds, ...ratio, images: fileUrls(9) },
    [`${path}/video-extend`]: { ...happyhorse, ...happyhorseSeconds, ...video },
  }
}

/** WaveSpeed's list of August 2026; Wan 2.2 and 2.5 by its model pages. */
export const wavespeedAlibabaSchemas: Readonly<Record<string, BodySchema>> = {
  'alibaba/wan-3.0/text-to-video': wan3,
  'alibaba/wan-3.0/image-to-video': wan3Image,
  'alibaba/wan-3.0/reference-to-video': wan3References,
  'alibaba/wan-3.0-prime/text-to-video': wan3,
  'alibaba/wan-3.0-prime/image-to-video': wan3Image,
  'alibaba/wan-3.0-prime/reference-to-video': wan3References,
  'alibaba/wan-2.7/text-to-video': { ...wan27, ...ratio, audio: fileUrl, duration: between(2, 15) },
  'alibaba/wan-2.7/image-to-video': {
    ...wan27,
    ...image,
    last_image: fileUrl,
    audio: fileUrl,
    duration: between(2, 15),
  },
  'alibaba/wan-2.7/reference-to-video': {
    ...wan27,
    ...ratio,
    duration: between(2, 10),
    image: fileUrl,
    reference_images: fileUrls(5),
    videos: fileUrls(5),
  },
  'alibaba/wan-2.7/video-edit': {
    ...wan27,
    ...video,
    audio_setting: oneOf('auto', 'origin'),
    duration: between(0, 10),
    images: fileUrls(3),
  },
  'alibaba/wan-2.7/video-extend': { ...wan27, ...video, audio: fileUrl, duration: between(5, 15) },
  'alibaba/wan-2.6/text-to-video': { ...wan26, ...pixels, ...tens },
  'alibaba/wan-2.6/image-to-video': { ...wan26, ...hd, ...tens, ...image },
  'alibaba/wan-2.6/image-to-video-flash': {
    ...wan26,
    ...hd,
    ...image,
    duration: between(2, 15),
    enable_audio: anyBoolean,
  },
  'alibaba/wan-2.6/image-to-video-pro': {
    ...wan26,
    ...tens,
    ...image,
    resolution: oneOf('1080p', '2k', '4k'),
  },
  'alibaba/wan-2.6/reference-to-video': {
    ...wan26,
    ...pixels,
    duration: integers(5, 10),
    videos: { ...fileUrls(3), required: true },
  },
  'alibaba/wan-2.6/reference-to-video-flash': {
    ...wan26,
    ...pixels,
    duration: integers(5, 10),
    enable_audio: anyBoolean,
    reference_urls: { ...fileUrls(5), required: true },
  },
  'alibaba/wan-2.6/video-extend': { ...wan26, ...hd, ...tens, ...video },
  'alibaba/wan-2.5/text-to-video-fast': { ...wan25, ...pixels, duration: integers(5, 10) },
  'alibaba/wan-2.5/image-to-video-fast': { ...wan25, ...hd, ...image, duration: between(3, 10) },
  'alibaba/wan-2.5/video-extend': {
    ...wan25,
    ...video,
    resolution: oneOf('480p', '720p', '1080p'),
    duration: between(3, 10),
  },
  'alibaba/wan-2.5/video-extend-fast': { ...wan25, ...hd, ...video, duration: between(3, 10) },
  'wavespeed-ai/wan-2.2-spicy/image-to-video': {
    prompt: requiredPrompt,
    ...image,
    resolution: oneOf('480p', '720p'),
    duration: integers(5, 8),
    seed,
  },
  ...happyhorseAt('alibaba/happyhorse-1.1'),
  ...happyhorseAt('alibaba/happyhorse-1.0'),
  'alibaba/happyhorse-1.0/video-edit': { ...happyhorse, ...video, images: fileUrls(9) },
}

const map = createWavespeedMapper(wavespeedAlibabaSchemas)

const sizes: Readonly<Record<string, string>> = {
  '720p 16:9': '1280x720',
  '720p 9:16': '720x1280',
  '1080p 16:9': '1920x1080',
  '1080p 9:16': '1080x1920',
}

/** Some endpoints take pixels, which exist in 16:9 and 9:16 only. */
function withPixels(input: Input): Input {
  const { resolution, aspect_ratio, ...others } = input
  const size = sizes[`${resolution} ${aspect_ratio}`]
  return size === undefined ? input : { ...others, size }
}

/** Images and videos in one list. */
function withOneReferenceList(input: Input): Input {
  const { referenceImages = [], referenceVideos = [], ...others } = withPixels(input)
  return { ...others, referenceImages: [...referenceImages, ...referenceVideos] }
}

function below<Operation extends string>(path: string, endings: Readonly<Record<Operation, string>>) {
  const entries = Object.entries<string>(endings)
  return Object.fromEntries(entries.map(([operation, ending]) => [operation, `${path}/${ending}`]))
}

const generations = {
  text: 'text-to-video',
  image: 'image-to-video',
  reference: 'reference-to-video',
} as const
const extend = { extend: 'video-extend' } as const
const edit = { edit: 'video-edit' } as const

/** Wan from 2.5 on and HappyHorse. */
export const wavespeedAlibaba: Readonly<Record<string, EndpointMapping>> = {
  'alibaba/wan-3.0/text-to-video': map({ text: 'alibaba/wan-3.0/text-to-video' }),
  'alibaba/wan-3.0/image-to-video': map({ image: 'alibaba/wan-3.0/image-to-video' }),
  'alibaba/wan-3.0/reference-to-video': map({ reference: 'alibaba/wan-3.0/reference-to-video' }),
  'alibaba/wan-3.0-prime': map(below('alibaba/wan-3.0-prime', generations), {
    note: 'Its fields are inferred from Wan 3.0.',
  }),
  'wan-2.7-video': map(below('alibaba/wan-2.7', { ...generations, ...edit, ...extend })),
  'wan-26': adaptInput(withPixels, map(below('alibaba/wan-2.6', { ...generations, ...extend }))),
  'wan-26-flash': map({ image: 'alibaba/wan-2.6/image-to-video-flash' }),
  'wan-26-image-to-video-pro': map({ image: 'alibaba/wan-2.6/image-to-video-pro' }),
  'wan-26-reference-to-video-flash': adaptInput(
    withOneReferenceList,
    map(
      { reference: 'alibaba/wan-2.6/reference-to-video-flash' },
      { names: { reference: { reference_urls: 'referenceImages' } } },
    ),
  ),
  'wan-25-fast': adaptInput(
    withPixels,
    map({ text: 'alibaba/wan-2.5/text-to-video-fast', image: 'alibaba/wan-2.5/image-to-video-fast' }),
  ),
  'wan-25-extend': map({ extend: 'alibaba/wan-2.5/video-extend' }),
  'wan-25-extend-fast': map({ extend: 'alibaba/wan-2.5/video-extend-fast' }),
  'wan-22-spicy': map({ image: 'wavespeed-ai/wan-2.2-spicy/image-to-video' }),
  'happyhorse-1.1': map(below('alibaba/happyhorse-1.1', { ...generations, ...extend })),
  'happyhorse-1.0': map(below('alibaba/happyhorse-1.0', { ...generations, ...edit, ...extend })),
}
