import type { Input } from '../../../providers/input.ts'
import type { Validation } from '../../catalogue/admit.ts'
import { findModel } from '../../catalogue/index.ts'
import type { Model } from '../../catalogue/model.ts'
import { valuesOf } from '../../catalogue/parameters.ts'
import { ApiError } from '../errors.ts'
import type { Body } from '../nanogpt/submit.ts'
import { longSide, type Pixels, pixelsOf, ratioOf } from './pixels.ts'

/** Sides that are rounded to what a codec likes, as 832x480, are still taken for what they stand for. */
const tolerance = 0.06

/** What a model without ratios renders follows its source image, so these are as good as any. */
const usualRatios = ['16:9', '9:16', '1:1']

type Known = Pixels & { words: Body }

/** `1280x720` in the words of the catalogue: as it stands, or as a resolution and an aspect ratio. Throws in strict handling where there is none. */
export function fromSize(model: Model, size: string, handling: Validation['handling'] = 'lenient'): Body {
  const told = /^\s*(\d{2,5})\s*[x*]\s*(\d{2,5})\s*$/i.exec(size)?.slice(1).map(Number)
  if (model.fields.size !== undefined) return { size }
  const known = knownSizes(model)
  if (known.length === 0) return { size }
  const [width = 0, height = 0] = told ?? []
  const best =
    nearest(known, { width, height }) ?? nearest(ratiosOnly(model, { width, height }), { width, height })
  if (best !== undefined) return best.words
  if (handling === 'lenient') return { size }
  const names = [...new Set(known.map((one) => `${one.width}x${one.height}`))].join(', ')
  const message = `\`size\` must be one of ${names} for \`${model.id}\`; got ${JSON.stringify(size.slice(0, 60))}`
  throw new ApiError('invalid_parameter_value', message, { param: 'size' })
}

/** How large the video is that a job asks for, as far as its input tells. */
export function sizeOf({ size, resolution, aspect_ratio }: Input): string | null {
  if (size?.includes('x')) return size
  const pixels = resolution === undefined ? undefined : pixelsOf(resolution, aspect_ratio)
  return pixels === undefined ? null : `${pixels.width}x${pixels.height}`
}

/** How long the video is that a job asks for, in seconds. */
export function secondsOf(model: string, { duration }: Input): string | null {
  const fixed = findModel(model)?.fields.duration?.fixed
  return duration === undefined && fixed === undefined ? null : String(duration ?? fixed)
}

function knownSizes(model: Model): Known[] {
  const ratios = valuesOf(model, 'aspect_ratio').map(String)
  const resolutions = valuesOf(model, 'resolution').map(String)
  const fine = resolutions.length > 0 ? resolutions : ratios.length > 0 ? ['720p'] : []
  return fine.flatMap((resolution) =>
    (ratios.length > 0 ? ratios : usualRatios).flatMap((ratio) => {
      const pixels = pixelsOf(resolution, ratio)
      if (pixels === undefined) return []
      const words = {
        ...(resolutions.length > 0 && { resolution }),
        ...(ratios.length > 0 && { aspect_ratio: ratio }),
      }
      return [{ ...pixels, words }]
    }),
  )
}

/** Where a model has no resolutions, only the shape counts. */
function ratiosOnly(model: Model, { width, height }: Pixels): Known[] {
  if (model.fields.resolution !== undefined) return []
  const short = Math.min(width, height)
  return valuesOf(model, 'aspect_ratio').flatMap((value) => {
    const ratio = ratioOf(String(value))
    return ratio === undefined ? [] : [{ ...longSide(short, ratio), words: { aspect_ratio: String(value) } }]
  })
}

function nearest(known: readonly Known[], wanted: Pixels): Known | undefined {
  const distanceOf = ({ width, height }: Pixels) =>
    Math.max(Math.abs(Math.log(width / wanted.width)), Math.abs(Math.log(height / wanted.height)))
  const [best] = known.toSorted((a, b) => distanceOf(a) - distanceOf(b))
  return best !== undefined && distanceOf(best) < tolerance ? best : undefined
}
