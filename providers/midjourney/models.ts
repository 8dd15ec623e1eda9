import type { Input, JsonObject } from '../input.ts'
import type { Offer } from '../provider.ts'

/** The proxy refuses an empty prompt, with an image too. */
const neutralPrompt = 'subtle natural motion'

/** Model -> the submit route of the mj-proxy protocol; `/mj-fast/mj/submit/video` and its like name a speed. */
export const offers: Readonly<Record<string, Offer>> = {
  'midjourney-video': {
    endpoints: { video: '/mj/submit/video' },
    translate: (input) => ({
      endpoint: 'video',
      body:
        input.extendTask === undefined ? animation(input, input.image) : extension(input, input.extendTask),
    }),
    note: 'Midjourney has no public API: the proxy drives an account of yours, which Midjourney may ban for it.',
  },
}

function animation(input: Input, image = ''): JsonObject {
  const { resolution, last_image } = input
  return {
    ...direction(input),
    image,
    ...(last_image !== undefined && { endImage: last_image }),
    ...(resolution !== undefined && { videoType: `vid_1.1_i2v_${resolution.replace(/p$/, '')}` }),
    batchSize: 4,
  }
}

function extension(input: Input, taskId: string): JsonObject {
  return { ...direction(input), action: 'extend', taskId, index: input.extendIndex ?? 0 }
}

function direction({ prompt, motion = 'low' }: Input): JsonObject {
  return { prompt: withoutFlags(prompt ?? '') || neutralPrompt, motion }
}

/** Midjourney reads all that follows the first flag as parameters, some of which change speed and cost; a long dash is one too. */
function withoutFlags(prompt: string): string {
  return prompt.replace(/(^|\s)(--|—)[a-z].*$/is, '').trim()
}
