import type { Input, JsonObject } from '../../input.ts'
import { oneEndpoint } from '../../models.ts'
import type { EndpointMapping } from '../../provider.ts'

type ToBody = (input: Input) => JsonObject

/** The body of a family whose text and image endpoints take different fields. */
export function withPrompt(body: { text: ToBody; image: ToBody }): ToBody {
  return (input) =>
    input.image === undefined
      ? { prompt: input.prompt, ...body.text(input) }
      : { ...promptAndImage(input), ...body.image(input) }
}

/** A family with one endpoint, which needs an image. */
export function imageOnly(endpoint: string, toBody: ToBody): EndpointMapping {
  return oneEndpoint('image', endpoint, (input) => ({ ...promptAndImage(input), ...toBody(input) }))
}

/** FAL requires a prompt on every endpoint, with an image too; an empty one passes. */
function promptAndImage(input: Input): JsonObject {
  return { prompt: input.prompt ?? '', image_url: input.image }
}

/** Most families take whole seconds as text. */
export function seconds(input: Input): string | undefined {
  return input.duration === undefined ? undefined : String(input.duration)
}

/** Without a ratio of its own, a video takes the ratio of the image. */
export function ratioOrAuto(input: Input): string {
  return input.aspect_ratio ?? 'auto'
}

/** Ratio and resolution from our `size`, which holds one, the other or both (`9:16`, `720p`, `720x1280`). */
export function frameOf({ size, aspect_ratio, resolution }: Input): { ratio: string; resolution: string } {
  const named = { ratio: aspect_ratio ?? '16:9', resolution: resolution ?? '720p' }
  if (size === undefined) return named
  if (/^\d+:\d+$/.test(size)) return { ...named, ratio: size }
  if (/^\d+p$/.test(size)) return { ...named, resolution: size }
  const [width, height] = size.split('x').map(Number)
  if (!width || !height) return named
  return { ratio: nearestRatio(width / height), resolution: `${Math.min(width, height)}p` }
}

/** Sizes such as 832x480 are named after the nearest ratio. */
function nearestRatio(wanted: number): string {
  const distance = (ratio: string) => {
    const [width = 1, height = 1] = ratio.split(':').map(Number)
    return Math.abs(Math.log(width / height / wanted))
  }
  return ['16:9', '4:3', '1:1', '3:4', '9:16'].reduce((best, ratio) =>
    distance(ratio) < distance(best) ? ratio : best,
  )
}

/** Unsupported: an image together with a ratio, where the endpoint takes the ratio of the image. */
export function ratioBesideImage(input: Input): string | undefined {
  const ratio = input.aspect_ratio ?? input.size
  if (input.image === undefined || ratio === undefined) return undefined
  return `FAL gives the video the ratio of the image, not ${ratio}`
}

/** Unsupported: an input without a prompt. */
export function missingPrompt(input: Input): string | undefined {
  return input.prompt === undefined ? 'FAL renders this model only with a prompt' : undefined
}
