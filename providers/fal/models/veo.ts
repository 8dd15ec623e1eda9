import type { Input, JsonObject } from '../../input.ts'
import { textOrImage } from '../../models.ts'
import type { EndpointMapping } from '../../provider.ts'
import { imageOnly, ratioOrAuto, withPrompt } from './body.ts'

const veo3 = withPrompt({ text: veo3Body, image: veo3ImageBody })
const veo31 = textOrImage('fal-ai/veo3.1', 'fal-ai/veo3.1/image-to-video', veo3)

export const falVeo: Readonly<Record<string, EndpointMapping>> = {
  'veo3-video': {
    ...textOrImage('fal-ai/veo3', 'fal-ai/veo3/image-to-video', veo3),
    note: 'Google dated the end of Veo 3.0 to June 2026; fal-ai/veo3.1 takes the same fields.',
  },
  'veo3-fast-video': {
    ...textOrImage('fal-ai/veo3/fast', 'fal-ai/veo3/fast/image-to-video', veo3),
    note: 'Google dated the end of Veo 3.0 Fast to June 2026; fal-ai/veo3.1/fast takes the same fields.',
  },
  'veo3-1-video': {
    endpoints: { ...veo31.endpoints, frames: 'fal-ai/veo3.1/first-last-frame-to-video' },
    toRequest(input) {
      const { image, last_image } = input
      if (image === undefined || last_image === undefined) return veo31.toRequest(input)
      const frames = { first_frame_url: image, last_frame_url: last_image }
      return { endpoint: 'frames', body: { prompt: input.prompt, ...frames, ...veo3ImageBody(input) } }
    },
    note: 'The endpoint for a first and a last frame is from the model page of its fast sibling.',
  },
  'veo2-video': {
    ...textOrImage(
      'fal-ai/veo2',
      'fal-ai/veo2/image-to-video',
      withPrompt({
        text: (input) => ({
          aspect_ratio: input.aspect_ratio,
          duration: secondsWithUnit(input),
          negative_prompt: input.negative_prompt,
          enhance_prompt: input.enhancePrompt,
          seed: input.seed,
        }),
        image: veo2ImageBody,
      }),
    ),
    note: 'Google dated the end of Veo 2 to June 2026.',
  },
  'veo2-video-image-to-video': {
    ...imageOnly('fal-ai/veo2/image-to-video', veo2ImageBody),
    note: 'Google dated the end of Veo 2 to June 2026.',
  },
}

/** Veo 3 always rewrites prompts and has no switch for it. */
function veo3Body(input: Input): JsonObject {
  return {
    aspect_ratio: input.aspect_ratio,
    duration: secondsWithUnit(input),
    resolution: input.resolution,
    generate_audio: input.generateAudio,
    negative_prompt: input.negative_prompt,
    seed: input.seed,
  }
}

function veo3ImageBody(input: Input): JsonObject {
  return { ...veo3Body(input), aspect_ratio: ratioOrAuto(input) }
}

function veo2ImageBody(input: Input): JsonObject {
  return { duration: secondsWithUnit(input), aspect_ratio: input.aspect_ratio }
}

function secondsWithUnit({ duration }: Input): string | undefined {
  return duration === undefined ? undefined : `${duration}s`
}
