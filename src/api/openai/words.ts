import { at, text } from '../../../providers/reader.ts'
import type { Validation } from '../../catalogue/admit.ts'
import { meaningOf } from '../../catalogue/fields.ts'
import { findModel } from '../../catalogue/index.ts'
import type { Model } from '../../catalogue/model.ts'
import { isEmpty } from '../../catalogue/parse.ts'
import { widestRule } from '../../catalogue/rules.ts'
import { readDataUrlHead } from '../../media/data-url.ts'
import { isUploadedFile, type UploadedFile } from '../../media/uploaded-file.ts'
import { ApiError } from '../errors.ts'
import type { Body } from '../nanogpt/submit.ts'
import { fromSize } from './size.ts'

const usualModel = 'sora-2'
/** The size of a Sora video where none is asked for; the other models have their own. */
const usualSize = '720x1280'

/** Sora's names in that API, with a date or without. */
const soraName = /^sora-2(-pro)?(?:-\d{4}-\d{2}-\d{2})?$/i

/** A body of the OpenAI Videos API in the words of the catalogue. What that API does not know passes as it is. */
export function inOurWords(body: Body, handling?: Validation['handling']): Body {
  const { model: named, size: told, input_reference: reference, n, ...rest } = body
  if (!isEmpty(n) && Number(n) !== 1) throw oneVideoOnly()
  const sora = soraMatch(named)
  const model = sora === null ? named : usualModel
  const known = findModel(String(model))
  const size = isEmpty(told) && sora !== null && isEmpty(reference) && isShapeless(rest) ? usualSize : told
  return {
    ...(sora?.[1] !== undefined && { pro_mode: true }),
    ...(!isEmpty(size) && (known === undefined ? { size } : fromSize(known, String(size), handling))),
    ...(!isEmpty(reference) && fromReference(reference, known)),
    ...rest,
    model,
  }
}

/** Whether a body is for Sora: it says so, or names no model. */
export function isSora(named: unknown): boolean {
  return soraMatch(named) !== null
}

function soraMatch(named: unknown): RegExpExecArray | null {
  return soraName.exec(isEmpty(named) ? usualModel : String(named))
}

/** What a model is called to whom asked for it in that API's words. */
export function modelName(model: string, pro: boolean | undefined): string {
  return model === usualModel && pro === true ? 'sora-2-pro' : model
}

function isShapeless(body: Body): boolean {
  return !Object.entries(body).some(([name, value]) => {
    const meaning = meaningOf(name)
    const field = meaning === 'metadata' ? undefined : meaning?.field
    return !isEmpty(value) && ['aspect_ratio', 'resolution', 'image'].includes(field ?? '')
  })
}

/** A link, a data URL, `{ image_url }`, or `{ file_id }` of an attachment. */
function fromReference(reference: unknown, model: Model | undefined): Body {
  const link = linkOf(reference)
  if (link === undefined) {
    throw refused('must be a file, a link, a data URL, `{ image_url }` or `{ file_id }`')
  }
  if (model === undefined) return {}
  const type = isUploadedFile(link) ? link.type : readDataUrlHead(link)?.type
  const declared = /^(image|video|audio)\//i.exec(type ?? '')?.[1]?.toLowerCase()
  const kinds =
    declared === undefined ? (['image', 'video'] as const) : [declared as 'image' | 'video' | 'audio']
  const field = kinds.find((kind) => widestRule(model, kind) !== undefined)
  if (field === undefined)
    throw refused(`is not taken by \`${model.id}\`${declared === undefined ? '' : ` as ${declared}`}`)
  return field === 'image' ? { input_reference: link } : { [field]: link }
}

function linkOf(reference: unknown): string | UploadedFile | undefined {
  const id = text(reference, 'file_id')
  const inside = at(reference, 'image_url')
  if (typeof reference === 'string' || isUploadedFile(reference)) return reference
  if (isUploadedFile(inside)) return inside
  return text(inside) ?? (id && `attachment:${id}`)
}

function oneVideoOnly(): ApiError {
  return new ApiError('invalid_parameter_value', '`n` must be 1: a request makes one video', { param: 'n' })
}

function refused(message: string): ApiError {
  return new ApiError('invalid_parameter_value', `\`input_reference\` ${message}`, {
    param: 'input_reference',
  })
}
