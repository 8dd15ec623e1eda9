import type { Model } from '../model.ts'

const voices = [
  ...[
    'genshin_vindi2',
    'zhinen_xuesheng',
    'AOT',
    'ai_shatang',
    'genshin_klee2',
    'genshin_kirara',
    'ai_kaiya',
  ],
  ...['oversea_male1', 'ai_chenjiahao_712', 'girlfriend_4_speech02', 'chat1_female_new-3', 'chat_0407_5-1'],
  ...['cartoon-boy-07', 'uk_boy1', 'cartoon-girl-01', 'PeppaPig_platform', 'ai_huangzhong_712'],
  ...['ai_huangyaoshi_712', 'ai_laoguowang_712', 'chengshu_jiejie', 'you_pingjing', 'calm_story1', 'uk_man2'],
  ...['laopopo_speech02', 'heainainai_speech02'],
]

const videoDuration = { min: 2, max: 10 }

export const lipsyncModels: readonly Model[] = [
  {
    id: 'kling-lipsync-t2v',
    name: 'Kling Lip Sync, text',
    description: 'Lets the face in a video of 2 to 10 s speak a text of up to 120 characters.',
    ownedBy: 'kuaishou',
    released: '2025-05-27',
    modes: ['video'],
    fields: {
      video: { required: true },
      prompt: { required: true, maxLength: 120 },
      voice_id: { required: true, choices: voices },
      voice_language: { choices: ['en', 'zh'], default: 'en' },
      voice_speed: { min: 0.8, max: 2, default: 1 },
      videoDuration,
    },
    price: {
      source: 'WaveSpeed model list, base USD 0.14; that it counts per started 5 s is inferred',
      asOf: '2026-08',
      per: 'second',
      rates: [{ usd: 0.028 }],
      stepSeconds: 5,
      secondsFrom: ['videoDuration'],
      defaultSeconds: 5,
    },
    typicalSeconds: 240,
    deadlineSeconds: 3600,
    providers: ['wavespeed', 'fal'],
  },
  {
    id: 'kling-lipsync-a2v',
    name: 'Kling Lip Sync, audio',
    description: 'Lets the face in a video of 2 to 10 s speak an audio.',
    ownedBy: 'kuaishou',
    released: '2025-05-27',
    modes: ['video'],
    fields: {
      video: { required: true },
      audio: { required: true },
      videoDuration,
      audioDuration: {},
    },
    price: {
      source: 'WaveSpeed model list, base USD 0.15; that it counts per started 5 s of audio is inferred',
      asOf: '2026-08',
      per: 'second',
      rates: [{ usd: 0.03 }],
      stepSeconds: 5,
      secondsFrom: ['audioDuration', 'videoDuration'],
      defaultSeconds: 5,
    },
    typicalSeconds: 240,
    deadlineSeconds: 3600,
    providers: ['wavespeed', 'fal'],
  },
]

export const talkingHeadModels: readonly Model[] = [
  {
    id: 'veed-fabric-1.0',
    name: 'VEED Fabric 1.0',
    description: 'Lets a picture speak an audio; the video is as long as the audio.',
    ownedBy: 'veed',
    released: '2025-09-16',
    modes: ['image'],
    fields: {
      image: { required: true },
      audio: { required: true },
      resolution: { choices: ['480p', '720p'], default: '480p' },
      audioDuration: {},
    },
    price: {
      source: 'WaveSpeed model page: USD 0.35 and 0.70 per 5 s; billing by the second from 5 s is inferred',
      asOf: '2026-08',
      per: 'second',
      rates: [{ when: { resolution: '720p' }, usd: 0.14 }, { usd: 0.07 }],
      minimumSeconds: 5,
      stepSeconds: 1,
      secondsFrom: ['audioDuration'],
      defaultSeconds: 5,
    },
    typicalSeconds: 120,
    deadlineSeconds: 3600,
    providers: ['wavespeed', 'fal'],
  },
]
