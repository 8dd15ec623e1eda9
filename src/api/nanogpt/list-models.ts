import type { FastifyRequest } from 'fastify'
import { text } from '../../../providers/reader.ts'
import { withMarkup } from '../../accounts/money.ts'
import { buildLegacyListEntry, buildListEntry, buildModelSummary } from '../../catalogue/listing.ts'
import { models } from '../../catalogue/models/index.ts'
import type { ApiDeps } from '../deps.ts'

/** The list of video models; in full unless `detailed=false`. */
export async function listVideoModels({ routing, billing }: ApiDeps, { query }: FastifyRequest) {
  const isDetailed = !/^(false|0|no)$/i.test(text(query, 'detailed') ?? '')
  return {
    object: 'list',
    data: models.map((model) =>
      isDetailed
        ? buildListEntry(model, routing.isAvailable(model), createPriceMarkup(billing))
        : buildModelSummary(model),
    ),
    meta: { count: models.length, generated_at: new Date().toISOString() },
  }
}

/**
 * The list of all models. With `detailed=true` it is the list of text models, of which there are none: programs that join it with the
 * other lists would take our video models for text models.
 */
export async function listAllModels(_: ApiDeps, { query }: FastifyRequest) {
  const isDetailed = /^(true|1|yes)$/i.test(text(query, 'detailed') ?? '')
  return { object: 'list', data: isDetailed ? [] : models.map(buildModelSummary) }
}

/** A list of models of a kind that there is none of here. Some programs load all lists at once and fail if one is missing. */
export async function listNoModels() {
  return { object: 'list', data: [] }
}

/** The older list of image models, of which there are none. */
export async function listNoImageModels() {
  return { object: 'list', data: [], models: { image: {} } }
}

/** The older list, keyed by model id, by which one web client knows a video model. */
export async function listModelsByKind({ billing }: ApiDeps) {
  return {
    models: {
      video: Object.fromEntries(
        models.map((model) => [model.id, buildLegacyListEntry(model, createPriceMarkup(billing))]),
      ),
    },
  }
}

function createPriceMarkup({ markupPercent }: ApiDeps['billing']) {
  return (usd: number) => withMarkup(usd, markupPercent)
}
