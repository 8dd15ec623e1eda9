import type { Input, JsonObject } from '../../input.ts'
import type { Offer } from '../../provider.ts'

/** Audio up to this long is filmed in 1080 lines, up to twice as long in 720. */
const longestSharpSeconds = 30

/** `bytedance-waver-1.0` is missing here: neither Ark nor the Visual API is known to render it. */
export const offers: Readonly<Record<string, Offer>> = {
  'bytedance-seedance-v1-pro-fast': {
    host: 'ark',
    endpoints: { video: 'seedance-1-0-pro-fast-251015' },
    translate: (input) => ({ endpoint: 'video', body: seedance(input) }),
    note: 'The id is BytePlus’; Volcengine calls the model doubao-seedance-1-0-pro-fast-251015. The model has to be activated in the console',
  },
  'bytedance-avatar-omni-human-1.5': {
    host: 'visual',
    endpoints: { submit: 'CVSubmitTask' },
    translate: (input) => ({ endpoint: 'submit', body: omniHuman(input) }),
    refuses: ({ audioDuration = 0 }) =>
      audioDuration > 2 * longestSharpSeconds
        ? `audio is longer than ${2 * longestSharpSeconds} seconds`
        : undefined,
    note: 'The limits of prompt and audio are seen in clients of the API, not in its documentation',
  },
}

function seedance(input: Input): JsonObject {
  const { image, resolution, duration, seed, camera_fixed, aspect_ratio } = input
  const prompt = withoutSwitches(input.prompt ?? '')
  return {
    content: [
      ...(prompt === '' ? [] : [{ type: 'text', text: prompt }]),
      ...(image === undefined ? [] : [{ type: 'image_url', image_url: { url: image }, role: 'first_frame' }]),
    ],
    ...(resolution !== undefined && { resolution }),
    ...(aspect_ratio !== undefined && { ratio: aspect_ratio }),
    ...(duration !== undefined && { duration }),
    ...(seed !== undefined && { seed }),
    ...(camera_fixed !== undefined && { camera_fixed }),
    watermark: false,
  }
}

const switches =
  /(^|\s)--(resolution|rs|ratio|rt|duration|dur|framespersecond|fps|seed|camerafixed|cf|watermark|wm)\b([\s=]+(-?\d\S*|true|false|adaptive|keep_ratio))?/gi

/** Ark once took its parameters at the end of the prompt and may still obey them there, at another price than was agreed. */
function withoutSwitches(prompt: string): string {
  return prompt.replace(switches, '').trim()
}

function omniHuman({ image, audio, prompt, audioDuration = 0 }: Input): JsonObject {
  return {
    image_url: image,
    audio_url: audio,
    output_resolution: audioDuration > longestSharpSeconds ? 720 : 1080,
    ...(prompt !== undefined && { prompt }),
  }
}
