import type { Field, Input, JsonObject } from '../input.ts'
import type { Offer } from '../provider.ts'
import { pixels, pixelsOf, settings, told } from './body.ts'
import { pixverse } from './pixverse.ts'

/** The only tuning field of the Kling models, at the middle of its range. */
const guidance = { CFGScale: 0.5 }

const unlisted =
  "Runware's published schemas of October 2026 no longer list this id; set another one if it is refused."

export const offers: Readonly<Record<string, Offer>> = {
  'kling-v21-standard': {
    endpoints: { image: 'klingai:5@1' },
    translate: (input) => ({ endpoint: 'image', body: { ...common(input), ...kling21(input, 720) } }),
    refuses: lacks('negative_prompt'),
    note: `${unlisted} It may take no prompt: its documentation shows an image only.`,
  },
  'kling-v21-pro': {
    endpoints: { image: 'klingai:5@2', text: 'klingai:5@3' },
    translate: (input) => ({
      endpoint: input.image === undefined ? 'text' : 'image',
      body: { ...common(input), ...kling21(input, 1080), ...negative(input) },
    }),
    note: `${unlisted} Kling 2.1 Pro starts from an image; words alone go to Kling 2.1 Master, at the price of that.`,
  },
  'kling-v21-master': {
    endpoints: { any: 'klingai:5@3' },
    translate: (input) => ({
      endpoint: 'any',
      body: { ...common(input), ...kling21(input, 1080), ...negative(input) },
    }),
    note: unlisted,
  },
  'kling-v25-turbo-std': {
    endpoints: { image: 'klingai:6@0' },
    // The picture decides the size: width and height are refused.
    translate: (input) => ({
      endpoint: 'image',
      body: { ...common(input), ...guidance, ...negative(input) },
    }),
  },

  'veo3-fast-video': {
    endpoints: { any: 'google:3@1' },
    translate: (input) => ({
      endpoint: 'any',
      body: {
        ...common(input),
        ...pixels(input.aspect_ratio ?? '16:9', input.resolution === '1080p' ? 1080 : 720),
        ...told({ seed: input.seed }),
        ...settings('google', { generateAudio: input.generateAudio }),
      },
    }),
    refuses: (input) => lacks('negative_prompt')(input) ?? otherVeo(input),
    note: `${unlisted} It always rewrites the prompt, whatever enhancePrompt says.`,
  },

  'vidu-video': {
    endpoints: { any: 'vidu:1@1' },
    translate: (input) => ({
      endpoint: 'any',
      body: {
        ...common(input),
        ...pixelsOf(input.size ?? '16:9', 1080),
        ...told({ seed: input.seed }),
        ...settings('vidu', {
          style: input.image === undefined ? input.style : undefined,
          movementAmplitude: input.movementAmplitude,
        }),
      },
    }),
  },

  'pixverse-v45': pixverseOffer('pixverse:1@3'),
  'pixverse-v5': {
    ...pixverseOffer('pixverse:1@5'),
    note: 'Camera movements are documented for PixVerse 4.5 and only seen in a sample of version 5.',
  },
}

function pixverseOffer(id: string): Offer {
  return {
    endpoints: { any: id },
    translate: (input) => ({
      endpoint: 'any',
      body: { ...common(input), ...negative(input), ...pixverse(input) },
    }),
  }
}

/** What every model takes. The frames are named, or a lone one could be taken for another. */
function common(input: Input): JsonObject {
  const first = { image: input.image, frame: 'first' }
  const frameImages =
    input.last_image === undefined ? [first] : [first, { image: input.last_image, frame: 'last' }]
  return told({
    positivePrompt: input.prompt,
    inputs: input.image === undefined ? undefined : { frameImages },
    duration: input.duration,
  })
}

function negative(input: Input): JsonObject {
  return told({ negativePrompt: input.negative_prompt })
}

/** Kling 2.1 takes a size beside an image, and no seed. */
function kling21(input: Input, shorter: number): JsonObject {
  return { ...pixels(input.aspect_ratio ?? '16:9', shorter), ...guidance }
}

function lacks(field: Field): NonNullable<Offer['refuses']> {
  return (input) => (input[field] === undefined ? undefined : `Runware takes no ${field} for this model`)
}

function otherVeo({ aspect_ratio = '16:9', resolution = '720p', duration = 8 }: Input): string | undefined {
  if (!['16:9', '9:16'].includes(aspect_ratio)) return `Runware renders Veo 3 Fast in 16:9 and 9:16 only`
  if (!['720p', '1080p'].includes(resolution)) return `Runware renders Veo 3 Fast in 720p and 1080p only`
  return [4, 6, 8].includes(duration) ? undefined : 'Runware renders Veo 3 Fast in 4, 6 and 8 s only'
}
