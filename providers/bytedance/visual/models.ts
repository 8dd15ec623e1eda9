import type { Input, JsonObject } from '../../input.ts'
import { oneEndpoint } from '../../models.ts'
import type { EndpointMapping } from '../../provider.ts'

/** Audio up to this long is rendered in 1080p, up to twice as long in 720p. */
const longest1080pSeconds = 30

export const visualMappings: Readonly<Record<string, EndpointMapping>> = {
  'bytedance-avatar-omni-human-1.5': {
    host: 'visual',
    ...oneEndpoint('submit', 'CVSubmitTask', omniHumanBody),
    unsupported: ({ audioDuration = 0 }) =>
      audioDuration > 2 * longest1080pSeconds
        ? `audio is longer than ${2 * longest1080pSeconds} seconds`
        : undefined,
    note: 'The limits of prompt and audio are seen in clients of the API, not in its documentation',
  },
}

function omniHumanBody({ image, audio, prompt, audioDuration = 0 }: Input): JsonObject {
  return {
    image_url: image,
    audio_url: audio,
    output_resolution: audioDuration > longest1080pSeconds ? 720 : 1080,
    ...(prompt !== undefined && { prompt }),
  }
}
