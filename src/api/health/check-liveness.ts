import { objectSchema, okResponse, textSchema } from '../openapi/response-schemas.ts'
import type { RequestSchemas, RouteDefinition } from '../route-definition.ts'

export const checkLiveness: RouteDefinition<RequestSchemas, unknown> = {
  method: 'GET',
  path: '/health',
  docs: {
    id: 'health',
    tag: 'Operation',
    summary: 'Liveness',
    replies: okResponse('The process is running.', objectSchema({ status: textSchema })),
  },
  isPublic: true,
  quiet: true,
  respond: async () => ({ status: 'ok' }),
}
