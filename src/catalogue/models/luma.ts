import type { Input } from '../../../providers/input.ts'
import { defineModel, secondsBetween } from '../define-model.ts'
import type { Model } from '../model.ts'

const image = { required: true } as const
const video = { required: true } as const
const prompt = { required: true, maxLength: 5000 } as const

const ray = {
  prompt,
  resolution: { choices: ['540p', '720p', '1080p'], default: '540p' },
  duration: { choices: [5, 10], default: 5 },
} as const
const rayRatio = {
  choices: ['16:9', '9:16', '1:1', '4:3', '3:4', '21:9', '3:2', '2:3', '2:1', '1:2', '3:1', '1:3'],
  default: '16:9',
} as const
const rayReferences = { max: 4 } as const

/** Luma: a loop is rendered in 5 s only. */
function checkLoop({ loop, duration }: Input): ReturnType<NonNullable<Model['check']>> {
  if (loop !== true || duration !== 10) return undefined
  return { field: 'loop', message: '`loop` is rendered in 5 s only', instead: false }
}

const flux = {
  prompt,
  variant: { choices: ['full', 'draft'], default: 'full' },
  resolution: { choices: ['720p', '1080p'], default: '720p' },
  duration: { choices: secondsBetween(5, 20), default: 5 },
  generateAudio: { default: true },
} as const
const fluxRatios = ['21:9', '2:1', '16:9', '4:3', '1:1', '3:4', '9:16'] as const

const skyreels = {
  prompt,
  mode: { choices: ['std', 'fast'], default: 'std' },
  resolution: { choices: ['480p', '720p', '1080p'], default: '1080p' },
  duration: { choices: secondsBetween(3, 15), default: 5 },
  generateAudio: { default: false },
} as const
const skyreelsRatio = { choices: ['16:9', '9:16', '1:1'], default: '16:9' } as const

/** Lets a picture speak. The video is as long as the audio. */
function talkingHead(model: Pick<Model, 'id' | 'name' | 'description' | 'released'>, source: string): Model {
  return {
    ...model,
    ownedBy: 'wavespeed-ai',
    modes: ['image'],
    fields: {
      prompt: { maxLength: 5000 },
      image,
      audio: { required: true },
      resolution: { choices: ['480p', '720p'], default: '480p' },
      seed: {},
      audioDuration: { max: 600 },
    },
    price: {
      source,
      asOf: '2026-08',
      per: 'second',
      rates: [{ when: { resolution: '720p' }, usd: 0.06 }, { usd: 0.03 }],
      secondsFrom: ['audioDuration'],
      defaultSeconds: 5,
      minimumSeconds: 5,
      stepSeconds: 1,
    },
    typicalSeconds: 300,
    deadlineSeconds: 7200,
    providers: ['wavespeed'],
  }
}

export const lumaModels: readonly Model[] = [
  defineModel({
    id: 'luma/agent/ray/v3.2',
    name: 'Luma Ray 3.2',
    description: 'Luma Ray 3.2: 5 or 10 s in up to 1080p, from words or an image, and edits of a video.',
    ownedBy: 'luma',
    released: '2026-06-16',
    fields: ray,
    operations: {
      text: { aspect_ratio: rayRatio, referenceImages: rayReferences, loop: {} },
      image: { aspect_ratio: rayRatio, image, last_image: {}, referenceImages: rayReferences, loop: {} },
      edit: { video },
    },
    price: {
      source: 'NanoGPT model list; WaveSpeed list for edits: USD 0.72 for 5 s in 540p',
      asOf: '2026-08',
      per: 'second',
      rates: [
        { mode: 'edit', when: { resolution: '1080p' }, usd: 0.576 },
        { mode: 'edit', when: { resolution: '720p' }, usd: 0.288 },
        { mode: 'edit', usd: 0.144 },
        { when: { resolution: '1080p' }, usd: 0.4 },
        { when: { resolution: '720p' }, usd: 0.2 },
        { usd: 0.1 },
      ],
    },
    typicalSeconds: 300,
    deadlineSeconds: 3600,
    providers: ['fal', 'wavespeed', 'runware'],
    check: checkLoop,
  }),
  defineModel({
    id: 'flux-3',
    name: 'FLUX 3',
    description: 'Black Forest Labs FLUX 3: 5 to 20 s with sound, from words or images, and on from a video.',
    ownedBy: 'black-forest-labs',
    released: '2026-07-28',
    fields: flux,
    operations: {
      text: { aspect_ratio: { choices: fluxRatios, default: '16:9' } },
      image: { aspect_ratio: { choices: fluxRatios }, image, last_image: {} },
      extend: { aspect_ratio: { choices: fluxRatios }, video },
    },
    price: {
      source: 'NanoGPT model list; WaveSpeed list for drafts that extend a video',
      asOf: '2026-08',
      per: 'second',
      rates: [
        { mode: 'extend', when: { variant: 'draft' }, usd: 0.12 },
        { mode: 'extend', when: { resolution: '1080p' }, usd: 0.53 },
        { mode: 'extend', usd: 0.41 },
        { when: { variant: 'draft' }, usd: 0.06 },
        { when: { resolution: '1080p' }, usd: 0.29 },
        { usd: 0.17 },
      ],
    },
    typicalSeconds: 180,
    deadlineSeconds: 3600,
    providers: ['wavespeed', 'runware'],
  }),
  defineModel({
    id: 'skywork-ai/skyreels-v4',
    name: 'SkyReels 4',
    description: 'Skywork SkyReels 4: 3 to 15 s in up to 1080p, from words, images or references.',
    ownedBy: 'skywork-ai',
    released: '2026-05-12',
    fields: skyreels,
    operations: {
      text: { aspect_ratio: skyreelsRatio },
      image: { image, last_image: {} },
      reference: {
        aspect_ratio: skyreelsRatio,
        referenceImages: { required: { unless: ['referenceVideos'] }, max: 3 },
        referenceVideos: { max: 1 },
      },
    },
    price: {
      source: 'NanoGPT model list',
      asOf: '2026-08',
      per: 'second',
      rates: [
        { when: { resolution: '1080p' }, usd: 0.2059 },
        { when: { resolution: '720p' }, usd: 0.0824 },
        { usd: 0.0647 },
      ],
    },
    typicalSeconds: 240,
    deadlineSeconds: 3600,
    providers: ['wavespeed'],
  }),
  talkingHead(
    {
      id: 'infinitetalk',
      name: 'InfiniteTalk',
      description: 'Lets a picture speak or sing to an audio of up to ten minutes.',
      released: '2025-08-26',
    },
    'WaveSpeed list: USD 0.15 for 5 s in 480p; twice that in 720p',
  ),
  talkingHead(
    {
      id: 'longcat-avatar-1.5',
      name: 'LongCat Avatar 1.5',
      description: 'Lets a picture speak to an audio of up to ten minutes, as Meituan LongCat 1.5 does.',
      released: '2026-05-28',
    },
    'NanoGPT model list',
  ),
]
