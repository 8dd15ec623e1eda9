import { accountSchema, okResponse } from '../openapi/response-schemas.ts'
import type { RouteDefinition } from '../route-definition.ts'
import { type AdminDeps, keyParams, requireAccount } from './keys.ts'

export const readKey: RouteDefinition<{ params: typeof keyParams }, AdminDeps> = {
  method: 'GET',
  path: '/api/admin/keys/:id',
  docs: {
    id: 'key',
    tag: 'Operation',
    summary: 'One key, with its limits and balances',
    replies: okResponse('The key.', accountSchema),
    errorStatuses: [404],
  },
  params: keyParams,
  respond: ({ admin }, { params }) => requireAccount(admin.ledger, params.id),
}
