import { accountSchema, okResponse } from '../openapi/response-schemas.ts'
import type { RouteDefinition } from '../route-definition.ts'
import { type AdminDeps, keyParams, requireAccount } from './keys.ts'

export const revokeKey: RouteDefinition<{ params: typeof keyParams }, AdminDeps> = {
  method: 'DELETE',
  path: '/api/admin/keys/:id',
  docs: {
    id: 'revokeKey',
    tag: 'Operation',
    summary: 'Revoke a key',
    replies: okResponse('The key.', accountSchema),
    errorStatuses: [404],
  },
  params: keyParams,
  respond: async ({ admin: { ledger } }, { params }) => {
    await requireAccount(ledger, params.id)
    await ledger.revokeAccount(params.id)
    return requireAccount(ledger, params.id)
  },
}
