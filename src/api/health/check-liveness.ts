import { objectSchema, okResponse, textSchema } from '../openapi/response-schemas.ts'
import type { RequestSchemas, RouteDefinition } from '../route-definition.ts'

export const checkLiveness: RouteDefinition<RequestSchemas, unknown> = {
  method: 'GET',
  path: '/health',
  docs: {
    id: 'health',
    tag: 'Operation',
    summary: 'Whether the process lives',
    replies: okResponse('It does.', objectSchema({ status: textSchema })),
  },
  isPublic: true,
  quiet: true,
  respond: async () => ({ status: 'ok' }),
}
