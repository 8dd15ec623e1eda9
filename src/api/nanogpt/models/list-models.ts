import { buildModelSummary } from '../../../catalogue/listing.ts'
import { models } from '../../../catalogue/models/index.ts'
import { listSchema, okResponse, textSchema } from '../../openapi/response-schemas.ts'
import { lenientBooleanParameter, querySchema } from '../../requests/query.ts'
import { aliasRoute, type RouteDefinition } from '../../route-definition.ts'
import { modelSchema } from './model-schema.ts'

const modelsQuery = querySchema({ detailed: lenientBooleanParameter(false) })

/**
 * The list of all models. With `detailed=true` it is the list of text models, which is empty: programs that join it with the
 * other lists would take our video models for text models.
 */
export const listModels: RouteDefinition<{ query: typeof modelsQuery }> = {
  method: 'GET',
  path: '/v1/models',
  docs: {
    id: 'models',
    tag: 'Models',
    summary:
      'All models; this gateway has only video models. With `detailed=true`: the text models, an empty list',
    replies: okResponse('The models.', listSchema(modelSchema, { object: textSchema })),
  },
  query: modelsQuery,
  isPublic: true,
  respond: async (_deps, { query }) => ({
    object: 'list',
    data: query.detailed ? [] : models.map(buildModelSummary),
  }),
}

/** The same list under a path without a version. */
export const listModelsUnversioned = aliasRoute(listModels, '/models')
