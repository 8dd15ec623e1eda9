import { Type } from '@sinclair/typebox'
import { anonymousCaller } from '../../accounts/access.ts'
import { okResponse, textSchema, usageSchema } from '../openapi/response-schemas.ts'
import { querySchema } from '../requests/query.ts'
import { buildUsageReport, usageParameters } from '../requests/usage.ts'
import type { RouteDefinition } from '../route-definition.ts'
import type { AdminDeps } from './keys.ts'

const allUsageQuery = querySchema({ ...usageParameters, key: Type.Unsafe<unknown>(textSchema) })

export const readAllUsage: RouteDefinition<{ query: typeof allUsageQuery }, AdminDeps> = {
  method: 'GET',
  path: '/api/admin/usage',
  docs: {
    id: 'allUsage',
    tag: 'Operation',
    summary: 'The usage of all keys, by day and model',
    replies: okResponse('The usage.', usageSchema),
  },
  query: allUsageQuery,
  respond: async ({ admin, billing }, { query: { days, key, ...filter } }) => {
    const ids = (await admin.ledger.listAccounts()).map(({ id }) => id).concat(anonymousCaller.owner)
    const wantedIds = typeof key === 'string' ? ids.filter((id) => id === key) : ids
    return buildUsageReport(await billing.usage(wantedIds, days), filter)
  },
}
