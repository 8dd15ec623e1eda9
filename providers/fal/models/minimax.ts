import type { Input, JsonObject } from '../../input.ts'
import { textOrImage } from '../../models.ts'
import type { EndpointMapping } from '../../provider.ts'
import { missingPrompt, seconds, withPrompt } from './body.ts'

export const falMinimax: Readonly<Record<string, EndpointMapping>> = {
  'minimax-video': textOrImage(
    'fal-ai/minimax/video-01',
    'fal-ai/minimax/video-01/image-to-video',
    withPrompt({ text: commonBody, image: commonBody }),
  ),
  'minimax-hailuo-02': textOrImage(
    'fal-ai/minimax/hailuo-02/standard/text-to-video',
    'fal-ai/minimax/hailuo-02/standard/image-to-video',
    withPrompt({
      text: timedBody,
      image: (input) => ({ ...timedBody(input), resolution: '768P', end_image_url: input.last_image }),
    }),
  ),
  'minimax-hailuo-02-pro': textOrImage(
    'fal-ai/minimax/hailuo-02/pro/text-to-video',
    'fal-ai/minimax/hailuo-02/pro/image-to-video',
    withPrompt({
      text: commonBody,
      image: (input) => ({ ...commonBody(input), end_image_url: input.last_image }),
    }),
  ),
  'minimax-hailuo-23-standard': {
    ...textOrImage(
      'fal-ai/minimax/hailuo-2.3/standard/text-to-video',
      'fal-ai/minimax/hailuo-2.3/standard/image-to-video',
      withPrompt({ text: timedBody, image: timedBody }),
    ),
    unsupported: missingPrompt,
  },
  'minimax-hailuo-23-pro': {
    ...textOrImage(
      'fal-ai/minimax/hailuo-2.3/pro/text-to-video',
      'fal-ai/minimax/hailuo-2.3/pro/image-to-video',
      withPrompt({ text: commonBody, image: commonBody }),
    ),
    unsupported: missingPrompt,
  },
}

function commonBody(input: Input): JsonObject {
  return { prompt_optimizer: input.enhancePrompt }
}

function timedBody(input: Input): JsonObject {
  return { duration: seconds(input), ...commonBody(input) }
}
