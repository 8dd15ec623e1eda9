import type { Input } from '../../input.ts'
import type { EndpointMapping } from '../../provider.ts'
import { anyBoolean, anyInteger, anyString, type BodySchema, oneOf, requiredPrompt } from '../../schema.ts'
import { adaptInput } from '../../schema-mapping.ts'
import { createFalMapper, mediaFile, mediaFiles, requiredMediaFile } from '../fields.ts'

const ratio = { aspect_ratio: oneOf('21:9', '16:9', '4:3', '1:1', '3:4', '9:16') }
const frames = { image_url: requiredMediaFile, end_image_url: mediaFile }
const references = {
  reference_image_urls: mediaFiles(9),
  reference_video_urls: mediaFiles(3),
  reference_audio_urls: mediaFiles(3),
}
const seconds = { duration: { type: 'integer', min: 5, max: 15 } } as const
const h3: BodySchema = {
  prompt: { ...requiredPrompt, maxLength: 7000 },
  ...seconds,
  resolution: oneOf('480P', '768P', '2K', '4K'),
}
const h3Max: BodySchema = {
  prompt: { ...requiredPrompt, maxLength: 7000 },
  ...seconds,
  resolution: oneOf('480P', '768P', '1080P'),
  prompt_expansion_mode: { ...oneOf('disabled', 'balanced', 'fast', 'quality'), required: true },
  enable_safety_checker: anyBoolean,
  seed: anyInteger,
}
const hailuo: BodySchema = {
  prompt: requiredPrompt,
  image_url: requiredMediaFile,
  prompt_optimizer: anyBoolean,
}
const hunyuan: BodySchema = {
  prompt: requiredPrompt,
  negative_prompt: anyString,
  enable_prompt_expansion: anyBoolean,
  num_frames: anyInteger,
  num_inference_steps: anyInteger,
  resolution: anyString,
  aspect_ratio: oneOf('16:9', '9:16'),
  seed: anyInteger,
}

/** FAL's client package of May 2026; MiniMax H3 by its model pages and public programs of September 2026. */
export const falH3Schemas: Readonly<Record<string, BodySchema>> = {
  'minimax/h3/text-to-video': { ...h3, ...ratio },
  'minimax/h3/image-to-video': { ...h3, ...frames },
  'minimax/h3/reference-to-video': { ...h3, ...ratio, ...references },
  'minimax/h3-max/text-to-video': { ...h3Max, ...ratio },
  'minimax/h3-max/image-to-video': { ...h3Max, ...frames },
  'minimax/h3-max/reference-to-video': { ...h3Max, ...ratio, ...references },
  'minimax/h3-max-turbo/text-to-video': { ...h3Max, ...ratio },
  'minimax/h3-max-turbo/image-to-video': { ...h3Max, ...frames },
  'fal-ai/minimax/hailuo-2.3-fast/standard/image-to-video': { ...hailuo, duration: oneOf('6', '10') },
  'fal-ai/minimax/hailuo-2.3-fast/pro/image-to-video': hailuo,
  'fal-ai/hunyuan-video-v1.5/text-to-video': hunyuan,
  'fal-ai/hunyuan-video-v1.5/image-to-video': { ...hunyuan, image_url: requiredMediaFile },
}

const map = createFalMapper(falH3Schemas)

function textAndImage(path: string) {
  return { text: `${path}/text-to-video`, image: `${path}/image-to-video` }
}

/** Hunyuan Video 1.5 counts 24 frames a second, and the first frame apart. */
function withFrameCount({ duration, ...input }: Input): Input {
  return duration === undefined ? input : { ...input, num_frames: 24 * duration + 1 }
}

/** MiniMax H3, Hailuo 2.3 Fast and Hunyuan Video 1.5. */
export const falH3: Readonly<Record<string, EndpointMapping>> = {
  'minimax-h3': map(
    { ...textAndImage('minimax/h3'), reference: 'minimax/h3/reference-to-video' },
    { note: 'The names of its references are inferred from H3 Max.' },
  ),
  'minimax/h3-max': map({
    ...textAndImage('minimax/h3-max'),
    reference: 'minimax/h3-max/reference-to-video',
  }),
  'minimax/h3-max-turbo': map(textAndImage('minimax/h3-max-turbo')),
  'minimax-hailuo-23-fast': map({ image: 'fal-ai/minimax/hailuo-2.3-fast/standard/image-to-video' }),
  'minimax-hailuo-23-fast-pro': map(
    { image: 'fal-ai/minimax/hailuo-2.3-fast/pro/image-to-video' },
    { optional: ['duration'] },
  ),
  'hunyuan-video-15': adaptInput(
    withFrameCount,
    map(textAndImage('fal-ai/hunyuan-video-v1.5'), {
      note: 'Whether it renders more than 121 frames, which 8 s need, is not documented.',
    }),
  ),
}
