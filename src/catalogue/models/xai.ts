import { defineModel, secondsBetween } from '../define-model.ts'
import type { Model, Price } from '../model.ts'

const shared = { ownedBy: 'xai', typicalSeconds: 60, deadlineSeconds: 1800 } as const
const prompt = { required: true, maxLength: 4096 } as const
const image = { required: true } as const
const video = { required: true } as const
const resolution = { choices: ['480p', '720p'], default: '720p' } as const
const ratios = ['16:9', '4:3', '3:2', '1:1', '2:3', '3:4', '9:16'] as const
const aspect_ratio = { choices: ratios, default: '16:9' } as const
const duration = { choices: secondsBetween(1, 15), default: 6 }
const source = 'NanoGPT model list'

function pricePerSecond(price: Partial<Price>): Price {
  return {
    source,
    asOf: '2026-08',
    per: 'second',
    rates: [{ when: { resolution: '720p' }, usd: 0.07 }, { usd: 0.05 }],
    ...price,
  }
}

/** Grok Imagine: always with sound. */
export const xaiModels: readonly Model[] = [
  defineModel({
    ...shared,
    id: 'grok-imagine-video',
    name: 'Grok Imagine Video',
    description: 'Grok Imagine by xAI: 1 to 15 s with sound, from words or an image.',
    released: '2026-01-29',
    fields: { prompt, duration, resolution },
    operations: { text: { aspect_ratio }, image: { image } },
    price: pricePerSecond({ perFile: { field: 'image', usd: 0.002 } }),
    providers: ['fal', 'wavespeed', 'runware'],
  }),
  defineModel({
    ...shared,
    id: 'grok-imagine-video-reference-to-video',
    name: 'Grok Imagine Video References',
    description: 'Grok Imagine by xAI: 1 to 10 s with sound, after up to seven images.',
    released: '2026-03-16',
    operations: {
      reference: {
        prompt,
        referenceImages: { required: true, max: 7 },
        aspect_ratio: { choices: ratios },
        resolution,
        duration: { choices: secondsBetween(1, 10), default: 6 },
      },
    },
    price: pricePerSecond({ perFile: { field: 'referenceImages', usd: 0.002 } }),
    providers: ['fal', 'wavespeed'],
  }),
  defineModel({
    ...shared,
    id: 'grok-imagine-video-edit',
    name: 'Grok Imagine Video Edit',
    description: 'Changes a video of up to ten seconds as a prompt says.',
    released: '2026-01-29',
    operations: { edit: { prompt, video, resolution, videoDuration: { max: 10 } } },
    price: pricePerSecond({
      rates: [{ usd: 0.065 }],
      secondsFrom: ['videoDuration'],
      defaultSeconds: 6,
      stepSeconds: 1,
    }),
    providers: ['fal', 'wavespeed'],
  }),
  defineModel({
    ...shared,
    id: 'grok-imagine-video-extend',
    name: 'Grok Imagine Video Extend',
    description: 'Goes on with a video for 2 to 10 s.',
    released: '2026-03-16',
    operations: {
      extend: {
        prompt,
        video,
        duration: { choices: secondsBetween(2, 10), default: 6 },
        videoDuration: { max: 15 },
      },
    },
    price: pricePerSecond({
      source: 'NanoGPT model list: 0.07 a second in 720p, and 0.01 for each second of the source',
      rates: [{ usd: 0.07 }],
      sourceSeconds: { media: ['video'], length: 'videoDuration', default: 15, usd: 0.01 },
    }),
    providers: ['fal', 'wavespeed'],
  }),
  defineModel({
    ...shared,
    id: 'xai/grok-imagine-video/v1.5/image-to-video',
    name: 'Grok Imagine Video 1.5',
    description: 'Grok Imagine 1.5 by xAI: 1 to 15 s with sound, from words, an image or references.',
    released: '2026-05-30',
    fields: { prompt, duration },
    operations: {
      text: {
        aspect_ratio: { choices: ['16:9', '1:1', '9:16', '3:2', '2:3'], default: '16:9' },
        resolution: { choices: ['480p', '720p', '1080p'], default: '720p' },
      },
      image: { image, resolution: { choices: ['480p', '720p', '1080p'], default: '720p' } },
      reference: {
        referenceImages: { required: true, max: 7 },
        aspect_ratio: { choices: ['16:9', '1:1', '9:16', '3:2', '2:3'], default: '16:9' },
        resolution,
      },
    },
    price: {
      source: 'xAI price list: an image costs 0.01 more',
      asOf: '2026-11',
      per: 'second',
      rates: [
        { when: { resolution: '1080p' }, usd: 0.25 },
        { when: { resolution: '720p' }, usd: 0.14 },
        { usd: 0.08 },
      ],
      perFile: { field: 'image', usd: 0.01 },
    },
    providers: ['wavespeed', 'fal', 'runware'],
  }),
]
