import type { Field, Input, JsonObject } from '../input.ts'
import { oneEndpoint, withoutUndefined } from '../models.ts'
import type { EndpointMapping } from '../provider.ts'
import { runwareAlibaba } from './models/alibaba.ts'
import { runwareGoogle } from './models/google.ts'
import { runwareGrok } from './models/grok.ts'
import { runwareH3 } from './models/h3.ts'
import { runwareKlingOmni } from './models/kling-omni.ts'
import { runwareKling3 } from './models/kling3.ts'
import { runwareSeedance2 } from './models/seedance2.ts'
import { runwareVidu } from './models/vidu.ts'

/** The only tuning field of the Kling models, at the middle of its range. */
const guidance = { CFGScale: 0.5 }

const unlisted =
  "Runware's published schemas of October 2026 no longer list this id; set another one if it is refused."

/** Model IDs are AIR IDs. Runware refuses unknown and empty fields: only what is set is sent. */
export const runwareMappings: Readonly<Record<string, EndpointMapping>> = {
  'kling-v21-standard': {
    ...oneEndpoint('image', 'klingai:5@1', (input) => ({ ...commonBody(input), ...kling21Body(input, 720) })),
    unsupported: unsupportedField('negative_prompt'),
    note: `${unlisted} It may take no prompt: its documentation shows an image only.`,
  },
  'kling-v21-pro': {
    endpoints: { image: 'klingai:5@2', text: 'klingai:5@3' },
    toRequest: (input) => ({
      endpoint: input.image === undefined ? 'text' : 'image',
      body: { ...commonBody(input), ...kling21Body(input, 1080), ...negativePrompt(input) },
    }),
    note: `${unlisted} Kling 2.1 Pro starts from an image; words alone go to Kling 2.1 Master, at the price of that.`,
  },
  'kling-v21-master': {
    ...oneEndpoint('any', 'klingai:5@3', (input) => ({
      ...commonBody(input),
      ...kling21Body(input, 1080),
      ...negativePrompt(input),
    })),
    note: unlisted,
  },
  // The image decides the size: width and height are refused.
  'kling-v25-turbo-std': oneEndpoint('image', 'klingai:6@0', (input) => ({
    ...commonBody(input),
    ...guidance,
    ...negativePrompt(input),
  })),

  'veo3-fast-video': {
    ...oneEndpoint('any', 'google:3@1', (input) => ({
      ...commonBody(input),
      ...pixelsOfRatio(input.aspect_ratio ?? '16:9', input.resolution === '1080p' ? 1080 : 720),
      ...withoutUndefined({ seed: input.seed }),
      ...providerSettings('google', { generateAudio: input.generateAudio }),
    })),
    unsupported: (input) => unsupportedField('negative_prompt')(input) ?? unsupportedByVeo(input),
    note: `${unlisted} It always rewrites the prompt, whatever enhancePrompt says.`,
  },

  'vidu-video': oneEndpoint('any', 'vidu:1@1', (input) => ({
    ...commonBody(input),
    ...pixelsOf(input.size ?? '16:9', 1080),
    ...withoutUndefined({ seed: input.seed }),
    ...providerSettings('vidu', {
      style: input.image === undefined ? input.style : undefined,
      movementAmplitude: input.movementAmplitude,
    }),
  })),

  ...runwareKling3,
  ...runwareSeedance2,
  ...runwareVidu,
  ...runwareGoogle,
  ...runwareGrok,
  ...runwareKlingOmni,
  ...runwareAlibaba,
  ...runwareH3,

  'pixverse-v45': oneEndpoint('any', 'pixverse:1@3', pixverseBody),
  'pixverse-v5': {
    ...oneEndpoint('any', 'pixverse:1@5', pixverseBody),
    note: 'Camera movements are documented for PixVerse 4.5 and only seen in a sample of version 5.',
  },
}

/** The fields of every model. Each frame is named, as a lone one could be taken for the other. */
function commonBody(input: Input): JsonObject {
  const first = { image: input.image, frame: 'first' }
  const frameImages =
    input.last_image === undefined ? [first] : [first, { image: input.last_image, frame: 'last' }]
  return withoutUndefined({
    positivePrompt: input.prompt,
    inputs: input.image === undefined ? undefined : { frameImages },
    duration: input.duration,
  })
}

function negativePrompt(input: Input): JsonObject {
  return withoutUndefined({ negativePrompt: input.negative_prompt })
}

/** Kling 2.1 takes a size beside an image, and no seed. */
function kling21Body(input: Input, shorterSide: number): JsonObject {
  return { ...pixelsOfRatio(input.aspect_ratio ?? '16:9', shorterSide), ...guidance }
}

/** A size or, beside an image, a resolution, never both. */
function pixverseBody(input: Input): JsonObject {
  const pixels = pixelsOf(input.size ?? '16:9', Number.parseInt(input.resolution ?? '720p', 10))
  const resolution = `${Math.min(pixels.width, pixels.height)}p`
  return {
    ...commonBody(input),
    ...negativePrompt(input),
    ...(input.image === undefined ? pixels : { resolution }),
    ...withoutUndefined({ seed: input.seed }),
    ...providerSettings('pixverse', {
      style: input.style,
      ...effectOrCamera(input),
      motionMode: input.motionMode,
      soundEffectSwitch: input.soundEffectSwitch,
      soundEffectContent: input.soundEffectSwitch === true ? input.soundEffectPrompt : undefined,
    }),
  }
}

/** An effect and a camera movement exclude each other; if both are given, `effectType` selects one. */
function effectOrCamera({ effect, cameraMovement, effectType = '' }: Input): JsonObject {
  return effect === undefined || (cameraMovement !== undefined && /camera/i.test(effectType))
    ? { cameraMovement }
    : { effect }
}

/** Settings below the name of the model's creator; absent if none is set. */
function providerSettings(creator: string, values: JsonObject): JsonObject {
  const given = withoutUndefined(values)
  return Object.keys(given).length === 0 ? {} : { providerSettings: { [creator]: given } }
}

type Pixels = { width: number; height: number }

function pixelsOfRatio(ratio: string, shorterSide: number): Pixels {
  const [across = 1, down = 1] = ratio.split(':').map(Number)
  const unit = shorterSide / Math.min(across, down)
  return { width: across * unit, height: down * unit }
}

/** `size`: a ratio or `<width>x<height>`. */
function pixelsOf(size: string, shorterSide: number): Pixels {
  const [width = 0, height = 0] = size.split('x').map(Number)
  return size.includes('x') ? { width, height } : pixelsOfRatio(size, shorterSide)
}

function unsupportedField(field: Field): NonNullable<EndpointMapping['unsupported']> {
  return (input) => (input[field] === undefined ? undefined : `Runware takes no ${field} for this model`)
}

function unsupportedByVeo({
  aspect_ratio = '16:9',
  resolution = '720p',
  duration = 8,
}: Input): string | undefined {
  if (!['16:9', '9:16'].includes(aspect_ratio)) return `Runware renders Veo 3 Fast in 16:9 and 9:16 only`
  if (!['720p', '1080p'].includes(resolution)) return `Runware renders Veo 3 Fast in 720p and 1080p only`
  return [4, 6, 8].includes(duration) ? undefined : 'Runware renders Veo 3 Fast in 4, 6 and 8 s only'
}
