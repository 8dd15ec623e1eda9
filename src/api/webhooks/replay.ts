import { ApiError } from '../errors.ts'
import { readJobId } from '../requests/job-id.ts'
import { requireOwnJob } from '../requests/own-job.ts'
import type { RouteDefinition } from '../route-definition.ts'
import { DeliveriesResponse, toDeliveries } from './deliveries.ts'

export const replayWebhook: RouteDefinition = {
  method: 'POST',
  path: '/api/jobs/:id/webhooks/replay',
  docs: {
    id: 'replayWebhook',
    tag: 'Webhooks',
    summary: 'Send the webhook of a finished job again',
    errorStatuses: [403, 404, 408, 409, 413, 415],
  },
  code: 202,
  response: DeliveriesResponse,
  respond: async ({ engine, webhooks }, request) => {
    const { id } = await requireOwnJob(engine, request, readJobId(request.params))
    if (!(await webhooks.replay(id)))
      throw new ApiError('conflict', `The job ${id} has not ended, or has no webhook`)
    return toDeliveries(id, await webhooks.readDelivery(id))
  },
}
