import type { Input } from '../../../providers/input.ts'
import type { Model } from '../../catalogue/model.ts'
import { findModel } from '../../catalogue/models/index.ts'
import { listFieldValues } from '../../catalogue/parameters.ts'
import type { ValidationOptions } from '../../catalogue/validation/validate.ts'
import type { RequestBody } from '../body/request-body.ts'
import { ApiError } from '../errors.ts'
import { type Dimensions, dimensionsFromShortSide, dimensionsOf, parseAspectRatio } from './dimensions.ts'

/** Sides that are rounded to what a codec likes, as 832x480, are still taken for what they stand for. */
const maxDistance = 0.06

/** What a model without ratios renders follows its source image, so these are as good as any. */
const defaultRatios = ['16:9', '9:16', '1:1']

type KnownSize = Dimensions & { fields: RequestBody }

/** `1280x720` in the words of the catalogue: as it stands, or as a resolution and an aspect ratio. Throws in strict handling where there is none. */
export function toSizeFields(
  model: Model,
  size: string,
  handling: ValidationOptions['handling'] = 'lenient',
): RequestBody {
  const sides = /^\s*(\d{2,5})\s*[x*]\s*(\d{2,5})\s*$/i.exec(size)?.slice(1).map(Number)
  if (model.fields.size !== undefined) return { size }
  const knownSizesOfModel = listKnownSizes(model)
  if (knownSizesOfModel.length === 0) return { size }
  const [width = 0, height = 0] = sides ?? []
  const best =
    findNearest(knownSizesOfModel, { width, height }) ??
    findNearest(listRatioSizes(model, { width, height }), { width, height })
  if (best !== undefined) return best.fields
  if (handling === 'lenient') return { size }
  const names = [
    ...new Set(knownSizesOfModel.map((knownSize) => `${knownSize.width}x${knownSize.height}`)),
  ].join(', ')
  const message = `\`size\` must be one of ${names} for \`${model.id}\`; got ${JSON.stringify(size.slice(0, 60))}`
  throw new ApiError('invalid_parameter_value', message, { param: 'size' })
}

/** How large the video is that a job asks for, as far as its input tells. */
export function sizeOfInput({ size, resolution, aspect_ratio }: Input): string | null {
  if (size?.includes('x')) return size
  const pixels = resolution === undefined ? undefined : dimensionsOf(resolution, aspect_ratio)
  return pixels === undefined ? null : `${pixels.width}x${pixels.height}`
}

/** How long the video is that a job asks for, in seconds. */
export function secondsOfInput(model: string, { duration }: Input): string | null {
  const fixed = findModel(model)?.fields.duration?.fixed
  return duration === undefined && fixed === undefined ? null : String(duration ?? fixed)
}

function listKnownSizes(model: Model): KnownSize[] {
  const ratios = listFieldValues(model, 'aspect_ratio').map(String)
  const resolutions = listFieldValues(model, 'resolution').map(String)
  const namedResolutions = resolutions.length > 0 ? resolutions : ratios.length > 0 ? ['720p'] : []
  return namedResolutions.flatMap((resolution) =>
    (ratios.length > 0 ? ratios : defaultRatios).flatMap((ratio) => {
      const pixels = dimensionsOf(resolution, ratio)
      if (pixels === undefined) return []
      const fields = {
        ...(resolutions.length > 0 && { resolution }),
        ...(ratios.length > 0 && { aspect_ratio: ratio }),
      }
      return [{ ...pixels, fields }]
    }),
  )
}

/** Where a model has no resolutions, only the shape counts. */
function listRatioSizes(model: Model, { width, height }: Dimensions): KnownSize[] {
  if (model.fields.resolution !== undefined) return []
  const short = Math.min(width, height)
  return listFieldValues(model, 'aspect_ratio').flatMap((value) => {
    const ratio = parseAspectRatio(String(value))
    return ratio === undefined
      ? []
      : [{ ...dimensionsFromShortSide(short, ratio), fields: { aspect_ratio: String(value) } }]
  })
}

function findNearest(knownSizes: readonly KnownSize[], wanted: Dimensions): KnownSize | undefined {
  const distanceOf = ({ width, height }: Dimensions) =>
    Math.max(Math.abs(Math.log(width / wanted.width)), Math.abs(Math.log(height / wanted.height)))
  const [best] = knownSizes.toSorted((a, b) => distanceOf(a) - distanceOf(b))
  return best !== undefined && distanceOf(best) < maxDistance ? best : undefined
}
