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

/** The list of all models, which here are video models; in short unless `detailed=true`. */
export async function allModels({ offers, money }: AppParts, { query }: FastifyRequest) {
  const detailed = /^(true|1|yes)$/i.test(text(query, 'detailed') ?? '')
  return {
    object: 'list',
    data: models.map((model) =>
      detailed ? describe(model, offers.available(model), offered(money)) : brief(model),
    ),
  }
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
