import { defineModel, secondsBetween } from '../../define-model.ts'
import type { Model } from '../../model.ts'

const shared = { ownedBy: 'minimax', typicalSeconds: 180, deadlineSeconds: 3600 } as const
const prompt = { required: true, maxLength: 7000 } as const
const image = { required: true } as const
const aspect_ratio = {
  choices: ['21:9', '16:9', '4:3', '1:1', '3:4', '9:16'],
  default: '16:9',
} as const
const references = {
  referenceImages: { required: { unless: ['referenceVideos', 'referenceAudios'] }, max: 9 },
  referenceVideos: { max: 3 },
  referenceAudios: { max: 3 },
  videoDuration: { max: 15 },
} as const
const sourceSeconds = { media: ['referenceVideos'], length: 'videoDuration', default: 15 } as const

const h3Max = {
  prompt,
  duration: { choices: secondsBetween(5, 15), default: 5 },
  resolution: { choices: ['480p', '768p', '1080p'], default: '768p' },
  enhancePrompt: { default: true },
  enable_safety_checker: {},
  seed: {},
} as const

/** Sound always. */
export const h3Models: readonly Model[] = [
  defineModel({
    ...shared,
    id: 'minimax-h3',
    name: 'MiniMax H3',
    description: 'MiniMax H3: 4 to 15 s with sound in up to 4K from words, images or references.',
    released: '2026-07-29',
    fields: {
      prompt,
      duration: { choices: secondsBetween(4, 15), default: 5 },
      resolution: { choices: ['480p', '768p', '2k', '4k'], default: '768p' },
    },
    operations: {
      text: { aspect_ratio },
      image: { image, last_image: {} },
      reference: { aspect_ratio, ...references },
    },
    price: {
      source: 'NanoGPT model list for 768p and 2k; FAL for 480p and 4k',
      asOf: '2026-08',
      per: 'second',
      rates: [
        { when: { resolution: '4k' }, usd: 0.16 },
        { when: { resolution: '480p' }, usd: 0.05 },
        { usd: 0.13 },
      ],
      stepSeconds: 1,
      sourceSeconds,
      perFile: { field: 'referenceImages', usd: 0.04, free: 5 },
    },
    providers: ['wavespeed', 'fal', 'runware'],
  }),
  defineModel({
    ...shared,
    id: 'minimax/h3-max',
    name: 'MiniMax H3 Max',
    description: "FAL's make of MiniMax H3: 5 to 15 s with sound, from words, images or references.",
    released: '2026-08-26',
    fields: h3Max,
    operations: {
      text: { aspect_ratio },
      image: { image, last_image: {} },
      reference: { aspect_ratio, ...references },
    },
    price: {
      source: 'FAL model page for the time after the launch; 1080p from a public client',
      asOf: '2026-10',
      per: 'second',
      rates: [
        { when: { resolution: '1080p' }, usd: 0.16 },
        { when: { resolution: '768p' }, usd: 0.08 },
        { usd: 0.05 },
      ],
      stepSeconds: 1,
      sourceSeconds,
    },
    typicalSeconds: 30,
    providers: ['fal', 'runware'],
  }),
  defineModel({
    ...shared,
    id: 'minimax/h3-max-turbo',
    name: 'MiniMax H3 Max Turbo',
    description: "The faster of FAL's makes of MiniMax H3: 5 to 15 s with sound, from words or images.",
    released: '2026-09-03',
    fields: h3Max,
    operations: { text: { aspect_ratio }, image: { image, last_image: {} } },
    price: {
      source: 'half of H3 Max, which is inferred from the prices of resellers',
      asOf: '2026-10',
      per: 'second',
      rates: [
        { when: { resolution: '1080p' }, usd: 0.08 },
        { when: { resolution: '768p' }, usd: 0.04 },
        { usd: 0.025 },
      ],
    },
    typicalSeconds: 20,
    providers: ['fal', 'runware'],
  }),
]
