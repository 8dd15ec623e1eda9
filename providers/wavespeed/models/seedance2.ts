import type { EndpointMapping } from '../../provider.ts'
import { anyBoolean, type BodySchema, oneOf, requiredPrompt } from '../../schema.ts'
import { selectMapping } from '../../schema-mapping.ts'
import {
  between,
  createWavespeedMapper,
  fileUrl,
  fileUrls,
  requiredFileUrl,
  wavespeedSeed,
} from '../fields.ts'

const ratio = { aspect_ratio: oneOf('16:9', '9:16', '4:3', '3:4', '1:1', '21:9') }
const upTo4k = { resolution: oneOf('480p', '720p', '1080p', '4k') }
const hd = { resolution: oneOf('720p', '1080p') }

type Limits = { seconds: number; images: number; clips: number }

/** The endpoints of Seedance 2.x below a path; `suffix`: `-turbo` for the faster make. */
function seedance2(path: string, suffix: string, { seconds, images, clips }: Limits) {
  const common: BodySchema = {
    prompt: requiredPrompt,
    generate_audio: anyBoolean,
    ...(suffix === '' ? upTo4k : hd),
    ...(seconds === 15 && { enable_web_search: anyBoolean }),
  }
  const duration = { duration: between(4, seconds) }
  const imageReferences = { reference_images: fileUrls(images), reference_audios: fileUrls(clips) }
  const imageRatio = seconds === 15 ? ratio : {}
  return {
    [`${path}/text-to-video${suffix}`]: {
      ...common,
      ...duration,
      ...ratio,
      ...imageReferences,
      reference_videos: fileUrls(clips),
    },
    [`${path}/image-to-video${suffix}`]: {
      ...common,
      ...duration,
      ...imageRatio,
      image: requiredFileUrl,
      last_image: fileUrl,
    },
    [`${path}/video-edit${suffix}`]: {
      ...common,
      ...imageReferences,
      ...(seconds === 15 && { ...duration, ...ratio }),
      video: requiredFileUrl,
    },
    ...(suffix === '' && {
      [`${path}/video-extend`]: { ...common, ...duration, video: requiredFileUrl },
    }),
  } satisfies Record<string, BodySchema>
}

const limits20 = { seconds: 15, images: 9, clips: 3 }
const limits25 = { seconds: 30, images: 30, clips: 10 }
const seedance15: BodySchema = {
  prompt: requiredPrompt,
  camera_fixed: anyBoolean,
  duration: between(4, 12),
  generate_audio: anyBoolean,
  resolution: oneOf('480p', '720p', '1080p'),
  seed: wavespeedSeed,
}
const image15 = { image: requiredFileUrl, last_image: fileUrl }

/** WaveSpeed's list of August 2026. */
export const wavespeedSeedance2Schemas: Readonly<Record<string, BodySchema>> = {
  ...seedance2('bytedance/seedance-2.5', '', limits25),
  ...seedance2('bytedance/seedance-2.5', '-turbo', limits25),
  ...seedance2('bytedance/seedance-2.0', '', limits20),
  ...seedance2('bytedance/seedance-2.0', '-turbo', limits20),
  ...seedance2('bytedance/seedance-2.0-fast', '', limits20),
  ...seedance2('bytedance/seedance-2.0-fast', '-turbo', limits20),
  ...seedance2('bytedance/seedance-2.0-mini', '', limits20),
  ...seedance2('bytedance/seedance-2.0-mini', '-turbo', limits20),
  'bytedance/seedance-v1.5-pro/text-to-video': { ...seedance15, ...ratio },
  'bytedance/seedance-v1.5-pro/image-to-video': { ...seedance15, ...ratio, ...image15 },
  'bytedance/seedance-v1.5-pro/video-extend': { ...seedance15, video: requiredFileUrl },
  'bytedance/seedance-v1.5-pro/text-to-video-fast': { ...seedance15, ...ratio, ...hd },
  'bytedance/seedance-v1.5-pro/image-to-video-fast': { ...seedance15, ...ratio, ...image15, ...hd },
}

const map = createWavespeedMapper(wavespeedSeedance2Schemas)

/** WaveSpeed takes references at the endpoint for words. */
function full(path: string): EndpointMapping {
  return map(
    {
      text: `${path}/text-to-video`,
      image: `${path}/image-to-video`,
      reference: `${path}/text-to-video`,
      edit: `${path}/video-edit`,
      extend: `${path}/video-extend`,
    },
    { optional: ['variant'] },
  )
}

function turbo(path: string): EndpointMapping {
  return map(
    {
      text: `${path}/text-to-video-turbo`,
      image: `${path}/image-to-video-turbo`,
      reference: `${path}/text-to-video-turbo`,
      edit: `${path}/video-edit-turbo`,
    },
    { optional: ['variant'] },
  )
}

/** Seedance 1.5 to 2.5. */
export const wavespeedSeedance2: Readonly<Record<string, EndpointMapping>> = {
  'bytedance/seedance-2.5': full('bytedance/seedance-2.5'),
  'bytedance/seedance-2.5-turbo': turbo('bytedance/seedance-2.5'),
  'doubao-seedance-2-0': full('bytedance/seedance-2.0'),
  'doubao-seedance-2-0-fast': full('bytedance/seedance-2.0-fast'),
  'bytedance-seedance-2-0': turbo('bytedance/seedance-2.0'),
  'bytedance-seedance-2-0-fast': turbo('bytedance/seedance-2.0-fast'),
  'bytedance-seedance-2-0-mini': selectMapping(
    ({ variant }) => (variant === 'turbo' ? 'turbo' : 'standard'),
    {
      standard: full('bytedance/seedance-2.0-mini'),
      turbo: turbo('bytedance/seedance-2.0-mini'),
    },
  ),
  'bytedance-seedance-v1.5-pro': map({
    text: 'bytedance/seedance-v1.5-pro/text-to-video',
    image: 'bytedance/seedance-v1.5-pro/image-to-video',
  }),
  'bytedance-seedance-v1.5-pro-fast': map({
    text: 'bytedance/seedance-v1.5-pro/text-to-video-fast',
    image: 'bytedance/seedance-v1.5-pro/image-to-video-fast',
  }),
  'bytedance-seedance-v1.5-pro-extend': map({ extend: 'bytedance/seedance-v1.5-pro/video-extend' }),
}
