import { listSchema, okResponse } from '../openapi/response-schemas.ts'
import type { RequestSchemas, RouteDefinition } from '../route-definition.ts'
import type { AdminDeps } from './keys.ts'

export const listUnknownJobs: RouteDefinition<RequestSchemas, AdminDeps> = {
  method: 'GET',
  path: '/api/admin/unknown',
  docs: {
    id: 'unknown',
    tag: 'Operation',
    summary: 'Every job whose money is on hold until an operator decides',
    replies: okResponse(
      'The jobs, with the submit attempt to look up at the upstream.',
      listSchema({ type: 'object' }),
    ),
  },
  respond: async ({ admin }) => ({ object: 'list', data: await admin.unknownJobs.list() }),
}
