import type { EndpointMapping } from '../../provider.ts'
import { anyBoolean, anyInteger, anyString, type BodySchema, oneOf, requiredPrompt } from '../../schema.ts'
import { createFalMapper, mediaFile, mediaFiles, requiredMediaFile, secondsAsText } from '../fields.ts'

const ratios = ['16:9', '9:16', '1:1', '4:3', '3:4']
const ratio = { aspect_ratio: oneOf(...ratios) }
const hd = { resolution: oneOf('720p', '1080p') }
const checked = { enable_safety_checker: anyBoolean, seed: anyInteger } as const
const wan3: BodySchema = {
  prompt: requiredPrompt,
  resolution: oneOf('480p', '720p', '1080p'),
  duration: { type: 'integer', min: 2, max: 30 },
  audio: anyBoolean,
  seed: anyInteger,
}
const wan3Ratio = { aspect_ratio: oneOf('adaptive', ...ratios) }
const wan3Image: BodySchema = { ...wan3, start_image_url: requiredMediaFile, end_image_url: mediaFile }
const wan3References: BodySchema = {
  ...wan3,
  ...wan3Ratio,
  reference_image_urls: mediaFiles(10),
  reference_video_urls: mediaFiles(5),
  reference_audio_urls: mediaFiles(5),
}
const wan2 = { prompt: requiredPrompt, negative_prompt: anyString, ...hd, ...checked } as const
const expansion = { enable_prompt_expansion: anyBoolean }
const wan26: BodySchema = { ...wan2, ...expansion, multi_shots: anyBoolean }
const tens = { duration: oneOf('5', '10', '15') }
const happyhorse: BodySchema = {
  ...hd,
  ...checked,
  duration: { type: 'integer', min: 3, max: 15 },
}
const happyhorsePrompt = { type: 'string', maxLength: 2500 } as const
const happyhorseText = { prompt: { ...happyhorsePrompt, required: true } } as const

function happyhorseAt(path: string, ...choices: readonly string[]): Readonly<Record<string, BodySchema>> {
  const aspect_ratio = oneOf(...ratios, ...choices)
  return {
    [`${path}/text-to-video`]: { ...happyhorse, ...happyhorseText, aspect_ratio },
    [`${path}/image-to-video`]: { ...happyhorse, prompt: happyhorsePrompt, image_url: requiredMediaFile },
    [`${path}/reference-to-video`]: {
      ...happyhorse,
      ...happyhorseText,
      aspect_ratio,
      image_urls: { ...mediaFiles(9), required: true },
    },
  }
}

/** FAL's client package of May 2026; Wan 3.0 and HappyHorse by its model pages of October 2026. */
export const falAlibabaSchemas: Readonly<Record<string, BodySchema>> = {
  'alibaba/wan-3.0/text-to-video': { ...wan3, ...wan3Ratio },
  'alibaba/wan-3.0/image-to-video': wan3Image,
  'alibaba/wan-3.0/reference-to-video': wan3References,
  'alibaba/wan-3.0-prime/text-to-video': { ...wan3, ...wan3Ratio },
  'alibaba/wan-3.0-prime/image-to-video': wan3Image,
  'alibaba/wan-3.0-prime/reference-to-video': wan3References,
  'fal-ai/wan/v2.7/text-to-video': {
    ...wan2,
    ...expansion,
    ...ratio,
    audio_url: mediaFile,
    duration: secondsAsText(2, 15),
  },
  'fal-ai/wan/v2.7/image-to-video': {
    ...wan2,
    ...expansion,
    audio_url: mediaFile,
    image_url: mediaFile,
    end_image_url: mediaFile,
    video_url: mediaFile,
    duration: secondsAsText(2, 15),
  },
  'fal-ai/wan/v2.7/reference-to-video': {
    ...wan2,
    ...ratio,
    multi_shots: anyBoolean,
    duration: secondsAsText(2, 10),
    reference_image_urls: mediaFiles(5),
    reference_video_urls: mediaFiles(5),
  },
  'fal-ai/wan/v2.7/edit-video': {
    prompt: requiredPrompt,
    ...hd,
    ...checked,
    ...ratio,
    audio_setting: oneOf('auto', 'origin'),
    duration: oneOf('0', '2', '3', '4', '5', '6', '7', '8', '9', '10'),
    reference_image_url: mediaFile,
    video_url: requiredMediaFile,
  },
  'wan/v2.6/text-to-video': { ...wan26, ...ratio, ...tens, audio_url: mediaFile },
  'wan/v2.6/image-to-video': { ...wan26, ...tens, audio_url: mediaFile, image_url: requiredMediaFile },
  'wan/v2.6/image-to-video/flash': { ...wan26, ...tens, audio_url: mediaFile, image_url: requiredMediaFile },
  'wan/v2.6/reference-to-video': {
    ...wan26,
    ...ratio,
    duration: oneOf('5', '10'),
    video_urls: { ...mediaFiles(3), required: true },
  },
  'wan/v2.6/reference-to-video/flash': {
    ...wan26,
    ...ratio,
    duration: oneOf('5', '10'),
    enable_audio: anyBoolean,
    image_urls: mediaFiles(5),
    video_urls: mediaFiles(3),
  },
  ...happyhorseAt('alibaba/happy-horse/v1.1', '21:9', '9:21', '5:4', '4:5'),
  ...happyhorseAt('alibaba/happy-horse'),
  'alibaba/happy-horse/video-edit': {
    ...happyhorseText,
    ...hd,
    ...checked,
    audio_setting: oneOf('auto', 'origin'),
    reference_image_urls: mediaFiles(5),
    video_url: requiredMediaFile,
  },
}

const map = createFalMapper(falAlibabaSchemas)

function everyOperation(path: string) {
  return {
    text: `${path}/text-to-video`,
    image: `${path}/image-to-video`,
    reference: `${path}/reference-to-video`,
  }
}

const wan3Names = { audio: 'generateAudio' } as const
const wan3Options = {
  names: { text: wan3Names, image: wan3Names, reference: wan3Names },
  note: 'The names of its audio and its media are those that public programs use.',
} as const

/** Wan from 2.6 on and HappyHorse. */
export const falAlibaba: Readonly<Record<string, EndpointMapping>> = {
  'alibaba/wan-3.0/text-to-video': map({ text: 'alibaba/wan-3.0/text-to-video' }, wan3Options),
  'alibaba/wan-3.0/image-to-video': map({ image: 'alibaba/wan-3.0/image-to-video' }, wan3Options),
  'alibaba/wan-3.0/reference-to-video': map({ reference: 'alibaba/wan-3.0/reference-to-video' }, wan3Options),
  'alibaba/wan-3.0-prime': map(everyOperation('alibaba/wan-3.0-prime'), wan3Options),
  'wan-2.7-video': map(
    {
      ...everyOperation('fal-ai/wan/v2.7'),
      edit: 'fal-ai/wan/v2.7/edit-video',
      extend: 'fal-ai/wan/v2.7/image-to-video',
    },
    { names: { edit: { reference_image_url: 'referenceImages' } } },
  ),
  'wan-26': map(everyOperation('wan/v2.6')),
  'wan-26-flash': map(
    { image: 'wan/v2.6/image-to-video/flash' },
    {
      optional: ['generateAudio'],
      unsupported: ({ generateAudio }) =>
        generateAudio === false ? 'FAL renders Wan 2.6 Flash with sound only' : undefined,
    },
  ),
  'wan-26-reference-to-video-flash': map({ reference: 'wan/v2.6/reference-to-video/flash' }),
  'happyhorse-1.1': map(everyOperation('alibaba/happy-horse/v1.1')),
  'happyhorse-1.0': map(
    { ...everyOperation('alibaba/happy-horse'), edit: 'alibaba/happy-horse/video-edit' },
    { note: 'Its fields are inferred from HappyHorse 1.1; those of an edit are what public programs send.' },
  ),
}
