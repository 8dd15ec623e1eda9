import type { Input } from '../../input.ts'
import type { EndpointMapping } from '../../provider.ts'
import { anyBoolean, anyString, type BodySchema, oneOf, requiredPrompt } from '../../schema.ts'
import { adaptInput, selectMapping } from '../../schema-mapping.ts'
import {
  between,
  createWavespeedMapper,
  fileUrl,
  fileUrls,
  integers,
  requiredFileUrl,
  wavespeedSeed,
} from '../fields.ts'

const ratio = { aspect_ratio: oneOf('21:9', '16:9', '4:3', '1:1', '3:4', '9:16') }
const frames = { image: requiredFileUrl, last_image: fileUrl }
const references = {
  reference_audios: fileUrls(3),
  reference_images: fileUrls(9),
  reference_videos: fileUrls(3),
}
const h3: BodySchema = {
  prompt: requiredPrompt,
  duration: between(4, 15),
  resolution: oneOf('768p', '2k'),
}
const openH3: BodySchema = {
  prompt: requiredPrompt,
  duration: between(3, 15),
  resolution: oneOf('480p', '768p'),
  seed: wavespeedSeed,
}
const hailuo: BodySchema = {
  prompt: anyString,
  image: requiredFileUrl,
  enable_prompt_expansion: anyBoolean,
}
const hunyuan = { duration: integers(5, 8), seed: wavespeedSeed } as const

/** WaveSpeed's list of August 2026. */
export const wavespeedH3Schemas: Readonly<Record<string, BodySchema>> = {
  'minimax/h3/text-to-video': { ...h3, ...ratio },
  'minimax/h3/image-to-video': { ...h3, ...frames },
  'minimax/h3/reference-to-video': { ...h3, ...ratio, ...references },
  'wavespeed-ai/minimax-h3/text-to-video': { ...openH3, ...ratio },
  'wavespeed-ai/minimax-h3/image-to-video': { ...openH3, ...frames },
  'wavespeed-ai/minimax-h3/reference-to-video': { ...openH3, ...ratio, ...references },
  'minimax/hailuo-2.3/fast': { ...hailuo, duration: integers(6, 10) },
  'minimax/hailuo-2.3/fast-pro': { ...hailuo, duration: integers(6) },
  'wavespeed-ai/hunyuan-video-1.5/text-to-video': {
    ...hunyuan,
    prompt: requiredPrompt,
    negative_prompt: anyString,
    size: oneOf('832*480', '480*832', '1280*720', '720*1280'),
  },
  'wavespeed-ai/hunyuan-video-1.5/image-to-video': {
    ...hunyuan,
    prompt: anyString,
    image: requiredFileUrl,
    resolution: oneOf('480p', '720p'),
  },
}

const map = createWavespeedMapper(wavespeedH3Schemas)

function h3At(path: string): EndpointMapping {
  return map({
    text: `${path}/text-to-video`,
    image: `${path}/image-to-video`,
    reference: `${path}/reference-to-video`,
  })
}

const hunyuanSizes: Readonly<Record<string, string>> = {
  '480p 16:9': '832x480',
  '480p 9:16': '480x832',
  '720p 16:9': '1280x720',
  '720p 9:16': '720x1280',
}

/** From words, the endpoint takes pixels. */
function withPixels(input: Input): Input {
  const { resolution, aspect_ratio, ...others } = input
  const size = hunyuanSizes[`${resolution} ${aspect_ratio}`]
  return size === undefined ? input : { ...others, size }
}

/** MiniMax H3, Hailuo 2.3 Fast and Hunyuan Video 1.5. */
export const wavespeedH3: Readonly<Record<string, EndpointMapping>> = {
  // MiniMax itself renders no 480p: the open weights do.
  'minimax-h3': selectMapping(({ resolution }) => (resolution === '480p' ? 'open' : 'minimax'), {
    minimax: h3At('minimax/h3'),
    open: h3At('wavespeed-ai/minimax-h3'),
  }),
  'minimax-hailuo-23-fast': map({ image: 'minimax/hailuo-2.3/fast' }),
  'minimax-hailuo-23-fast-pro': map({ image: 'minimax/hailuo-2.3/fast-pro' }),
  'hunyuan-video-15': adaptInput(
    withPixels,
    map({
      text: 'wavespeed-ai/hunyuan-video-1.5/text-to-video',
      image: 'wavespeed-ai/hunyuan-video-1.5/image-to-video',
    }),
  ),
}
