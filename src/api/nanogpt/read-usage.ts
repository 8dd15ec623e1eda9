import { okResponse, usageSchema } from '../openapi/response-schemas.ts'
import { buildUsageReport, usageQuery } from '../requests/usage.ts'
import type { RouteDefinition } from '../route-definition.ts'

/** The jobs and costs of the caller's key, by model and day (UTC). */
export const readUsage: RouteDefinition<{ query: typeof usageQuery }> = {
  method: 'GET',
  path: '/usage',
  docs: {
    id: 'usage',
    tag: 'Account',
    summary: 'The usage of a key, by day and model',
    replies: okResponse('The usage.', usageSchema),
  },
  query: usageQuery,
  respond: async ({ billing }, { owner, query: { days, ...filter } }) =>
    buildUsageReport(await billing.usage([owner], days), filter),
}
