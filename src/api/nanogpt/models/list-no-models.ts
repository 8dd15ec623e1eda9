import { objectSchema, okResponse, textSchema } from '../../openapi/response-schemas.ts'
import type { RouteDefinition } from '../../route-definition.ts'

const emptyData = { object: textSchema, data: { type: 'array', items: { type: 'object' }, maxItems: 0 } }

/** The older list of image models, which is empty. */
const listImageModels: RouteDefinition = {
  method: 'GET',
  path: '/models/image',
  docs: {
    id: 'imageModelsByKind',
    tag: 'Models',
    summary: 'The older list of image models (an empty list)',
    replies: okResponse('An empty list.', objectSchema({ ...emptyData, models: { type: 'object' } })),
  },
  isPublic: true,
  respond: async () => ({ object: 'list', data: [], models: { image: {} } }),
}

/** Lists of models of kinds that this gateway does not have. Some programs load all lists at once and fail if one is missing. */
export const emptyListRoutes: readonly RouteDefinition[] = [
  listImageModels,
  defineEmptyList('/v1/images/models', 'imageModels', 'image'),
  defineEmptyList('/v1/image-models', 'imageModelList', 'image'),
  defineEmptyList('/v1/audio-models', 'audioModels', 'audio'),
  defineEmptyList('/v1/embedding-models', 'embeddingModels', 'embedding'),
  defineEmptyList('/subscription/v1/models', 'subscriptionModels', 'subscription'),
  defineEmptyList('/paid/v1/models', 'paidModels', 'paid text'),
  defineEmptyList('/personalized/v1/models', 'personalizedModels', 'personalized'),
]

function defineEmptyList(path: string, id: string, kind: string): RouteDefinition {
  return {
    method: 'GET',
    path,
    docs: {
      id,
      tag: 'Models',
      summary: `The ${kind} models (an empty list)`,
      replies: okResponse('An empty list.', objectSchema(emptyData)),
    },
    isPublic: true,
    respond: async () => ({ object: 'list', data: [] }),
  }
}
