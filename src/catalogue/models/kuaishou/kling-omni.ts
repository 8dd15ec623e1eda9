import { defineModel, secondsBetween } from '../../define-model.ts'
import type { Model } from '../../model.ts'

const shared = { ownedBy: 'kuaishou', typicalSeconds: 240, deadlineSeconds: 3600 } as const
const prompt = { required: true, maxLength: 2500 } as const
const image = { required: true } as const
const ratio = { aspect_ratio: { choices: ['16:9', '9:16', '1:1'], default: '16:9' } } as const
const keepOriginalSound = { default: true } as const
/** Images, or a video, or both. */
function references(maxImages: number) {
  return {
    referenceImages: { required: { unless: ['referenceVideos'] }, max: maxImages },
    referenceVideos: { max: 1 },
  } as const
}
/** The video is as long as its source. */
const edit = {
  prompt,
  video: { required: true },
  keepOriginalSound,
  videoDuration: { min: 3, max: 10 },
} as const
const lengths = { secondsFrom: ['duration', 'videoDuration'], defaultSeconds: 5, stepSeconds: 1 } as const

type Described = Pick<Model, 'id' | 'name' | 'description'>

function o1({ usd, usdWithVideo, maxImages, ...model }: Described & O1Options): Model {
  const duration = { choices: secondsBetween(3, 10), default: 5 }
  return defineModel({
    ...shared,
    ...model,
    released: '2025-12-01',
    operations: {
      text: { prompt, ...ratio, duration: { choices: [5, 10], default: 5 } },
      image: { prompt, image, last_image: {}, duration },
      reference: { prompt, ...references(maxImages), ...ratio, keepOriginalSound: {}, duration },
      edit: { ...edit, referenceImages: { max: 4 } },
    },
    price: {
      source: 'NanoGPT model list, Runware model page',
      asOf: '2026-08',
      per: 'second',
      rates: [
        { mode: 'edit', usd: usdWithVideo },
        { given: ['referenceVideos'], usd: usdWithVideo },
        { usd },
      ],
      ...lengths,
    },
    providers: ['wavespeed', 'fal', 'runware'],
  })
}

type O1Options = { usd: number; usdWithVideo: number; maxImages: number }
type O3Options = { usd: number; usdWithAudio: number; usdWithVideo?: number; providers: Model['providers'] }

function o3({ usd, usdWithAudio, usdWithVideo, providers, ...model }: Described & O3Options): Model {
  const text = {
    prompt: { required: { unless: ['multiPrompt'] }, maxLength: 2500 },
    multiPrompt: { max: 6 },
    shotType: { choices: ['customize', 'intelligent'] },
    duration: { choices: secondsBetween(3, 15), default: 5 },
    generateAudio: { default: false },
  } as const
  const takesVideo = usdWithVideo !== undefined
  return defineModel({
    ...shared,
    ...model,
    released: '2026-02-05',
    operations: {
      text: { ...text, ...ratio, elements: { max: 3 } },
      image: { ...text, image, last_image: {}, elements: { max: 3 } },
      reference: takesVideo
        ? { ...text, ...ratio, ...references(7), elements: { max: 3 }, keepOriginalSound: {} }
        : { ...text, ...ratio, referenceImages: { required: true, max: 7 }, elements: { max: 3 } },
      ...(takesVideo && {
        edit: {
          ...edit,
          referenceImages: { max: 4 },
          shotType: text.shotType,
          elements: { max: 3 },
        },
      }),
    },
    price: {
      source: 'Runware model pages; WaveSpeed list for 4K',
      asOf: '2026-10',
      per: 'second',
      rates: [
        { mode: 'edit', usd: usdWithVideo ?? usd },
        { given: ['referenceVideos'], usd: usdWithVideo ?? usd },
        { when: { generateAudio: true }, usd: usdWithAudio },
        { usd },
      ],
      ...lengths,
    },
    providers,
  })
}

export const klingOmniModels: readonly Model[] = [
  o1({
    id: 'kling-video-o1',
    name: 'Kling O1',
    description: 'Kuaishou Kling O1 in 1080p: from words, an image or references, and edits of a video.',
    usd: 0.112,
    usdWithVideo: 0.168,
    maxImages: 7,
  }),
  o1({
    id: 'kling-video-o1-standard',
    name: 'Kling O1 Standard',
    description: 'Kuaishou Kling O1 in 720p: from words, an image or references, and edits of a video.',
    usd: 0.084,
    usdWithVideo: 0.126,
    maxImages: 10,
  }),
  o3({
    id: 'kling-o3-pro',
    name: 'Kling O3 Pro',
    description:
      'Kuaishou Kling O3 in 1080p, 3 to 15 s with audio: from words, an image or references, and edits.',
    usd: 0.112,
    usdWithAudio: 0.14,
    usdWithVideo: 0.168,
    providers: ['wavespeed', 'fal', 'runware'],
  }),
  o3({
    id: 'kling-o3-std',
    name: 'Kling O3 Standard',
    description:
      'Kuaishou Kling O3 in 720p, 3 to 15 s with audio: from words, an image or references, and edits.',
    usd: 0.084,
    usdWithAudio: 0.112,
    usdWithVideo: 0.126,
    providers: ['wavespeed', 'fal', 'runware'],
  }),
  o3({
    id: 'kling-o3-4k',
    name: 'Kling O3 4K',
    description: 'Kuaishou Kling O3 in 4K, 3 to 15 s with audio: from words, an image or references.',
    usd: 0.42,
    usdWithAudio: 0.42,
    providers: ['wavespeed'],
  }),
]
