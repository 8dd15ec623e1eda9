import { withMarkup } from '../../../accounts/money.ts'
import { buildLegacyListEntry } from '../../../catalogue/listing.ts'
import { models } from '../../../catalogue/models/index.ts'
import { objectSchema, okResponse } from '../../openapi/response-schemas.ts'
import type { RouteDefinition } from '../../route-definition.ts'

/** The older list, keyed by model ID. One web client recognizes video models by it. */
export const listModelsByKind: RouteDefinition = {
  method: 'GET',
  path: '/models/video',
  docs: {
    id: 'modelsByKind',
    tag: 'Models',
    summary: 'The older list of video models, by model ID',
    replies: okResponse('The models.', objectSchema({ models: objectSchema({ video: { type: 'object' } }) })),
  },
  isPublic: true,
  respond: async ({ billing }) => {
    const addMarkup = (usd: number) => withMarkup(usd, billing.markupPercent)
    const entries = models.map((model) => [model.id, buildLegacyListEntry(model, addMarkup)])
    return { models: { video: Object.fromEntries(entries) } }
  },
}
