import type { Input, Json, JsonObject } from '../../input.ts'
import { withoutUndefined } from '../../models.ts'
import { operationOf } from '../../operation.ts'
import type { EndpointMapping } from '../../provider.ts'

type Kind = 'image_url' | 'video_url' | 'audio_url'

function part(type: Kind, role: string, url: string): JsonObject {
  return { type, [type]: { url }, role }
}

/** What Ark renders from: the prompt, and each file in its role. */
function toContent(input: Input): Json[] {
  const { image, last_image, referenceImages, referenceVideos, referenceAudios } = input
  const prompt = withoutParameters(input.prompt ?? '')
  return [
    ...(prompt === '' ? [] : [{ type: 'text', text: prompt }]),
    ...(image === undefined ? [] : [part('image_url', 'first_frame', image)]),
    ...(last_image === undefined ? [] : [part('image_url', 'last_frame', last_image)]),
    ...(referenceImages ?? []).map((url) => part('image_url', 'reference_image', url)),
    ...(referenceVideos ?? []).map((url) => part('video_url', 'reference_video', url)),
    ...(referenceAudios ?? []).map((url) => part('audio_url', 'reference_audio', url)),
  ]
}

/** A Seedance from version 1.5 on. `operations`: those that Ark has as they are; edits are prompts to it. */
function seedance(
  model: string,
  operations: readonly ['text', 'image', ...'reference'[]],
  note?: string,
): EndpointMapping {
  return {
    host: 'ark',
    endpoints: { video: model },
    toRequest: (input) => ({
      endpoint: 'video',
      body: withoutUndefined({
        content: toContent(input),
        resolution: input.resolution,
        ratio: input.aspect_ratio,
        duration: input.duration,
        seed: input.seed,
        camera_fixed: input.camera_fixed,
        generate_audio: input.generateAudio,
        watermark: false,
        tools: input.enableWebSearch === true ? [{ type: 'web_search' }] : undefined,
      }),
    }),
    unsupported: (input) => {
      if (input.variant !== undefined && input.variant !== 'standard')
        return `Ark has no ${input.variant} make of this model`
      const { operation } = input
      return operation !== undefined && operationOf(operations, input) !== operation
        ? `Ark does not render the operation ${operation} of this model`
        : undefined
    },
    ...(note !== undefined && { note }),
  }
}

const volcengine = 'The ID is Volcengine’s; that of BytePlus has not been seen.'
const everything = ['text', 'image', 'reference'] as const

/** Dated model IDs, which have to be activated in the console. */
export const arkSeedance: Readonly<Record<string, EndpointMapping>> = {
  'bytedance/seedance-2.5': seedance('doubao-seedance-2-5-260628', everything, volcengine),
  'doubao-seedance-2-0': seedance('dreamina-seedance-2-0-260128', everything),
  'doubao-seedance-2-0-fast': seedance('dreamina-seedance-2-0-fast-260128', everything),
  'bytedance-seedance-2-0-mini': seedance('doubao-seedance-2-0-mini-260615', everything, volcengine),
  'bytedance-seedance-v1.5-pro': seedance('seedance-1-5-pro-251215', ['text', 'image']),
}

const parameters =
  /(^|\s)--(resolution|rs|ratio|rt|duration|dur|framespersecond|fps|seed|camerafixed|cf|watermark|wm)\b([\s=]+(-?\d\S*|true|false|adaptive|keep_ratio))?/gi

/** Ark once took parameters at the end of the prompt and may still obey them, at another price than was agreed. */
export function withoutParameters(prompt: string): string {
  return prompt.replace(parameters, '').trim()
}
