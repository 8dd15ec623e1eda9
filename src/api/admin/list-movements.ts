import { anonymousCaller } from '../../accounts/access.ts'
import { listSchema, okResponse } from '../openapi/response-schemas.ts'
import type { RouteDefinition } from '../route-definition.ts'
import { type AdminDeps, keyParams, requireAccount } from './keys.ts'

const maxMovements = 1000

export const listMovements: RouteDefinition<{ params: typeof keyParams }, AdminDeps> = {
  method: 'GET',
  path: '/api/admin/keys/:id/ledger',
  docs: {
    id: 'ledger',
    tag: 'Operation',
    summary: 'The ledger of a key',
    replies: okResponse('The entries.', listSchema({ type: 'object' })),
    errorStatuses: [404],
  },
  params: keyParams,
  respond: async ({ admin: { ledger } }, { params }) => {
    if (params.id !== anonymousCaller.owner) await requireAccount(ledger, params.id)
    return { object: 'list', data: await ledger.listMovements(params.id, maxMovements) }
  },
}
