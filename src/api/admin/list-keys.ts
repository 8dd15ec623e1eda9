import { accountSchema, listSchema, okResponse } from '../openapi/response-schemas.ts'
import type { RequestSchemas, RouteDefinition } from '../route-definition.ts'
import type { AdminDeps } from './keys.ts'

export const listKeys: RouteDefinition<RequestSchemas, AdminDeps> = {
  method: 'GET',
  path: '/api/admin/keys',
  docs: {
    id: 'keys',
    tag: 'Operation',
    summary: 'All keys',
    replies: okResponse('The keys.', listSchema(accountSchema)),
  },
  respond: async ({ admin }) => ({ object: 'list', data: await admin.ledger.listAccounts() }),
}
