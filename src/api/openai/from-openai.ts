import { at, text } from '../../../providers/reader.ts'
import { matchFieldName } from '../../catalogue/fields.ts'
import { readDataUrlHead } from '../../catalogue/media-values/data-url.ts'
import { isUploadedFile, type UploadedFile } from '../../catalogue/media-values/uploaded-file.ts'
import type { Model } from '../../catalogue/model.ts'
import { findModel } from '../../catalogue/models/index.ts'
import { widestRule } from '../../catalogue/rules.ts'
import { isEmpty } from '../../catalogue/validation/parse-value.ts'
import type { ValidationOptions } from '../../catalogue/validation/validate.ts'
import type { RequestBody } from '../body/request-body.ts'
import { ApiError } from '../errors.ts'
import { toSizeFields } from './size.ts'

const defaultModel = 'sora-2'
/** The default size of a Sora video; the other models have their own. */
const defaultSize = '720x1280'

/** Sora's names in that API, with a date or without. */
const soraNamePattern = /^sora-2(-pro)?(?:-\d{4}-\d{2}-\d{2})?$/i

/** A body of the OpenAI Videos API in the words of the catalogue. What that API does not know passes as it is. */
export function fromOpenai(body: RequestBody, handling?: ValidationOptions['handling']): RequestBody {
  const { model: requestedModel, size: requestedSize, input_reference: reference, n, ...rest } = body
  if (!isEmpty(n) && Number(n) !== 1) throw singleVideoError()
  const soraName = matchSoraName(requestedModel)
  const model = soraName === null ? requestedModel : defaultModel
  const knownModel = findModel(String(model))
  const size =
    isEmpty(requestedSize) && soraName !== null && isEmpty(reference) && hasNoShape(rest)
      ? defaultSize
      : requestedSize
  return {
    ...(soraName?.[1] !== undefined && { pro_mode: true }),
    ...(!isEmpty(size) &&
      (knownModel === undefined ? { size } : toSizeFields(knownModel, String(size), handling))),
    ...(!isEmpty(reference) && toMediaField(reference, knownModel)),
    ...rest,
    model,
  }
}

/** Whether a body is for Sora: it says so, or names no model. */
export function isSora(model: unknown): boolean {
  return matchSoraName(model) !== null
}

function matchSoraName(model: unknown): RegExpExecArray | null {
  return soraNamePattern.exec(isEmpty(model) ? defaultModel : String(model))
}

/** The model name in responses of the OpenAI API. */
export function toOpenaiModelName(model: string, isPro: boolean | undefined): string {
  return model === defaultModel && isPro === true ? 'sora-2-pro' : model
}

function hasNoShape(body: RequestBody): boolean {
  return !Object.entries(body).some(([name, value]) => {
    const meaning = matchFieldName(name)
    const field = meaning === 'metadata' ? undefined : meaning?.field
    return !isEmpty(value) && ['aspect_ratio', 'resolution', 'image'].includes(field ?? '')
  })
}

/** A link, a data URL, `{ image_url }`, or `{ file_id }` of an attachment. */
function toMediaField(reference: unknown, model: Model | undefined): RequestBody {
  const media = readReference(reference)
  if (media === undefined) {
    throw referenceError('must be a file, a link, a data URL, `{ image_url }` or `{ file_id }`')
  }
  if (model === undefined) return {}
  const type = isUploadedFile(media) ? media.type : readDataUrlHead(media)?.type
  const declared = /^(image|video|audio)\//i.exec(type ?? '')?.[1]?.toLowerCase()
  const kinds =
    declared === undefined ? (['image', 'video'] as const) : [declared as 'image' | 'video' | 'audio']
  const field = kinds.find((kind) => widestRule(model, kind) !== undefined)
  if (field === undefined)
    throw referenceError(`is not taken by \`${model.id}\`${declared === undefined ? '' : ` as ${declared}`}`)
  return field === 'image' ? { input_reference: media } : { [field]: media }
}

function readReference(reference: unknown): string | UploadedFile | undefined {
  const id = text(reference, 'file_id')
  const imageUrl = at(reference, 'image_url')
  if (typeof reference === 'string' || isUploadedFile(reference)) return reference
  if (isUploadedFile(imageUrl)) return imageUrl
  return text(imageUrl) ?? (id && `attachment:${id}`)
}

function singleVideoError(): ApiError {
  return new ApiError('invalid_parameter_value', '`n` must be 1: a request makes one video', { param: 'n' })
}

function referenceError(message: string): ApiError {
  return new ApiError('invalid_parameter_value', `\`input_reference\` ${message}`, {
    param: 'input_reference',
  })
}
