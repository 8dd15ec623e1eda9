import { anonymousCaller } from '../../accounts/access.ts'
import { listSchema, okResponse } from '../openapi/response-schemas.ts'
import type { RouteDefinition } from '../route-definition.ts'
import { type AdminDeps, keyParams, requireAccount } from './keys.ts'

export const listHolds: RouteDefinition<{ params: typeof keyParams }, AdminDeps> = {
  method: 'GET',
  path: '/api/admin/keys/:id/held',
  docs: {
    id: 'held',
    tag: 'Operation',
    summary: 'The money of a key that is on hold, by job',
    replies: okResponse('The jobs.', listSchema({ type: 'object' })),
    errorStatuses: [404],
  },
  params: keyParams,
  respond: async ({ admin: { ledger, holds } }, { params }) => {
    if (params.id !== anonymousCaller.owner) await requireAccount(ledger, params.id)
    return { object: 'list', data: await holds.of(params.id) }
  },
}
