import { jobParams } from '../requests/job-id.ts'
import { jobNotFoundError, requireOwnJob } from '../requests/own-job.ts'
import type { RouteDefinition } from '../route-definition.ts'
import { toJobResponse } from './job-response.ts'
import { JobResponse } from './schemas.ts'

export const cancelJob: RouteDefinition<{ params: typeof jobParams }> = {
  method: 'DELETE',
  path: '/api/jobs/:id',
  docs: {
    id: 'cancelJob',
    tag: 'Jobs',
    summary: 'Cancel a job',
    errorStatuses: [403, 404],
  },
  params: jobParams,
  response: JobResponse,
  respond: async (deps, request) => {
    const { id } = request.params
    await requireOwnJob(deps.engine, request, id)
    const view = await deps.engine.cancel(id)
    if (view === undefined) throw jobNotFoundError(id)
    return toJobResponse(deps, request, view)
  },
}
