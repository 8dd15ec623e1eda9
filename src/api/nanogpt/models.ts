import type { FastifyRequest } from 'fastify'
import { text } from '../../../providers/reader.ts'
import { withMarkup } from '../../accounts/money.ts'
import { models } from '../../catalogue/index.ts'
import { brief, describe, describeOld } from '../../catalogue/listing.ts'
import type { AppParts } from '../parts.ts'

/** The list of video models; in full unless `detailed=false`. */
export async function videoModels({ offers, money }: AppParts, { query }: FastifyRequest) {
  const detailed = !/^(false|0|no)$/i.test(text(query, 'detailed') ?? '')
  return {
    object: 'list',
    data: models.map((model) =>
      detailed ? describe(model, offers.available(model), offered(money)) : brief(model),
    ),
    meta: { count: models.length, generated_at: new Date().toISOString() },
  }
}

/**
 * The list of all models. With `detailed=true` it is the list of text models, of which there are none: programs that join it with the
 * other lists would take our video models for text models.
 */
export async function allModels(_: AppParts, { query }: FastifyRequest) {
  const detailed = /^(true|1|yes)$/i.test(text(query, 'detailed') ?? '')
  return { object: 'list', data: detailed ? [] : models.map(brief) }
}

/** A list of models of a kind that there is none of here. Some programs load all lists at once and fail if one is missing. */
export async function noModels() {
  return { object: 'list', data: [] }
}

/** The older list of image models, of which there are none. */
export async function noImageModels() {
  return { object: 'list', data: [], models: { image: {} } }
}

/** The older list, keyed by model id, by which one web client knows a video model. */
export async function modelsByKind({ money }: AppParts) {
  return {
    models: {
      video: Object.fromEntries(models.map((model) => [model.id, describeOld(model, offered(money))])),
    },
  }
}

function offered({ markupPercent }: AppParts['money']) {
  return (usd: number) => withMarkup(usd, markupPercent)
}
