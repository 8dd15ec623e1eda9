import type { EndpointMapping } from '../../provider.ts'
import { anyBoolean, anyInteger, type BodySchema, oneOf, requiredPrompt } from '../../schema.ts'
import { createFalMapper, mediaFile, mediaFiles, requiredMediaFile, secondsAsText } from '../fields.ts'

const ratios = ['21:9', '16:9', '4:3', '1:1', '3:4', '9:16']

type Limits = { resolutions: readonly string[]; seconds: number; images: number; clips: number }

/** The endpoints of Seedance 2.x below a path. */
function seedance2(path: string, { resolutions, seconds, images, clips }: Limits) {
  const common: BodySchema = {
    prompt: requiredPrompt,
    resolution: oneOf(...resolutions),
    duration: secondsAsText(4, seconds),
    aspect_ratio: oneOf('auto', ...ratios),
    generate_audio: anyBoolean,
    seed: anyInteger,
  }
  return {
    [`${path}/text-to-video`]: common,
    [`${path}/image-to-video`]: { ...common, image_url: requiredMediaFile, end_image_url: mediaFile },
    [`${path}/reference-to-video`]: {
      ...common,
      image_urls: mediaFiles(images),
      video_urls: mediaFiles(clips),
      audio_urls: mediaFiles(clips),
    },
  } satisfies Record<string, BodySchema>
}

const seedance15: BodySchema = {
  prompt: requiredPrompt,
  aspect_ratio: oneOf('auto', ...ratios),
  resolution: oneOf('480p', '720p', '1080p'),
  duration: secondsAsText(4, 12),
  camera_fixed: anyBoolean,
  generate_audio: anyBoolean,
  seed: anyInteger,
}
const limits20 = { seconds: 15, images: 9, clips: 3 }

/** FAL's client package of May 2026 and its model pages of October 2026. */
export const falSeedance2Schemas: Readonly<Record<string, BodySchema>> = {
  ...seedance2('bytedance/seedance-2.5', {
    resolutions: ['480p', '720p'],
    seconds: 30,
    images: 30,
    clips: 10,
  }),
  ...seedance2('bytedance/seedance-2.0', { ...limits20, resolutions: ['480p', '720p', '1080p', '4k'] }),
  ...seedance2('bytedance/seedance-2.0/fast', { ...limits20, resolutions: ['480p', '720p'] }),
  ...seedance2('bytedance/seedance-2.0/mini', { ...limits20, resolutions: ['480p', '720p'] }),
  'fal-ai/bytedance/seedance/v1.5/pro/text-to-video': seedance15,
  'fal-ai/bytedance/seedance/v1.5/pro/image-to-video': {
    ...seedance15,
    image_url: requiredMediaFile,
    end_image_url: mediaFile,
  },
}

const map = createFalMapper(falSeedance2Schemas)

function everyOperation(path: string) {
  return {
    text: `${path}/text-to-video`,
    image: `${path}/image-to-video`,
    reference: `${path}/reference-to-video`,
  }
}

/** Seedance 1.5 to 2.5. */
export const falSeedance2: Readonly<Record<string, EndpointMapping>> = {
  'bytedance/seedance-2.5': map(everyOperation('bytedance/seedance-2.5'), {
    note: 'Its fields are inferred from Seedance 2.0.',
  }),
  'doubao-seedance-2-0': map(everyOperation('bytedance/seedance-2.0')),
  'doubao-seedance-2-0-fast': map(everyOperation('bytedance/seedance-2.0/fast')),
  'bytedance-seedance-2-0-mini': map(
    {
      text: 'bytedance/seedance-2.0/mini/text-to-video',
      image: 'bytedance/seedance-2.0/mini/image-to-video',
    },
    {
      optional: ['variant'],
      unsupported: ({ variant }) => (variant === 'turbo' ? 'FAL has no turbo make of this model' : undefined),
    },
  ),
  'bytedance-seedance-v1.5-pro': map({
    text: 'fal-ai/bytedance/seedance/v1.5/pro/text-to-video',
    image: 'fal-ai/bytedance/seedance/v1.5/pro/image-to-video',
  }),
}
