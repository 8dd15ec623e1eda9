import { withMarkup } from '../../../accounts/money.ts'
import { buildListEntry, buildModelSummary } from '../../../catalogue/listing.ts'
import { models } from '../../../catalogue/models/index.ts'
import { listSchema, okResponse, textSchema } from '../../openapi/response-schemas.ts'
import { lenientBooleanParameter, querySchema } from '../../requests/query.ts'
import { aliasRoute, type RouteDefinition } from '../../route-definition.ts'
import { modelSchema } from './model-schema.ts'

const videoModelsQuery = querySchema({ detailed: lenientBooleanParameter(true) })

/** The list of video models; in full unless `detailed=false`. */
export const listVideoModels: RouteDefinition<{ query: typeof videoModelsQuery }> = {
  method: 'GET',
  path: '/v1/video-models',
  docs: {
    id: 'videoModels',
    tag: 'Models',
    summary: 'The video models, with their parameters and prices',
    replies: okResponse(
      'The models.',
      listSchema(modelSchema, { object: textSchema, meta: { type: 'object' } }),
    ),
  },
  query: videoModelsQuery,
  isPublic: true,
  respond: async ({ routing, billing }, { query }) => ({
    object: 'list',
    data: models.map((model) =>
      query.detailed
        ? buildListEntry(model, routing.isAvailable(model), (usd) => withMarkup(usd, billing.markupPercent))
        : buildModelSummary(model),
    ),
    meta: { count: models.length, generated_at: new Date().toISOString() },
  }),
}

/** The same list, where clients of a subscription and of the paid models look for it. */
export const otherVideoModelRoutes = ['/subscription/v1/video-models', '/paid/v1/video-models'].map((path) =>
  aliasRoute(listVideoModels, path),
)
