import type { EndpointMapping } from '../../provider.ts'
import { anyBoolean, anyString, type BodySchema, oneOf, requiredPrompt } from '../../schema.ts'
import {
  between,
  createWavespeedMapper,
  fileUrl,
  fileUrls,
  integers,
  objects,
  requiredFileUrl,
} from '../fields.ts'

const ratio = { aspect_ratio: oneOf('16:9', '9:16', '1:1') }
const sound = { keep_original_sound: anyBoolean }
const o1 = { prompt: requiredPrompt, duration: between(3, 10) } as const
const o1FromText: BodySchema = { prompt: requiredPrompt, ...ratio, duration: integers(5, 10) }
const o1FromImage: BodySchema = { ...o1, image: requiredFileUrl, last_image: fileUrl }
const o3 = {
  prompt: anyString,
  duration: between(3, 15),
  sound: anyBoolean,
  multi_prompt: objects(6),
  shot_type: oneOf('customize', 'intelligent'),
} as const
const elements = { element_list: objects(3) }
const o3FromImage: BodySchema = { ...o3, image: requiredFileUrl, end_image: fileUrl }
const o3FromReferences: BodySchema = { ...o3, ...ratio, images: fileUrls(7) }
const o3Edit: BodySchema = {
  prompt: requiredPrompt,
  video: requiredFileUrl,
  images: fileUrls(4),
  shot_type: oneOf('customize', 'intelligent'),
  ...sound,
}

/** WaveSpeed's list of August 2026. */
export const wavespeedKlingOmniSchemas: Readonly<Record<string, BodySchema>> = {
  'kwaivgi/kling-video-o1/text-to-video': o1FromText,
  'kwaivgi/kling-video-o1/image-to-video': o1FromImage,
  'kwaivgi/kling-video-o1/reference-to-video': {
    ...o1,
    ...ratio,
    ...sound,
    images: fileUrls(7),
    video: fileUrl,
  },
  'kwaivgi/kling-video-o1/video-edit': {
    prompt: requiredPrompt,
    video: requiredFileUrl,
    images: fileUrls(4),
    ...sound,
  },
  'kwaivgi/kling-video-o1-std/text-to-video': o1FromText,
  'kwaivgi/kling-video-o1-std/image-to-video': o1FromImage,
  'kwaivgi/kling-video-o1-std/reference-to-video': { ...o1, ...sound, images: fileUrls(10), video: fileUrl },
  'kwaivgi/kling-video-o1-std/video-edit': {
    prompt: requiredPrompt,
    video: requiredFileUrl,
    images: fileUrls(10),
    ...sound,
  },
  'kwaivgi/kling-video-o3-pro/text-to-video': { ...o3, ...ratio, ...elements },
  'kwaivgi/kling-video-o3-pro/image-to-video': { ...o3FromImage, ...elements },
  'kwaivgi/kling-video-o3-pro/reference-to-video': {
    ...o3FromReferences,
    ...elements,
    ...sound,
    video: fileUrl,
  },
  'kwaivgi/kling-video-o3-pro/video-edit': { ...o3Edit, ...elements },
  'kwaivgi/kling-video-o3-std/text-to-video': { ...o3, ...ratio },
  'kwaivgi/kling-video-o3-std/image-to-video': o3FromImage,
  'kwaivgi/kling-video-o3-std/reference-to-video': { ...o3FromReferences, ...sound, video: fileUrl },
  'kwaivgi/kling-video-o3-std/video-edit': o3Edit,
  'kwaivgi/kling-video-o3-4k/text-to-video': { ...o3, ...ratio, ...elements },
  'kwaivgi/kling-video-o3-4k/image-to-video': { ...o3FromImage, ...elements },
  'kwaivgi/kling-video-o3-4k/reference-to-video': { ...o3FromReferences, ...elements },
}

const map = createWavespeedMapper(wavespeedKlingOmniSchemas)

function everyOperation(path: string): EndpointMapping {
  return map(
    {
      text: `${path}/text-to-video`,
      image: `${path}/image-to-video`,
      reference: `${path}/reference-to-video`,
      edit: `${path}/video-edit`,
    },
    { names: { reference: { video: 'referenceVideos' } } },
  )
}

/** Kling O1 and O3. */
export const wavespeedKlingOmni: Readonly<Record<string, EndpointMapping>> = {
  'kling-video-o1': everyOperation('kwaivgi/kling-video-o1'),
  'kling-video-o1-standard': everyOperation('kwaivgi/kling-video-o1-std'),
  'kling-o3-pro': everyOperation('kwaivgi/kling-video-o3-pro'),
  'kling-o3-std': everyOperation('kwaivgi/kling-video-o3-std'),
  'kling-o3-4k': map({
    text: 'kwaivgi/kling-video-o3-4k/text-to-video',
    image: 'kwaivgi/kling-video-o3-4k/image-to-video',
    reference: 'kwaivgi/kling-video-o3-4k/reference-to-video',
  }),
}
