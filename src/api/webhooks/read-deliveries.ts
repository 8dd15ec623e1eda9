import { readJobId } from '../requests/job-id.ts'
import { requireOwnJob } from '../requests/own-job.ts'
import type { RouteDefinition } from '../route-definition.ts'
import { DeliveriesResponse, toDeliveries } from './deliveries.ts'

export const readDeliveries: RouteDefinition = {
  method: 'GET',
  path: '/api/jobs/:id/webhooks',
  docs: {
    id: 'deliveries',
    tag: 'Webhooks',
    summary: 'The webhook of a job: its state and each attempt',
    errorStatuses: [403, 404],
  },
  response: DeliveriesResponse,
  respond: async ({ engine, webhooks }, request) => {
    const { id } = await requireOwnJob(engine, request, readJobId(request.params))
    return toDeliveries(id, await webhooks.readDelivery(id))
  },
}
