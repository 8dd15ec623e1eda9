import type { Input, JsonObject } from '../../input.ts'
import { oneEndpoint, textOrImage } from '../../models.ts'
import type { EndpointMapping } from '../../provider.ts'
import { imageOnly, missingPrompt, ratioOrAuto, seconds, withPrompt } from './body.ts'

const betweenFrames = withPrompt({
  text: seedanceBody,
  image: (input) => ({ ...seedanceImageBody(input), end_image_url: input.last_image }),
})
const seedancePro = textOrImage(
  'fal-ai/bytedance/seedance/v1/pro/text-to-video',
  'fal-ai/bytedance/seedance/v1/pro/image-to-video',
  betweenFrames,
)

export const falBytedance: Readonly<Record<string, EndpointMapping>> = {
  'seedance-video': {
    endpoints: {
      ...seedancePro.endpoints,
      'text-9:21': 'fal-ai/bytedance/seedance/v1/lite/text-to-video',
    },
    toRequest(input) {
      const pro = seedancePro.toRequest(input)
      const isTall = pro.endpoint === 'text' && input.aspect_ratio === '9:21'
      return isTall ? { ...pro, endpoint: 'text-9:21' } : pro
    },
    note: 'Only the lite endpoint of the family renders 9:21, so that ratio goes there.',
  },
  'seedance-lite-video': textOrImage(
    'fal-ai/bytedance/seedance/v1/lite/text-to-video',
    'fal-ai/bytedance/seedance/v1/lite/image-to-video',
    betweenFrames,
  ),
  'bytedance-seedance-v1-pro-fast': {
    ...textOrImage(
      'fal-ai/bytedance/seedance/v1/pro/fast/text-to-video',
      'fal-ai/bytedance/seedance/v1/pro/fast/image-to-video',
      withPrompt({ text: seedanceBody, image: seedanceImageBody }),
    ),
    unsupported: missingPrompt,
  },
  'bytedance-avatar-omni-human-1.5': {
    ...imageOnly('fal-ai/bytedance/omnihuman/v1.5', (input) => ({
      prompt: input.prompt,
      audio_url: input.audio,
    })),
    unsupported: ({ audioDuration = 0 }) =>
      audioDuration < 30 ? undefined : 'FAL takes less than 30 s of audio in OmniHuman',
  },
  'bytedance-seedance-upscaler': oneEndpoint('video', 'fal-ai/bytedance-upscaler/upscale/video', (input) => ({
    video_url: input.video,
    target_resolution: input.resolution,
  })),
}

function seedanceBody(input: Input): JsonObject {
  return {
    aspect_ratio: input.aspect_ratio,
    resolution: input.resolution,
    duration: seconds(input),
    camera_fixed: input.camera_fixed,
    seed: input.seed,
  }
}

function seedanceImageBody(input: Input): JsonObject {
  return { ...seedanceBody(input), aspect_ratio: ratioOrAuto(input) }
}
