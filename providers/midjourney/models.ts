import type { Input, JsonObject } from '../input.ts'
import { oneEndpoint } from '../models.ts'
import type { EndpointMapping } from '../provider.ts'

/** The proxy refuses an empty prompt, with an image too. */
const neutralPrompt = 'subtle natural motion'

/** Submit routes of the mj-proxy protocol; some proxies have others for each speed, such as `/mj-fast/mj/submit/video`. */
export const midjourneyMappings: Readonly<Record<string, EndpointMapping>> = {
  'midjourney-video': {
    ...oneEndpoint('video', '/mj/submit/video', (input) =>
      input.extendTask === undefined ? animationBody(input) : extensionBody(input),
    ),
    note: 'Midjourney has no public API: the proxy drives an account of yours, which Midjourney may ban for it.',
  },
}

function animationBody(input: Input): JsonObject {
  const { image = '', resolution, last_image } = input
  return {
    ...promptAndMotion(input),
    image,
    ...(last_image !== undefined && { endImage: last_image }),
    ...(resolution !== undefined && { videoType: `vid_1.1_i2v_${resolution.replace(/p$/, '')}` }),
    batchSize: 4,
  }
}

function extensionBody(input: Input): JsonObject {
  const { extendTask: taskId, extendIndex: index = 0 } = input
  return { ...promptAndMotion(input), action: 'extend', taskId, index }
}

function promptAndMotion({ prompt, motion = 'low' }: Input): JsonObject {
  return { prompt: withoutParameters(prompt ?? '') || neutralPrompt, motion }
}

/** Midjourney reads everything after the first `--` (or long dash) as parameters, some of which change speed and cost. */
function withoutParameters(prompt: string): string {
  return prompt.replace(/(^|\s)(--|—)[a-z].*$/is, '').trim()
}
